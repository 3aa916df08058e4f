/** Who PostgreSQL runs as when we are root. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

export interface Binaries {
  /** Holds bin/, lib/ and share/; reachable for the user asked about. */
  readonly folder: string;
  readonly major: number;
}

export const DATABASE_NAME: string;
/** A place every user can reach, for root whose checkout lies under a closed folder such as /root. */
export const SYSTEM_FOLDER: string;
export const isRoot: boolean;
/** The user PostgreSQL runs as on that folder: null as ourselves; for root the folder's owner, else `postgres`, else `nobody`. */
export function chooseUser(clusterDir: string): RunAs | null;
/** True when `user` can enter the folder. */
export function canEnter(folder: string, user: RunAs | null): boolean;
/** Makes the folder and gives it to `user`; throws a sentence when it cannot be used. */
export function prepareDataDir(dataDir: string, user: RunAs | null): void;
export function diskFull(folder: string): Error;
/** The binaries for this machine, copied to a reachable place when `user` cannot reach node_modules. */
export function findBinaries(user: RunAs | null): Binaries;
export function postgresEnvironment(): NodeJS.ProcessEnv;
/** Makes the cluster unless it is there; resolves with the password. */
export function ensureCluster(options: {
  readonly dataDir: string;
  readonly binaries: Binaries;
  readonly user: RunAs | null;
  readonly log: (line: string) => void;
}): Promise<string>;
