'use client';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, Transaction } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { type RefObject, useEffect, useRef } from 'react';
import { editorTheme } from './editor-theme';
import { languageOf } from './languages';
import { changeBetween, type Text } from './text-codec';

/** What the owner can ask of the editor. */
export interface EditorHandle {
  /** The whole text with the file's own ends of lines. */
  read(): string;
  /** Another device's text takes the place of this one; not a step that Undo takes back. */
  replace(text: string): void;
  openSearch(): void;
}

export interface CodeEditorProps {
  readonly name: string;
  readonly initial: Text;
  readonly wrap: boolean;
  readonly readOnly: boolean;
  /** Code has numbered lines, prose has none. */
  readonly numbers: boolean;
  readonly handle: RefObject<EditorHandle | null>;
  /** After every change a person made. */
  readonly onEdit: () => void;
  /** After `handle.replace`, and once the editor stands. */
  readonly onReplaced: () => void;
  readonly onBlur: () => void;
}

/** CodeMirror, once per open file. What changes after that goes through compartments and the handle. */
export function CodeEditor({ name, initial, wrap, readOnly, numbers, handle, onEdit, onReplaced, onBlur }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const parts = useRef({ wrap: new Compartment(), readOnly: new Compartment(), language: new Compartment() });
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ onEdit, onReplaced, onBlur });
  latest.current = { onEdit, onReplaced, onBlur };

  // biome-ignore lint/correctness/useExhaustiveDependencies: one editor per file; later changes come through the effects below and the handle.
  useEffect(() => {
    if (host.current === null) return;
    const { lineEnd } = initial;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        // Split by hand: left alone it would take every kind of line end for one and write back another.
        doc: EditorState.create({ extensions: EditorState.lineSeparator.of(lineEnd) }).toText(initial.text),
        extensions: [
          EditorState.lineSeparator.of(lineEnd),
          EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?|\n/g, lineEnd)),
          numbers ? lineNumbers() : [],
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          search({ top: true }),
          keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
          EditorView.contentAttributes.of({ 'aria-label': `Text of ${name}`, spellcheck: numbers ? 'false' : 'true', tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && update.transactions.some((one) => one.annotation(Transaction.remote) !== true))
              latest.current.onEdit();
          }),
          EditorView.domEventHandlers({ blur: () => latest.current.onBlur() }),
          parts.current.wrap.of(wrap ? EditorView.lineWrapping : []),
          parts.current.readOnly.of(locked(readOnly)),
          parts.current.language.of([]),
          editorTheme,
        ],
      }),
    });
    view.current = made;
    handle.current = {
      read: () => made.state.sliceDoc(),
      replace: (text) => {
        const { state } = made;
        // Offsets of the editor count an end of line as one character.
        const plain = (whole: string): string => (lineEnd === '\n' ? whole : whole.replaceAll(lineEnd, '\n'));
        const { from, to, insert } = changeBetween(state.doc.toString(), plain(text));
        const changes = { from, to, insert: insert.replaceAll('\n', lineEnd) };
        made.dispatch({ changes, annotations: [Transaction.remote.of(true), Transaction.addToHistory.of(false)] });
        latest.current.onReplaced();
      },
      openSearch: () => {
        made.focus();
        searchKeymap.find(({ key }) => key === 'Mod-f')?.run?.(made);
      },
    };
    latest.current.onReplaced();
    let closed = false;
    languageOf(name).then(
      (language) => {
        if (!closed && language !== null) made.dispatch({ effects: parts.current.language.reconfigure(language) });
      },
      // Without colours it is still the text.
      (error: unknown) => console.warn(error),
    );
    return () => {
      closed = true;
      handle.current = null;
      made.destroy();
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.wrap.reconfigure(wrap ? EditorView.lineWrapping : []) });
  }, [wrap]);
  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.readOnly.reconfigure(locked(readOnly)) });
  }, [readOnly]);
  return <div ref={host} data-editor className="min-h-0 min-w-0 flex-1 overflow-hidden" />;
}

function locked(readOnly: boolean) {
  // Not editable by keys, but still a place for the focus, the selection and the search.
  return [EditorState.readOnly.of(readOnly), EditorView.contentAttributes.of({ 'aria-readonly': String(readOnly) })];
}
