import { Dexie } from 'dexie';
import type { SatchelDatabase } from './database';

type TableName = SatchelDatabase['tables'][number]['name'];

/** Calls `onChange` after every change of these tables, from any tab or worker of this profile; often, and without saying what. Returns how to end it. */
export function onTablesChanged(database: SatchelDatabase, tables: readonly TableName[], onChange: () => void): () => void {
  const prefixes = tables.map((table) => `idb://${database.name}/${table}/`);
  const listen = (parts: Readonly<Record<string, unknown>>): void => {
    // `all` stands for “anything may have changed”.
    if (Object.keys(parts).some((part) => part === 'all' || prefixes.some((prefix) => part.startsWith(prefix)))) onChange();
  };
  Dexie.on.storagemutated.subscribe(listen);
  return () => Dexie.on.storagemutated.unsubscribe(listen);
}
