/** Thrown when something the code promises about itself does not hold; never for bad input. */
export class BrokenPromise extends Error {
  override name = 'BrokenPromise';
}

/** Stops at once when `condition` is false. Stays on in production: a wrong state must not reach the disk. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BrokenPromise(message);
}

/** Makes the compiler check that every case of a union is handled. */
export function unreachable(value: never): never {
  throw new BrokenPromise(`unreachable case: ${JSON.stringify(value)}`);
}
