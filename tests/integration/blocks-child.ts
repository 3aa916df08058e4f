import { startBlockServer } from './blocks-harness';

/** A block server in a process of its own, to be killed. Arguments: data folder, port, role as “user namespace”, `hang` to stop before storing. */
const [dataDir = '', port = '0', role = '', mode = ''] = process.argv.slice(2);
const under = await startBlockServer(dataDir, Number(port));
under.metadata.roles.set(role, 'owner');
if (mode === 'hang') {
  under.index.onKnown = () => {
    console.log('verified');
    return new Promise(() => undefined);
  };
}
console.log(`listening ${under.origin}`);
