export interface RunningPostgres {
  /** Connection string with the password; stays valid when the supervisor starts PostgreSQL again. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on `dataDir` (made when absent) and keeps it running until `stop`.
 * As root, `dataDir` must lie in folders that others can enter; it may itself be a fresh `mkdtemp` folder.
 * Throws an Error named `Sentence` when a person has to do something first.
 */
export function startPostgres(options: { readonly dataDir: string; readonly log?: (line: string) => void }): Promise<RunningPostgres>;
