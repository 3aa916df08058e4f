import type { DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';

/** Who is asking, as the one guard found out from the session cookie. */
export interface Identity {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly isAdmin: boolean;
  readonly rootNamespaceId: NamespaceId;
}
