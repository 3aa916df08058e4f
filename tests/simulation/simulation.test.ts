import { describe, expect, test } from 'vitest';
import { FAILED_SEEDS } from './failed-seeds';
import { runScenario } from './run';
import { scenarioOf } from './scenario';
import { shrink } from './shrink';

const SEEDS = 1_000;
const PARTS = 10;
/** First and last seed of each part. */
const RANGES = Array.from({ length: PARTS }, (_, part) => [part * (SEEDS / PARTS) + 1, (part + 1) * (SEEDS / PARTS)]);

/** Seeds that break a promise, each with the first that broke. */
async function failures(
  seeds: readonly number[],
): Promise<{ readonly failed: readonly string[]; readonly commits: number; readonly accepted: number }> {
  const failed: string[] = [];
  let commits = 0;
  let accepted = 0;
  for (const seed of seeds) {
    const outcome = await runScenario(scenarioOf(seed));
    commits += outcome.commits;
    accepted += outcome.accepted;
    if (outcome.broken.length > 0) failed.push(`npm run sim -- --seed ${seed}: ${outcome.broken.join(' | ')}`);
  }
  return { failed, commits, accepted };
}

describe('the simulation', () => {
  test('a seed replays to the very same trace', async () => {
    let lines = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const [one, two] = [await runScenario(scenarioOf(seed)), await runScenario(scenarioOf(seed))];
      expect(two).toEqual(one);
      lines += one.trace.length;
    }
    expect(lines).toBeGreaterThan(40 * 30);
  });

  test('seeds that failed once hold', async () => {
    expect((await failures(FAILED_SEEDS)).failed).toEqual([]);
  });

  test.each(RANGES)(
    'whatever fails and whoever writes, every device ends with the server’s tree and no byte is lost: seeds %i to %i',
    async (first, last) => {
      const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      const { failed, commits, accepted } = await failures(seeds);
      expect(failed).toEqual([]);
      // Promises about devices on which nothing happens would hold of anything.
      expect(commits).toBeGreaterThan(4 * seeds.length);
      expect(accepted).toBeGreaterThan(2 * seeds.length);
    },
  );

  test('a failure shrinks to few steps that still fail', async () => {
    let seed = 1;
    while ((await runScenario(scenarioOf(seed), 'drops_conflict_copies')).broken.length === 0) seed += 1;
    const { scenario, outcome } = await shrink(scenarioOf(seed), 'drops_conflict_copies');
    expect(outcome.broken).not.toEqual([]);
    expect(scenario.steps.length).toBeLessThan(scenarioOf(seed).steps.length / 2);
    expect((await runScenario(scenario)).broken).toEqual([]);
  });
});
