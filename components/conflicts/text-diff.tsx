'use client';
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { editorTheme } from '../editor/editor-theme';

const QUIET = { margin: 2, minSize: 6 } as const;

function sheet(label: string): Extension[] {
  return [
    editorTheme,
    lineNumbers(),
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.theme({ '.cm-content': { padding: '8px 0' }, '&': { height: 'auto' } }),
    EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
  ];
}

/** Two texts and where they differ: side by side, or in one column where there is no room. */
export function TextDiff({
  left,
  right,
  labels,
  narrow,
}: {
  readonly left: string;
  readonly right: string;
  readonly labels: readonly [string, string];
  readonly narrow: boolean;
}) {
  const host = useRef<HTMLDivElement>(null);
  const [first, second] = labels;
  useEffect(() => {
    const parent = host.current;
    if (parent === null) return;
    if (narrow) {
      const view = new EditorView({
        parent,
        doc: right,
        extensions: [
          ...sheet(`${second}, compared with ${first}`),
          unifiedMergeView({ original: left, mergeControls: false, collapseUnchanged: QUIET }),
        ],
      });
      return () => view.destroy();
    }
    const view = new MergeView({
      parent,
      a: { doc: left, extensions: sheet(first) },
      b: { doc: right, extensions: sheet(second) },
      collapseUnchanged: QUIET,
      gutter: false,
    });
    return () => view.destroy();
  }, [left, right, first, second, narrow]);
  return <div ref={host} className="max-h-[50dvh] overflow-auto rounded-md border border-line" />;
}
