/** How fast the metadata server commits: `npx tsx bench/commits.ts`. A real PostgreSQL of its own, with fsync. */
import { Pool } from 'pg';
import type { Operation } from '@/lib/sync/protocol/commit';
import { createPostgresChunkIndex } from '@/server/metadata-server/drivers/postgres-chunk-index';
import { createPostgresMetadataStore } from '@/server/metadata-server/drivers/postgres-metadata-store';
import { createFile, createFolder, newChunk, Person, writeFile } from '../tests/contracts/metadata-store-fixture';
import { migratedUrl, startTestPostgres } from '../tests/support/postgres';

const COMMITS = 10;
const OPERATIONS = 1000;
const SMALL_SECONDS = 3;

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function smallCommits(people: readonly Person[]): Promise<number> {
  const until = performance.now() + SMALL_SECONDS * 1000;
  let done = 0;
  const busy = async (person: Person) => {
    while (performance.now() < until) {
      const [chunk] = await person.stored(newChunk());
      if (!chunk) return;
      await person.commit([createFile(`small ${done}-${Math.random()}`, person.root, [chunk])]);
      done++;
    }
  };
  await Promise.all(people.map(busy));
  return Math.round(done / SMALL_SECONDS);
}

const postgres = await startTestPostgres({ durable: true });
const pool = new Pool({ connectionString: await migratedUrl(postgres.url), max: 20 });
try {
  const stores = { metadata: createPostgresMetadataStore(pool), index: createPostgresChunkIndex(pool) };
  const me = await Person.make(stores);
  const times: number[] = [];
  const records: number[] = [];
  for (let n = 0; n < COMMITS; n++) {
    const folder = await me.made(createFolder(`folder ${n}`, me.root));
    const chunks = Array.from({ length: OPERATIONS }, () => newChunk());
    records.push(await milliseconds(() => me.stored(...chunks)));
    const operations: Operation[] = chunks.map((chunk, index) => createFile(`file ${index}`, folder.id, [chunk]));
    times.push(await milliseconds(() => me.accepted(...operations)));
  }
  const shown = (list: readonly number[]) => list.map((ms) => Math.round(ms)).join(' ');
  console.log(`commit of ${OPERATIONS} new files, ms: ${shown(times)}`);
  console.log(`record of a pack of ${OPERATIONS} chunks, ms: ${shown(records)}`);
  console.log(`journal of ${COMMITS * (OPERATIONS + 1)} changes read in ms: ${Math.round(await milliseconds(() => me.journal()))}`);
  const file = await me.made(createFile('large', me.root, await me.stored(...Array.from({ length: 4000 }, () => newChunk()))));
  const next = await me.stored(newChunk());
  console.log(`write of a file of 4,000 chunks, ms: ${Math.round(await milliseconds(() => me.accepted(writeFile(file.id, 1, next))))}`);
  console.log(`small commits a second (pack recorded, one file committed), 1 person: ${await smallCommits([me])}`);
  const people = await Promise.all(Array.from({ length: 8 }, () => Person.make(stores)));
  console.log(`the same, 8 people: ${await smallCommits(people)}`);
} finally {
  await pool.end();
  await postgres.stop();
  postgres.remove();
}
