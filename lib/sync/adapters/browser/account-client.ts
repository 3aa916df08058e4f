import type { DeviceId } from '../../model/ids';
import type { Reply } from '../../ports/sync-service';
import type { DeviceView, Me, ServerInfo } from '../../protocol/accounts';
import { ROUTES } from '../../protocol/routes';
import { deviceNameGuess } from './device-name';
import { fetchReply } from './fetch-reply';
import { deviceIdOfProfile, rememberMe, renewDeviceId } from './profile';

async function signedIn(reply: Reply<Me>): Promise<Reply<Me>> {
  if (reply.ok) rememberMe(reply.value);
  // A revoked device id never comes back to life; the next try registers this profile as a new device.
  else if (reply.code === 'device_revoked') renewDeviceId();
  return reply;
}

function device(): { readonly deviceId: DeviceId; readonly deviceName: string } {
  return { deviceId: deviceIdOfProfile(), deviceName: deviceNameGuess() };
}

/** Makes an account and signs in. */
export async function signUp(input: { email: string; name: string; password: string }): Promise<Reply<Me>> {
  return signedIn(await fetchReply<Me>(ROUTES.signUp, { method: 'POST', body: { ...input, ...device() } }));
}

/** Signs in on this device. */
export async function signIn(input: { email: string; password: string }): Promise<Reply<Me>> {
  const first = await fetchReply<Me>(ROUTES.signIn, { method: 'POST', body: { ...input, ...device() } });
  if (first.ok || first.code !== 'device_revoked') return signedIn(first);
  renewDeviceId();
  return signedIn(await fetchReply<Me>(ROUTES.signIn, { method: 'POST', body: { ...input, ...device() } }));
}

/** Ends the session. The profile forgets the person also when the server cannot be reached: the cookie then dies unused. */
export async function signOut(): Promise<Reply<null>> {
  const reply = await fetchReply<null>(ROUTES.signOut, { method: 'POST' });
  rememberMe(null);
  return reply;
}

/** Who is signed in, as the server knows it; refreshes what the profile remembers. */
export async function me(): Promise<Reply<Me>> {
  const reply = await fetchReply<Me>(ROUTES.me, { timeout: 15_000 });
  if (reply.ok) rememberMe(reply.value);
  return reply;
}

export function changePassword(input: { oldPassword: string; newPassword: string }): Promise<Reply<null>> {
  return fetchReply(ROUTES.password, { method: 'POST', body: input });
}

export function devices(): Promise<Reply<readonly DeviceView[]>> {
  return fetchReply(ROUTES.devices);
}

export function renameDevice(id: DeviceId, name: string): Promise<Reply<null>> {
  return fetchReply(`${ROUTES.devices}/${id}`, { method: 'PATCH', body: { name } });
}

/** Signs the device out at once, wherever it is. */
export function revokeDevice(id: DeviceId): Promise<Reply<null>> {
  return fetchReply(`${ROUTES.devices}/${id}`, { method: 'DELETE' });
}

/** What the server offers; needs no sign-in, so it also answers “can it be reached?”. */
export function info(): Promise<Reply<ServerInfo>> {
  return fetchReply(ROUTES.info, { timeout: 15_000 });
}
