import type { DeviceId } from '../../model/ids';
import type { Me } from '../../protocol/accounts';
import type { Profile } from './database';

const KEY = 'satchel-profile';
/** Used when the browser forbids storage (some private modes): the device is then new with every page. */
let inMemory: Profile | null = null;

function read(): Profile | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === null ? inMemory : (JSON.parse(text) as Profile);
  } catch {
    return inMemory;
  }
}

function write(profile: Profile): void {
  inMemory = profile;
  try {
    localStorage.setItem(KEY, JSON.stringify(profile));
  } catch {
    // Kept in memory only.
  }
}

/** Who this browser profile is and who is signed in, known without the network. Makes the device id once. Pages only: workers have no localStorage. */
export function loadProfile(): Profile {
  const known = read();
  if (known !== null) return known;
  // `randomUUID` exists only in secure contexts; the shell must still show what is missing outside them.
  const deviceId = (globalThis.isSecureContext ? crypto.randomUUID() : uuidFromRandom()) as DeviceId;
  const profile: Profile = { deviceId, me: null };
  write(profile);
  return profile;
}

function uuidFromRandom(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The device id of this browser profile. */
export function deviceIdOfProfile(): DeviceId {
  return loadProfile().deviceId;
}

/** Remembers who is signed in (null after sign-out), so that the shell opens offline. A server that names another device id wins. */
export function rememberMe(me: Me | null): void {
  const { deviceId } = loadProfile();
  if (me === null) {
    write({ deviceId, me: null });
    return;
  }
  const { userId, email, name, isAdmin, rootNamespaceId } = me;
  write({ deviceId: me.deviceId, me: { userId, email, name, isAdmin, rootNamespaceId } });
}

/** The cached `Me`, or null when nobody is signed in here. */
export function rememberedMe(): Me | null {
  const { deviceId, me } = loadProfile();
  return me === null ? null : { ...me, deviceId };
}

/**
 * After a revocation the server refuses the old device id for ever; the next sign-in here is a new device.
 * Call it when the server answered `device_revoked`.
 */
export function renewDeviceId(): void {
  write({ deviceId: uuidFromRandom() as DeviceId, me: null });
}

/** Asks the browser not to evict what is stored here. Resolves to whether it agreed; false where it cannot be asked. */
export async function requestPersistentStorage(): Promise<boolean> {
  try {
    if (navigator.storage?.persist === undefined) return false;
    return (await navigator.storage.persisted()) || (await navigator.storage.persist());
  } catch {
    return false;
  }
}
