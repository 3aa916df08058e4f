/** An error that a person can mend: its message is the whole story, no stack is shown. */
export class Sentence extends Error {
  /** @override */
  name = 'Sentence';
}

/**
 * Prints what went wrong and ends the process with code 1.
 * @param {unknown} error
 * @returns {never}
 */
export function stopWith(error) {
  const text = error instanceof Sentence ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\nSatchel stopped: ${text}\n`);
  process.exit(1);
}
