/**
 * UUIDs of version 7 (RFC 9562, method 2 of its section 6.2): later ones sort behind earlier ones, within one millisecond too. So what
 * is made together lies together in every index and is read in one go. `now`: milliseconds since 1970 UTC; a clock that goes back
 * does not matter. `fill` puts random bytes into an array.
 */
export function orderedUuids(now: () => number, fill: (bytes: Uint8Array<ArrayBuffer>) => void): () => string {
  const bytes = new Uint8Array(16);
  let last = -1;
  return () => {
    const time = Math.max(now(), last);
    if (time === last) increment(bytes);
    else {
      last = time;
      fill(bytes);
      for (let at = 5, rest = time; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256;
      bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
      // The bit below the variant stays clear, so that counting up can never reach the variant.
      bytes[8] = 0x80 | ((bytes[8] as number) & 0x1f);
    }
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

function increment(bytes: Uint8Array): void {
  for (let at = 15; at >= 8; at--) {
    const next = ((bytes[at] as number) + 1) & 0xff;
    bytes[at] = next;
    if (next !== 0) return;
  }
}
