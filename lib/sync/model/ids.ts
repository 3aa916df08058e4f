/** Identifiers. Branded, so that a device id can never be passed where an entry id is meant. */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** UUID of a person with an account. */
export type UserId = Branded<string, 'UserId'>;
/** UUID of one installation of a client. */
export type DeviceId = Branded<string, 'DeviceId'>;
/** UUID of the unit of journal, ordering and sharing. */
export type NamespaceId = Branded<string, 'NamespaceId'>;
/** UUID of a file or folder, chosen by the device that creates it. The root folder of a namespace has the namespace's own UUID. */
export type EntryId = Branded<string, 'EntryId'>;
/** UUID that makes a request exactly-once. */
export type RequestId = Branded<string, 'RequestId'>;
/** SHA-256 of a chunk's bytes, 64 lower-case hexadecimal digits. */
export type ChunkId = Branded<string, 'ChunkId'>;
/** SHA-256 of an encoded manifest, 64 lower-case hexadecimal digits. */
export type Digest = Branded<string, 'Digest'>;
/** Position in one journal. Opaque to clients: compare for equality only. */
export type Cursor = Branded<string, 'Cursor'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** True for a lower-case UUID of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** True for 64 lower-case hexadecimal digits. */
export function isSha256(text: string): boolean {
  return SHA256.test(text);
}

/** The entry id of the folder at the top of a namespace; no row stands for it. */
export function rootOf(namespaceId: NamespaceId): EntryId {
  return namespaceId as unknown as EntryId;
}
