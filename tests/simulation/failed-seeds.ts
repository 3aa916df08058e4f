/** Scenarios that once showed a fault, of the product or of the simulation itself, by seed; they are played with every test run. */
export const FAILED_SEEDS: readonly number[] = [
  // Bytes written behind a waiting rename, behind a refused write, behind a copy that waits.
  101, 170, 174, 213, 771, 1113,
  // A crash between two contents of one file; an older content sent again after its chunks went missing.
  190, 3059,
  // What a person did to their own bytes while the machine died.
  186, 568, 1867, 1909, 3442,
];
