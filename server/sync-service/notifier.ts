import type { DeviceId, UserId } from '@/lib/sync/model/ids';
import type { Notice } from '@/lib/sync/protocol/commit';

/** Tells connected devices that a namespace moved on. Best effort: a lost notice costs delay only. */
export interface Notifier {
  notify(notice: Notice): void;
  /** Closes every connection of a device at once (`revoked`). */
  disconnect(userId: UserId, deviceId: DeviceId): void;
}
