/**
 * Plays scenarios by their seeds.
 *
 *     npm run sim -- --seed 17               one, with its trace; shrunk when it fails
 *     npm run sim -- --runs 500 --from 1000  many, with a summary
 *     npm run sim -- --seed 17 --plant <name>  with a fault on purpose
 *     npm run sim -- … --no-shrink
 */
import { parseArgs } from 'node:util';
import { PLANTS, type PlantName } from './plants';
import { runScenario } from './run';
import { type Scenario, scenarioOf } from './scenario';
import { shrink } from './shrink';

const FAILURES_SHRUNK_MAX = 3;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    from: { type: 'string', default: '1' },
    plant: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
  },
});

function plantNamed(name: string | undefined): PlantName | null {
  if (name === undefined) return null;
  if (Object.hasOwn(PLANTS, name)) return name as PlantName;
  throw new Error(`There is no fault called “${name}”. There are: ${Object.keys(PLANTS).join(', ')}.`);
}

function numberOf(text: string, what: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`“${text}” is no ${what}.`);
  return number;
}

function printScenario({ seed, devices, steps, healAt }: Scenario): void {
  console.log(
    `Scenario of seed ${seed}: ${devices.map(({ user, skew }, index) => `dev${index + 1} of user ${user + 1}${skew === 0 ? '' : `, clock ${skew / 60_000} min off`}`).join('; ')}; heals at ${healAt / 1000} s.`,
  );
  for (const { at, id, ...event } of steps) console.log(`  ${(at / 1000).toFixed(3).padStart(9)}  #${id} ${JSON.stringify(event)}`);
}

async function printShrunk(seed: number, plant: PlantName | null): Promise<void> {
  const { scenario, outcome, plays } = await shrink(scenarioOf(seed), plant);
  console.log(`\nSeed ${seed}, shrunk in ${plays} plays to ${scenario.steps.length} steps:`);
  printScenario(scenario);
  console.log(outcome.trace.join('\n'));
  for (const broken of outcome.broken) console.log(`  broken: ${broken}`);
}

async function one(seed: number, plant: PlantName | null): Promise<boolean> {
  const scenario = scenarioOf(seed);
  const { broken, trace, commits, accepted } = await runScenario(scenario, plant);
  printScenario(scenario);
  console.log(trace.join('\n'));
  console.log(`${commits} commits, ${accepted} contents accepted.`);
  for (const what of broken) console.log(`  broken: ${what}`);
  console.log(broken.length === 0 ? 'Everything holds.' : `${broken.length} promises broken.`);
  if (broken.length > 0 && !values['no-shrink']) await printShrunk(seed, plant);
  return broken.length === 0;
}

async function many(from: number, runs: number, plant: PlantName | null): Promise<boolean> {
  const failed: number[] = [];
  let commits = 0;
  let accepted = 0;
  for (let seed = from; seed < from + runs; seed++) {
    const outcome = await runScenario(scenarioOf(seed), plant);
    commits += outcome.commits;
    accepted += outcome.accepted;
    if (outcome.broken.length === 0) continue;
    failed.push(seed);
    console.log(`seed ${seed}: ${outcome.broken[0]}${outcome.broken.length > 1 ? ` (and ${outcome.broken.length - 1} more)` : ''}`);
  }
  console.log(`${runs} seeds from ${from}: ${failed.length} failed; ${commits} commits, ${accepted} contents accepted.`);
  if (!values['no-shrink']) for (const seed of failed.slice(0, FAILURES_SHRUNK_MAX)) await printShrunk(seed, plant);
  return failed.length === 0;
}

const plant = plantNamed(values.plant);
const seed = values.seed === undefined ? null : numberOf(values.seed, 'seed');
const holds =
  seed !== null
    ? await one(seed, plant)
    : await many(numberOf(values.from, 'seed'), numberOf(values.runs ?? '100', 'number of runs'), plant);
process.exitCode = holds ? 0 : 1;
