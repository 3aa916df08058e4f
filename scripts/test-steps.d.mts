export interface Count {
  readonly passed: number;
  readonly failed: number;
}

export interface Step {
  readonly name: string;
  readonly run: () => Promise<Count>;
}

/** Every word that `npm test -- <word>` takes. */
export const STEP_NAMES: string[];
/** Counts a report of vitest; files that could not be loaded and errors outside any test are failures too. */
export function countReport(
  report: {
    readonly numPassedTests: number;
    readonly numFailedTests: number;
    readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
  },
  code: number,
): Count;
/** The steps asked for, in order; all of them when no name is given. */
export function chooseSteps(names: readonly string[]): Step[];
