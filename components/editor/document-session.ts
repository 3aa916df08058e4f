import type { DraftRow } from '@/lib/sync/adapters/browser/database';
import type { ContentBase, EditResult } from '@/lib/sync/adapters/browser/engine-client-types';

/**
 * The text of one open file on its way to safety. Every change becomes a draft within half a second (what a crash would lose), and a
 * revision once typing pauses, the focus leaves or the file is closed: not one per key, and one every half minute at the latest.
 */
export type SaveState =
  | { readonly kind: 'clean' }
  /** Typed since the last save; the draft is (or is being) kept. */
  | { readonly kind: 'dirty' }
  | { readonly kind: 'saving' }
  | { readonly kind: 'failed'; readonly sentence: string };

export interface DocumentSessionDeps {
  /** The whole text now. */
  read(): string;
  write(text: string, base: ContentBase): Promise<EditResult>;
  putDraft(draft: Pick<DraftRow, 'text' | 'base'>): Promise<void>;
  dropDraft(): Promise<void>;
  onState(state: SaveState): void;
  /** The text became a conflict copy: the file itself has other content. */
  onCopied(): void;
}

const DRAFT_MILLISECONDS = 500;
const PAUSE_MILLISECONDS = 2_000;
const REVISION_MILLISECONDS_MAX = 30_000;
const RETRY_MILLISECONDS = 10_000;

export class DocumentSession {
  readonly #deps: DocumentSessionDeps;
  #base: ContentBase;
  /** Grows with every change. */
  #changes = 0;
  #saved = 0;
  #firstUnsavedAt = 0;
  #draftTimer: ReturnType<typeof setTimeout> | null = null;
  #saveTimer: ReturnType<typeof setTimeout> | null = null;
  #drafting: Promise<void> = Promise.resolve();
  #saving: Promise<void> | null = null;
  #closed = false;

  constructor(deps: DocumentSessionDeps, base: ContentBase) {
    this.#deps = deps;
    this.#base = base;
  }

  /** The content that the text is based on. */
  get base(): ContentBase {
    return this.#base;
  }

  /** True while the text holds something that is not saved, or is being saved. */
  get busy(): boolean {
    return this.#changes !== this.#saved || this.#saving !== null;
  }

  /** True once anything was changed here. */
  get touched(): boolean {
    return this.#changes > 0;
  }

  /** The text was changed by the person. */
  changed(): void {
    if (this.#changes === this.#saved) this.#firstUnsavedAt = performance.now();
    this.#changes += 1;
    if (this.#saving === null) this.#deps.onState({ kind: 'dirty' });
    this.#draftTimer ??= setTimeout(() => this.#keepDraft(), DRAFT_MILLISECONDS);
    const left = this.#firstUnsavedAt + REVISION_MILLISECONDS_MAX - performance.now();
    this.#saveIn(Math.max(0, Math.min(PAUSE_MILLISECONDS, left)));
  }

  /** The text was replaced by content from elsewhere, which it is based on from now on. Only while not `busy`. */
  rebased(base: ContentBase): void {
    this.#base = base;
  }

  /** Saves now what is not saved; resolves when it is, or when it could not be. */
  async flush(): Promise<void> {
    if (this.#saveTimer !== null) clearTimeout(this.#saveTimer);
    this.#saveTimer = null;
    if (this.#saving !== null) await this.#saving;
    if (this.#changes === this.#saved) return;
    // Somebody else may have begun meanwhile.
    this.#saving ??= this.#save();
    await this.#saving;
  }

  /** The page may be gone in a moment: at least the draft. */
  keepDraftNow(): void {
    if (this.#changes !== this.#saved) this.#keepDraft();
  }

  /** Saves what is left, then does nothing more; what could not be saved stays a draft for the next opening. */
  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    for (const timer of [this.#saveTimer, this.#draftTimer]) if (timer !== null) clearTimeout(timer);
    if (this.#changes !== this.#saved) this.#keepDraft();
    await this.#drafting;
  }

  #saveIn(milliseconds: number): void {
    if (this.#closed) return;
    if (this.#saveTimer !== null) clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => void this.flush(), milliseconds);
  }

  #keepDraft(): void {
    if (this.#draftTimer !== null) clearTimeout(this.#draftTimer);
    this.#draftTimer = null;
    const draft = { text: this.#deps.read(), base: this.#base };
    this.#drafting = this.#drafting
      .then(() => this.#deps.putDraft(draft))
      .catch((error: unknown) => {
        console.error(error);
        this.#deps.onState({ kind: 'failed', sentence: 'This browser cannot keep what you type. It is saved when you pause.' });
      });
  }

  async #save(): Promise<void> {
    const at = this.#changes;
    this.#deps.onState({ kind: 'saving' });
    let result: EditResult;
    try {
      result = await this.#deps.write(this.#deps.read(), this.#base);
    } catch (error) {
      console.error(error);
      result = { ok: false, sentence: 'The change could not be saved on this device. It is tried again.' };
    }
    this.#saving = null;
    if (!result.ok) {
      this.#deps.onState({ kind: 'failed', sentence: result.sentence });
      this.#saveIn(RETRY_MILLISECONDS);
      return;
    }
    this.#saved = at;
    this.#base = { contentRevision: this.#base.contentRevision, digest: result.digest };
    if (this.#changes === at) {
      if (result.safe) await this.#forgetDraft();
      this.#deps.onState({ kind: 'clean' });
    } else {
      this.#firstUnsavedAt = performance.now();
      this.#deps.onState({ kind: 'dirty' });
      this.#saveIn(PAUSE_MILLISECONDS);
    }
    if (result.copied) this.#deps.onCopied();
  }

  async #forgetDraft(): Promise<void> {
    if (this.#draftTimer !== null) clearTimeout(this.#draftTimer);
    this.#draftTimer = null;
    const at = this.#changes;
    await this.#drafting;
    // Typed while the last draft was being written: that draft is needed.
    if (this.#changes !== at) return;
    this.#drafting = this.#deps.dropDraft().catch((error: unknown) => console.error(error));
    await this.#drafting;
  }
}
