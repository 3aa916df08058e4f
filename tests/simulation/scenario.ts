import { Chance } from './chance';

export const ACTS = [
  'new_folder',
  'new_file',
  'edit',
  'rename',
  'move',
  'copy',
  'delete',
  'restore',
  'undo',
  'cancel_upload',
  'pause_uploads',
] as const;
export type ActKind = (typeof ACTS)[number];

/** Where in a write a machine dies: before it, in it (nothing of it may remain), or after it and before anybody hears of it. */
export type CrashPhase = 'before' | 'inside' | 'after';

export type Event =
  | { readonly kind: 'act'; readonly device: number; readonly act: ActKind }
  /** No connection at all for so long. */
  | { readonly kind: 'partition'; readonly device: number; readonly lasts: number }
  /** Messages meet these fates with these probabilities, for so long. */
  | ({ readonly kind: 'weather'; readonly device: number; readonly lasts: number } & Fates)
  /** `writes` null: at once; else in that write from now on. */
  | { readonly kind: 'crash'; readonly device: number; readonly down: number; readonly writes: number | null; readonly phase: CrashPhase }
  | { readonly kind: 'server_crash'; readonly down: number; readonly writes: number | null; readonly phase: CrashPhase }
  /** The leading tab closes, another takes over. */
  | { readonly kind: 'handover'; readonly device: number }
  /** The block server forgets chunks that nothing refers to. */
  | { readonly kind: 'collect_chunks' };

/** Probabilities. */
export interface Fates {
  readonly dropped: number;
  readonly repliesLost: number;
  readonly duplicated: number;
  readonly slow: number;
}

/** One thing that happens by the scenario's will. */
export type Step = Event & {
  /** Decides the chance within the step, so that leaving other steps out does not change this one. */
  readonly id: number;
  /** Milliseconds since the beginning. */
  readonly at: number;
};

export interface DevicePlan {
  readonly user: number;
  /** Milliseconds that its clock is off. */
  readonly skew: number;
}

/** Everything a run is decided by. */
export interface Scenario {
  readonly seed: number;
  readonly devices: readonly DevicePlan[];
  readonly steps: readonly Step[];
  /** When all faults end, in milliseconds since the beginning. */
  readonly healAt: number;
}

const MINUTE = 60_000;

/** How rough a seed is; picked by chance. Calm ones are there because a fault hides what is wrong without faults. */
const MOODS = [
  { name: 'calm', partitions: 0, weather: 0, crashes: 0 },
  { name: 'apart', partitions: 4, weather: 0, crashes: 0 },
  { name: 'stormy', partitions: 1, weather: 4, crashes: 0 },
  { name: 'crashing', partitions: 1, weather: 1, crashes: 5 },
  { name: 'everything', partitions: 3, weather: 3, crashes: 4 },
] as const;

const WEIGHTED: readonly ActKind[] = [
  ...Array<ActKind>(3).fill('new_folder'),
  ...Array<ActKind>(5).fill('new_file'),
  ...Array<ActKind>(8).fill('edit'),
  ...Array<ActKind>(3).fill('rename'),
  ...Array<ActKind>(4).fill('move'),
  ...Array<ActKind>(2).fill('copy'),
  ...Array<ActKind>(3).fill('delete'),
  ...Array<ActKind>(2).fill('restore'),
  ...Array<ActKind>(2).fill('undo'),
  'cancel_upload',
  'pause_uploads',
];

/** The scenario of a seed. */
export function scenarioOf(seed: number): Scenario {
  const chance = new Chance(`scenario ${seed}`);
  const users = chance.happens(0.2) ? 2 : 1;
  const devices: DevicePlan[] = Array.from({ length: chance.between(2, users === 1 ? 4 : 5) }, (_, index) => ({
    user: index < users ? index : chance.between(0, users - 1),
    skew: chance.happens(0.5) ? 0 : chance.between(-48 * 60, 48 * 60) * MINUTE,
  }));
  const mood = chance.pick(MOODS);
  const healAt = chance.between(1, 4) * MINUTE;
  const steps: Step[] = [];
  const add = (at: number, event: Event) => steps.push({ ...event, at, id: steps.length });
  const device = () => chance.between(0, devices.length - 1);
  const at = () => chance.between(500, healAt - 1_000);
  const times = (most: number) => (most === 0 ? 0 : chance.between(1, most));
  for (let wishes = chance.between(8, 40); wishes > 0; wishes--) {
    // Half of the wishes come soon after another one: what meets is what breaks.
    const last = steps[steps.length - 1];
    const soon = last !== undefined && chance.happens(0.5) ? Math.min(healAt - 1_000, last.at + chance.between(1, 3_000)) : at();
    add(soon, { kind: 'act', device: device(), act: chance.pick(WEIGHTED) });
  }
  for (let n = times(mood.partitions); n > 0; n--) add(at(), { kind: 'partition', device: device(), lasts: chance.between(5_000, healAt) });
  for (let n = times(mood.weather); n > 0; n--) {
    const rate = (most: number) => (chance.happens(0.6) ? most * chance.fraction() : 0);
    const fates = { dropped: rate(0.3), repliesLost: rate(0.4), duplicated: rate(0.4), slow: rate(0.4) };
    add(at(), { kind: 'weather', device: device(), lasts: chance.between(10_000, 2 * MINUTE), ...fates });
  }
  const acts = steps.filter((step) => step.kind === 'act');
  for (let n = times(mood.crashes); n > 0; n--) {
    // Mostly in the middle of what a wish sets off: a machine that dies while it rests loses nothing.
    const act = chance.happens(0.8) ? chance.pick(acts) : null;
    const [when, whose] = act === null ? [at(), device()] : [act.at + chance.between(-10, 20), act.device];
    const writes = chance.happens(0.8) ? chance.pick([1, 1, 2, 3, 4, 6]) : null;
    const how = { down: chance.between(500, 40_000), writes, phase: chance.pick(['before', 'inside', 'after'] as const) };
    const roll = chance.fraction();
    if (roll < 0.6) add(when, { kind: 'crash', device: whose, ...how });
    else if (roll < 0.85) add(when, { kind: 'server_crash', ...how });
    else add(when, { kind: 'handover', device: whose });
  }
  if (chance.happens(0.3))
    for (let n = chance.between(1, 4); n > 0; n--) add(chance.pick(acts).at + chance.between(50, 400), { kind: 'collect_chunks' });
  return { seed, devices, steps: steps.sort((a, b) => a.at - b.at || a.id - b.id), healAt };
}
