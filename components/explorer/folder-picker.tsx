'use client';
import { clsx } from 'clsx';
import { ChevronRight, FolderPlus, HardDrive, Search } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import { pathTo, searchNames } from '@/lib/sync/adapters/browser/read-model';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { subfolders } from '../data/folders';
import { useWatched } from '../data/use-watched';
import { useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { FileIcon } from '../ui/file-icon';
import { Modal } from '../ui/modal';

export interface FolderPickerProps {
  readonly open: boolean;
  readonly title: string;
  /** “Move here”, “Copy here”. */
  readonly verb: string;
  /** These and what stands in them cannot be chosen. */
  readonly excluded: ReadonlySet<EntryId>;
  readonly onClose: () => void;
  readonly onPick: (parentId: EntryId) => void;
}

/** A tree of folders to choose from, with a search over all of them. */
export function FolderPicker({ open, title, verb, excluded, onClose, onPick }: FolderPickerProps) {
  const { me, client, database } = useSession();
  const root = rootOf(me.rootNamespaceId);
  const [chosen, setChosen] = useState<EntryId>(root);
  const [expanded, setExpanded] = useState<ReadonlySet<EntryId>>(new Set([root]));
  const [query, setQuery] = useState('');
  const [naming, setNaming] = useState<string | null>(null);
  useEffect(() => {
    if (!open) return;
    setChosen(root);
    setExpanded(new Set([root]));
    setQuery('');
    setNaming(null);
  }, [open, root]);
  const toggle = (id: EntryId): void => {
    const next = new Set(expanded);
    if (!next.delete(id)) next.add(id);
    setExpanded(next);
  };
  const createInside = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const result = await client.createFolder(chosen, naming ?? '');
    if (!result.ok) return;
    setExpanded(new Set([...expanded, chosen]));
    setNaming(null);
    const [made] = result.entryIds;
    if (made !== undefined) setChosen(made);
  };
  const found = useWatched(
    async () => {
      const rows = (await searchNames(database, query, 60)).filter((row) => row.kind === 'folder');
      const paths = await Promise.all(rows.map((row) => pathTo(database, row.id)));
      return rows
        .map((row, index) => ({ row, path: paths[index] ?? [] }))
        .filter(({ path }) => !path.some((above) => excluded.has(above.id)));
    },
    { database, tables: ['entries'], key: `picker ${open} ${query}`, interval: 500 },
  );
  return (
    <Modal
      open={open}
      onClose={onClose}
      title={title}
      className="desk:max-w-lg"
      footer={
        <>
          {naming === null && (
            <Button look="quiet" className="desk:mr-auto" onClick={() => setNaming('')}>
              <FolderPlus aria-hidden className="size-4" />
              New folder
            </Button>
          )}
          <Button look="primary" onClick={() => onPick(chosen)}>
            {verb}
          </Button>
        </>
      }
    >
      <div className="relative mb-3">
        <Search aria-hidden className="absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3" />
        <input
          type="search"
          aria-label="Search folders"
          placeholder="Search folders"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          className="h-10 w-full rounded-md bg-sunken pr-3 pl-9 outline-none placeholder:text-ink-3 focus:ring-2 focus:ring-accent"
        />
      </div>
      <div className="h-72 overflow-y-auto rounded-md border border-line p-1.5 phone:h-[46dvh]">
        {query.trim() === '' ? (
          <ul aria-label="Folders">
            <Branch id={root} name="Files" depth={0} {...{ chosen, expanded, excluded, toggle }} choose={setChosen} />
          </ul>
        ) : (
          <ul aria-label="Folders found">
            {found?.map(({ row, path }) => (
              <li key={row.id}>
                <PickLine
                  chosen={chosen === row.id}
                  onChoose={() => setChosen(row.id)}
                  row={row}
                  note={['Files', ...path.slice(0, -1).map((above) => above.name)].join(' / ')}
                />
              </li>
            ))}
            {found?.length === 0 && <li className="p-6 text-center text-ink-3">No folder has this name.</li>}
          </ul>
        )}
      </div>
      {naming !== null && (
        <form className="mt-3 flex gap-2" onSubmit={(event) => void createInside(event)}>
          <input
            aria-label="Name of the new folder"
            placeholder="Name of the new folder"
            // biome-ignore lint/a11y/noAutofocus: the person just asked for this field.
            autoFocus
            value={naming}
            onChange={(event) => setNaming(event.target.value)}
            className="h-9 min-w-0 flex-1 rounded-md border border-edge bg-surface px-3 outline-none focus:border-accent"
          />
          <Button type="submit">Create</Button>
        </form>
      )}
    </Modal>
  );
}

interface PickLineProps {
  readonly chosen: boolean;
  readonly onChoose: () => void;
  readonly row: Pick<EntryRow, 'kind' | 'name'>;
  readonly note?: string;
}

function PickLine({ chosen, onChoose, row, note }: PickLineProps) {
  return (
    <button
      type="button"
      aria-pressed={chosen}
      className={clsx(
        'flex w-full min-w-0 items-center gap-2.5 rounded-md px-2 py-1.5 text-left',
        chosen ? 'bg-accent-soft text-accent-ink' : 'hover:bg-hover',
      )}
      onClick={onChoose}
    >
      <FileIcon entry={row} className="size-5" />
      <span className="flex min-w-0 flex-col">
        <span className="truncate">{row.name}</span>
        {note && <span className="truncate text-ink-3 text-xs">{note}</span>}
      </span>
    </button>
  );
}

interface BranchProps {
  readonly id: EntryId;
  readonly name: string;
  readonly depth: number;
  readonly chosen: EntryId;
  readonly expanded: ReadonlySet<EntryId>;
  readonly excluded: ReadonlySet<EntryId>;
  readonly choose: (id: EntryId) => void;
  readonly toggle: (id: EntryId) => void;
}

function Branch(props: BranchProps) {
  const { id, name, depth, chosen, expanded, excluded, choose, toggle } = props;
  const { database } = useSession();
  const isOpen = expanded.has(id);
  const children = useWatched(() => subfolders(database, id), { database, tables: ['entries'], key: id, interval: 400 });
  const inside = children?.filter((row) => !excluded.has(row.id)) ?? [];
  return (
    <li>
      <div
        className={clsx('flex items-center rounded-md', chosen === id ? 'bg-accent-soft text-accent-ink' : 'hover:bg-hover')}
        style={{ paddingLeft: depth * 18 }}
      >
        <button
          type="button"
          tabIndex={inside.length > 0 ? 0 : -1}
          aria-label={`Folders in ${name}`}
          aria-expanded={isOpen}
          className={clsx('flex size-8 shrink-0 items-center justify-center rounded-md text-ink-3', inside.length === 0 && 'invisible')}
          onClick={() => toggle(id)}
        >
          <ChevronRight aria-hidden className={clsx('size-4 transition-transform', isOpen && 'rotate-90')} />
        </button>
        <button
          type="button"
          aria-pressed={chosen === id}
          className="flex min-w-0 flex-1 items-center gap-2.5 py-1.5 pr-2 text-left"
          onClick={() => choose(id)}
          onDoubleClick={() => toggle(id)}
        >
          {depth === 0 ? (
            <HardDrive aria-hidden className="size-5 shrink-0 text-accent" strokeWidth={1.7} />
          ) : (
            <FileIcon entry={{ kind: 'folder', name }} className="size-5" />
          )}
          <span className="truncate">{name}</span>
        </button>
      </div>
      {isOpen && inside.length > 0 && (
        <ul>
          {inside.map((row) => (
            <Branch {...props} key={row.id} id={row.id} name={row.name} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  );
}
