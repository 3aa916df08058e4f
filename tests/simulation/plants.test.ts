import { describe, expect, test } from 'vitest';
import { PLANTS, type PlantName } from './plants';
import { runScenario } from './run';
import { scenarioOf } from './scenario';

/** Within so many seeds a fault on purpose has to be noticed. */
const SEEDS_MAX = 300;

/** Each fault with what the simulation says of it. */
const NOTICED: readonly (readonly [PlantName, RegExp])[] = [
  ['drops_conflict_copies', /^lost/],
  ['ignores_own_commits', /again although it knows the journal/],
  ['applies_requests_twice', /was applied as/],
  ['loses_a_journal_commit', /does not know|the server/],
  ['overwrites_stale_bases', /without having seen it/],
  ['allows_same_names', /are both called/],
  ['forgets_staged_bytes', /lost|still has the transfer/],
  ['moves_the_cursor_first', /does not know|the server/],
  ['acknowledges_before_durable', /^lost/],
  ['loses_acknowledged_packs', /the bytes of chunk .* are not on the server/],
  ['shows_children_first', /before its folder/],
  ['refuses_to_send_again', /does not come to rest/],
  ['claims_durable', /does not come to rest/],
];

describe('faults on purpose', () => {
  test.each(NOTICED)('notices %s', async (name, expected) => {
    const said: string[] = [];
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { broken } = await runScenario(scenarioOf(seed), name);
      said.push(...broken);
      if (broken.some((what) => expected.test(what))) return;
    }
    expect.unreachable(`${name} was not noticed; said was only: ${[...new Set(said)].slice(0, 5).join(' | ')}`);
  });

  test('none is forgotten', () => {
    expect(NOTICED.map(([name]) => name).sort()).toEqual(Object.keys(PLANTS).sort());
  });
});
