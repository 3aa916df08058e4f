import { liveQuery, type Subscription } from 'dexie';
import type { UserId } from '../../model/ids';
import { askForDrain, BACKGROUND_SYNC_KEY, hasSendable } from './background-sync';
import type { SatchelDatabase } from './database';

/** A wake-up is used up while a page works; asked for again now and then, a crash of the page finds one waiting. */
const REMIND_MILLISECONDS = 5 * 60_000;

/**
 * A page's part: whenever something is queued the browser is asked to go on without us, and again when the page is hidden or left,
 * because a wake-up that came while a page was working is used up. Writes the browser's answer to `settings`.
 */
export class DrainReminder {
  readonly #database: SatchelDatabase;
  readonly #userId: UserId;
  readonly #watching: Subscription;
  readonly #timer: ReturnType<typeof setInterval>;
  #registration: ServiceWorkerRegistration | null = null;
  #waiting = false;
  #closed = false;
  #promised: boolean | null = null;
  readonly #onHidden = (): void => {
    if (document.visibilityState === 'hidden') this.#remind();
  };
  readonly #onLeave = (): void => this.#remind();

  constructor(database: SatchelDatabase, userId: UserId) {
    this.#database = database;
    this.#userId = userId;
    this.#watching = liveQuery(() => hasSendable(database)).subscribe({
      next: (waiting) => {
        const begins = waiting && !this.#waiting;
        this.#waiting = waiting;
        if (begins) this.#remind();
      },
      // The database is closed under it at sign-out.
      error: () => undefined,
    });
    this.#timer = setInterval(() => this.#remind(), REMIND_MILLISECONDS);
    document.addEventListener('visibilitychange', this.#onHidden);
    window.addEventListener('pagehide', this.#onLeave);
    // Held, because a page that is being left has no time to wait for it.
    navigator.serviceWorker?.ready.then(
      (registration) => {
        this.#registration = registration;
        this.#remind();
      },
      () => undefined, // Private modes have none: nothing goes on without a page there.
    );
  }

  close(): void {
    this.#closed = true;
    this.#watching.unsubscribe();
    clearInterval(this.#timer);
    document.removeEventListener('visibilitychange', this.#onHidden);
    window.removeEventListener('pagehide', this.#onLeave);
  }

  #remind(): void {
    if (!this.#waiting || this.#registration === null) return;
    void askForDrain(this.#registration, this.#userId).then((promised) => this.#note(promised));
  }

  async #note(promised: boolean): Promise<void> {
    if (this.#closed || this.#promised === promised) return;
    this.#promised = promised;
    // Only a sentence in the tray depends on it.
    await this.#database.settings.put({ key: BACKGROUND_SYNC_KEY, value: promised }).catch(() => undefined);
  }
}
