import { unreachable } from '@/lib/sync/model/assert';
import type { DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { CommitReply, CommitRequest } from '@/lib/sync/protocol/commit';
import { checkBytes, checkContents, checkDevice, checkJournal, checkTree, type Told, tell } from './checks';
import { SimDevice } from './device';
import { Link } from './network';
import { Person } from './people';
import { devicePlant, type PlantName, serverPlant } from './plants';
import type { Scenario, Step } from './scenario';
import { SimServer, type Who } from './server';
import { sha256, World } from './world';

/** How a run ended. */
export interface Outcome {
  /** What did not hold; empty when everything did. */
  readonly broken: readonly string[];
  readonly trace: readonly string[];
  /** Commits in all journals: a run in which nothing happens shows nothing. */
  readonly commits: number;
  readonly accepted: number;
}

/** After the healing everything has to be quiet within this long: some back-offs of a minute in a row, and two polls. */
const SETTLE_MAX = 15 * 60_000;
const LOOK_EVERY = 5_000;

interface Run {
  readonly scenario: Scenario;
  readonly world: World;
  readonly server: SimServer;
  readonly devices: readonly SimDevice[];
  readonly people: readonly Person[];
  readonly whose: (user: number) => { readonly who: Who; readonly namespaceId: NamespaceId };
}

/** Plays a scenario to its end and says what did not hold. The same scenario gives the same trace. */
export async function runScenario(scenario: Scenario, plant: PlantName | null = null): Promise<Outcome> {
  const run = await begin(scenario, plant);
  const { world, server, devices } = run;
  for (const step of scenario.steps) world.timeline.after(step.at, () => play(run, step));
  await world.timeline.runTo(scenario.healAt);
  heal(run);
  await settle(run);
  const told: Told[] = [];
  for (const user of new Set(scenario.devices.map((one) => one.user))) {
    const { who, namespaceId } = run.whose(user);
    const one = await tell(server, who, namespaceId);
    told.push(one);
    checkJournal(one, world);
    checkTree(one, world);
    await checkBytes(one, server, world, sha256);
    for (const device of devices) if (device.user === user) await checkDevice(device, one);
  }
  const cancelled = new Set<string>();
  for (const { disk } of devices)
    for (const { id } of await disk.store.read((reading) => reading.transfersIn(['cancelled']))) cancelled.add(id);
  checkContents(told, cancelled, world);
  for (const { life } of devices.flatMap(({ session }) => session ?? [])) life.end();
  const commits = told.reduce((sum, { journal }) => sum + journal.length, 0);
  return { broken: world.broken, trace: world.trace, commits, accepted: world.accepted.size };
}

async function begin(scenario: Scenario, plant: PlantName | null): Promise<Run> {
  const world = new World(scenario.seed, plant);
  const ids = world.chance.fork('ids');
  const server = new SimServer(world, serverPlant(plant));
  const users = new Map<number, { readonly userId: UserId; readonly namespaceId: NamespaceId }>();
  for (const { user } of scenario.devices) {
    if (users.has(user)) continue;
    const account = { userId: ids.uuid() as UserId, namespaceId: ids.uuid() as NamespaceId };
    users.set(user, account);
    await server.metadata.createNamespace({ id: account.namespaceId, kind: 'root', owner: account.userId });
  }
  const account = (user: number) => users.get(user) as { userId: UserId; namespaceId: NamespaceId };
  const witness = witnessOf(world);
  const devices = scenario.devices.map(({ user, skew }, index) => {
    const name = `dev${index + 1}`;
    const { userId, namespaceId } = account(user);
    const link = new Link(world, server, name, { userId, deviceId: ids.uuid() as DeviceId }, witness);
    return new SimDevice(world, name, user, namespaceId, link, skew, devicePlant(plant));
  });
  server.onNotice = (notice) => {
    for (const { link, rootNamespaceId } of devices) if (rootNamespaceId === notice.namespaceId) link.notice(notice);
  };
  server.onDown = () => {
    for (const { link } of devices) link.breakSockets();
  };
  server.onUp = () => {
    for (const { link } of devices) link.reconnect();
  };
  for (const device of devices) device.start();
  const people = devices.map((device) => new Person(world, device));
  const whose = (user: number) => {
    const { userId, namespaceId } = account(user);
    return { who: { userId, deviceId: 'checker' as DeviceId }, namespaceId };
  };
  return { scenario, world, server, devices, people, whose };
}

/** Remembers what each request was answered: one that is applied twice, under two numbers, is a promise broken. */
function witnessOf(world: World) {
  const applied = new Map<string, number>();
  return ({ deviceId }: Who, { requestId, namespaceId }: CommitRequest, reply: CommitReply): void => {
    if (!reply.ok) return;
    const key = `${namespaceId} ${requestId}`;
    const before = applied.get(key);
    if (before !== undefined && before !== reply.seq)
      world.breaks(`request ${requestId} of ${deviceId} was applied as ${before} and as ${reply.seq}`);
    applied.set(key, reply.seq);
  };
}

function play({ devices, people, server, world }: Run, step: Step): void {
  const device = 'device' in step ? devices[step.device] : undefined;
  switch (step.kind) {
    case 'act':
      people[step.device]?.act(step.act, step.id);
      break;
    case 'partition':
      device?.link.partition(step.lasts);
      break;
    case 'weather':
      device?.link.weather(step, step.lasts);
      break;
    case 'crash':
      if (step.writes === null) device?.crash(step.down);
      else device?.arm(step.writes, step.phase, step.down);
      break;
    case 'server_crash':
      if (step.writes === null) server.crash(step.down);
      else server.arm(step.writes, step.phase, step.down);
      break;
    case 'handover':
      device?.handover();
      break;
    case 'collect_chunks':
      world.say('server', `forgets ${server.index.forgetUnnamed()} chunks`);
      break;
    default:
      unreachable(step);
  }
}

function heal({ world, server, devices, people }: Run): void {
  world.say('all', 'everything heals');
  server.disarm();
  server.start();
  devices.forEach((device, index) => {
    device.session?.life.disarm();
    device.start();
    device.link.heal();
    const { session } = device;
    if (session !== null) people[index]?.resume(session).catch((error: unknown) => world.breaks(`resuming broke: ${String(error)}`));
  });
}

/** Waits until nothing waits any more; that it never comes to rest is a promise broken. */
async function settle(run: Run): Promise<void> {
  const { timeline } = run.world;
  const latest = timeline.now + SETTLE_MAX;
  while (timeline.now < latest && !timeline.exhausted) {
    await timeline.runTo(timeline.now + LOOK_EVERY);
    if (await isQuiet(run)) return;
  }
  run.world.breaks('it does not come to rest');
}

async function isQuiet({ devices, server, whose }: Run): Promise<boolean> {
  for (const device of devices) {
    const { who, namespaceId } = whose(device.user);
    const heads = await server.metadata.namespacesOf(who.userId);
    const head = heads.find(({ id }) => id === namespaceId)?.cursor;
    const quiet = await device.disk.store.read(async (reading) => {
      const open = await reading.transfersIn(['queued', 'staging', 'staged', 'sending', 'durable'], 1);
      const cursor = (await reading.cursors()).find((one) => one.namespaceId === namespaceId)?.cursor;
      return open.length === 0 && (await reading.firstRequest()) === undefined && cursor === head;
    });
    if (!quiet || device.session === null) return false;
  }
  return true;
}
