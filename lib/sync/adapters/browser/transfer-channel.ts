import type { UserId } from '../../model/ids';

/** What the parts of one account's client tell each other across tabs and workers. A lost message costs delay only. */
export type TransferMessage =
  /** A new row in `staged` for this segment (null: none), and the transfers whose rows changed with it; `bare` are those of them without a byte there. */
  | { readonly kind: 'staged'; readonly segment: string | null; readonly ids: readonly string[]; readonly bare: readonly string[] }
  /** Rows of `transfers` were written by a person's wish or by a commit (paused, resumed, cancelled, retried, done): look at them again. */
  | { readonly kind: 'changed'; readonly ids: readonly string[] | 'all' }
  /** Transfers that were committed: nothing of them is needed any more. */
  | { readonly kind: 'done'; readonly ids: readonly string[] }
  /** Transfers whose every chunk is on the server: ready to be committed. */
  | { readonly kind: 'durable'; readonly ids: readonly string[] }
  /** A file that could not be staged and is sent straight from where it is. */
  | { readonly kind: 'memory_file'; readonly segment: string; readonly file: File }
  /** Asks every intake to tell its `memory_file`s again. */
  | { readonly kind: 'memory_files_wanted' };

/**
 * One ear and mouth on the account's channel. Reaches every other TransferChannel of the account, in this thread, in other
 * workers and in other tabs; never the one that spoke.
 */
export class TransferChannel {
  private readonly channel: BroadcastChannel;

  constructor(userId: UserId) {
    this.channel = new BroadcastChannel(`satchel-transfers-${userId}`);
  }

  say(message: TransferMessage): void {
    this.channel.postMessage(message);
  }

  listen(listener: (message: TransferMessage) => void): void {
    this.channel.onmessage = (event: MessageEvent<TransferMessage>) => listener(event.data);
  }

  close(): void {
    this.channel.close();
  }
}
