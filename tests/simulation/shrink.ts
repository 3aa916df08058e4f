import type { PlantName } from './plants';
import { type Outcome, runScenario } from './run';
import type { Scenario, Step } from './scenario';

export interface Shrunk {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  /** How often the scenario was played to get there. */
  readonly plays: number;
}

const PLAYS_MAX = 400;

/**
 * Leaves out whatever is not needed for a scenario to fail: ever smaller runs of steps first, then the clocks' errors. Whatever fails
 * counts, not only what failed at first: the shortest way to any broken promise is the one to read. Zeller and Hildebrandt, “Simplifying and Isolating Failure-Inducing Input”, 2002.
 */
export async function shrink(failing: Scenario, plant: PlantName | null = null): Promise<Shrunk> {
  let plays = 1;
  let scenario = failing;
  let outcome = await runScenario(scenario, plant);
  if (outcome.broken.length === 0) return { scenario, outcome, plays };
  const attempt = async (steps: readonly Step[], devices = scenario.devices): Promise<boolean> => {
    plays += 1;
    const smaller = { ...scenario, steps, devices };
    const next = await runScenario(smaller, plant);
    if (next.broken.length === 0) return false;
    scenario = smaller;
    outcome = next;
    return true;
  };
  for (let size = Math.ceil(scenario.steps.length / 2); size >= 1 && plays < PLAYS_MAX; ) {
    let smaller = false;
    for (let at = 0; at < scenario.steps.length && plays < PLAYS_MAX; ) {
      if (await attempt(scenario.steps.filter((_, index) => index < at || index >= at + size))) smaller = true;
      else at += size;
    }
    if (size === 1 && !smaller) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  if (scenario.devices.some(({ skew }) => skew !== 0)) {
    await attempt(
      scenario.steps,
      scenario.devices.map((device) => ({ ...device, skew: 0 })),
    );
  }
  return { scenario, outcome, plays };
}
