'use client';
import { type FormEvent, useEffect, useState } from 'react';
import type { EditResult, IntentResult } from '@/lib/sync/adapters/browser/engine-client-types';
import { checkName, NAME_SENTENCES, splitExtension } from '@/lib/sync/model/names';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Modal } from '../ui/modal';

interface NameDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly create: (name: string) => Promise<IntentResult | EditResult>;
}

/** Asks for the name of a new folder. Stays open with a sentence while the name cannot be used. */
export function NewFolderDialog(props: NameDialogProps) {
  return <NameDialog {...props} title="New folder" suggestion="" />;
}

/** Asks for the name of a new file, the part before the ending selected. */
export function NewFileDialog(props: NameDialogProps & { readonly suggestion: string }) {
  return <NameDialog {...props} title={props.suggestion.endsWith('.md') ? 'New Markdown file' : 'New text file'} />;
}

function NameDialog({
  open,
  onClose,
  create,
  title,
  suggestion,
}: NameDialogProps & { readonly title: string; readonly suggestion: string }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!open) return;
    setName(suggestion);
    setProblem(null);
  }, [open, suggestion]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const checked = checkName(name);
    if (!checked.ok) {
      setProblem(NAME_SENTENCES[checked.problem]);
      return;
    }
    const result = await create(checked.name);
    if (result.ok) onClose();
    else setProblem(result.sentence);
  };
  return (
    <Modal open={open} onClose={onClose} title={title} className="desk:max-w-sm">
      <form onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          value={name}
          autoFocus
          onFocus={({ currentTarget }) => currentTarget.setSelectionRange(0, splitExtension(currentTarget.value).stem.length)}
          autoComplete="off"
          problem={problem}
          onChange={(event) => {
            setName(event.target.value);
            setProblem(null);
          }}
        />
        <div className="mt-5 flex justify-end gap-2 phone:[&>button]:flex-1">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary">
            Create
          </Button>
        </div>
      </form>
    </Modal>
  );
}
