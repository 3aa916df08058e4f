'use client';
import DOMPurify, { type Config } from 'dompurify';
import { Marked } from 'marked';
import { useDeferredValue, useMemo } from 'react';

const marked = new Marked({ gfm: true, breaks: false });

/**
 * Formatting, links, lists, tables; nothing that runs, loads, submits or styles. Pictures of other servers would tell those servers who
 * reads the file: they are left out, as their text.
 */
const ALLOWED: Config = {
  ALLOWED_TAGS:
    'a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i input ins kbd li mark ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul'.split(
      ' ',
    ),
  ALLOWED_ATTR: ['href', 'title', 'align', 'colspan', 'rowspan', 'start', 'type', 'checked', 'disabled', 'open'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: false,
};

/** Where links may lead. */
const LINKS = /^(?:https?:\/\/|mailto:|#)/i;

/** Markdown as HTML that is safe to show: a page made of a person's own file, or of somebody else's. */
export function safeHtml(markdown: string): string {
  const fragment = DOMPurify.sanitize(marked.parse(markdown, { async: false }), { ...ALLOWED, RETURN_DOM_FRAGMENT: true });
  for (const link of fragment.querySelectorAll('a')) {
    // A path would lead somewhere on this server, where the person is signed in.
    if (!LINKS.test(link.getAttribute('href') ?? '')) link.removeAttribute('href');
    link.setAttribute('target', '_blank');
    link.setAttribute('rel', 'noopener noreferrer nofollow');
  }
  for (const box of fragment.querySelectorAll('input')) {
    // Check boxes of task lists are the only ones, and show a state.
    if (box.getAttribute('type') !== 'checkbox') box.remove();
    else {
      box.setAttribute('disabled', '');
      box.setAttribute('aria-label', box.hasAttribute('checked') ? 'Done' : 'Not done');
    }
  }
  const holder = document.createElement('div');
  holder.append(fragment);
  return holder.innerHTML;
}

/** The formatted view of a Markdown text; follows typing when there is time for it. */
export function MarkdownView({ text }: { readonly text: string }) {
  const calm = useDeferredValue(text);
  const html = useMemo(() => ({ __html: safeHtml(calm) }), [calm]);
  return (
    <section
      aria-label="Formatted text"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a long text must be scrollable by keyboard.
      tabIndex={0}
      className="min-h-0 min-w-0 flex-1 overflow-auto bg-surface px-8 py-6 outline-none phone:px-5"
    >
      {text.trim() === '' ? (
        <p className="text-ink-3">Nothing written yet.</p>
      ) : (
        // biome-ignore lint/security/noDangerouslySetInnerHtml: the HTML comes out of `safeHtml`, which lets through formatting only.
        <div className="prose mx-auto max-w-2xl" dangerouslySetInnerHTML={html} />
      )}
    </section>
  );
}
