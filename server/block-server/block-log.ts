/** Where the block server tells notable things; never file names, tokens or content. The server's logger fits. */
export interface BlockLog {
  warn(event: string, detail?: Readonly<Record<string, unknown>>): void;
  error(event: string, detail?: Readonly<Record<string, unknown>>): void;
}
