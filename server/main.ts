import { setFlagsFromString } from 'node:v8';
import { ConfigProblem, readConfig } from './config';
import { StartProblem } from './http/http-server';
import { type RunningServer, startServer } from './start-server';

/** The command line of the server: `--dev` for developers. Ends with 0 when stopped, 1 when it cannot start, 2 when it is told something wrong. */
async function main(): Promise<void> {
  // Every read of a connection holds 64 KiB outside of V8's heap, and V8 answers some 40 MiB of them by marking the whole heap step by
  // step beside the work: a third of the processor time of an upload. Without steps the short collections of young objects suffice;
  // the rare full one takes 20 ms for our heap of 50 MB.
  setFlagsFromString('--no-incremental-marking');
  const config = readConfig(process.env);
  const server = await startServer(config, { dev: process.argv.includes('--dev') });
  stopOnSignals(server);
  const ready = { ready: true, url: config.publicUrl ?? server.url };
  if (process.send) process.send(ready);
  else process.stdout.write(`${JSON.stringify(ready)}\n`);
}

function stopOnSignals(server: RunningServer): void {
  const stop = () => {
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The start script that watches over us is gone, and the database with it.
  process.on('disconnect', stop);
}

main().catch((error: unknown) => {
  const forPeople = error instanceof ConfigProblem || error instanceof StartProblem;
  console.error(forPeople ? `Satchel cannot start: ${error.message}` : error);
  process.exit(error instanceof ConfigProblem ? 2 : 1);
});
