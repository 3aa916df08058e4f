import { z } from 'zod';
import { SESSION_IDLE_DAYS_MAX } from '@/lib/sync/model/limits';

/** Everything the server can be told from outside, validated. Nothing else in the server reads the environment. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Origin (`https://files.example.org`, no path) under which people reach the server; null: taken from each request. */
  readonly publicUrl: string | null;
  /** Folder of everything the server keeps on disk; absolute or relative to the working folder. */
  readonly dataDir: string;
  /** Null: nobody told; the start script then brings an embedded PostgreSQL and sets the variable. */
  readonly databaseUrl: string | null;
  readonly signUp: 'open' | 'closed';
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
  /** Reverse proxies in front of the server whose `X-Forwarded-*` headers are believed. */
  readonly trustProxy: number;
  /** A sign-in ends after this many days without use. */
  readonly sessionDays: number;
  /** Accounts that one address may make in an hour. */
  readonly signUpsPerHour: number;
  /** False: only the server's own interface, no pages; tests start in milliseconds that way. */
  readonly pages: boolean;
}

/** One variable as the README's table shows it. */
export interface ConfigVariable {
  readonly name: string;
  readonly standard: string;
  readonly meaning: string;
}

/** The documented list of all variables; the README's table is made of it. */
export const CONFIG_HELP: readonly ConfigVariable[] = [
  { name: 'PORT', standard: '4747', meaning: 'TCP port, 0 to 65535 (0: any free one).' },
  {
    name: 'HOST',
    standard: '0.0.0.0',
    meaning:
      'Address to listen on. The standard is every address, because the point of Satchel is to be reached from other devices; behind a proxy on the same machine choose 127.0.0.1.',
  },
  {
    name: 'PUBLIC_URL',
    standard: 'taken from each request',
    meaning:
      'Origin people type, such as https://files.example.org. Set it whenever a proxy stands in front: it decides which origin requests may come from, and https makes cookies Secure.',
  },
  { name: 'DATA_DIR', standard: './.data', meaning: 'Folder for packs (what files are made of) and, when it is embedded, PostgreSQL.' },
  {
    name: 'DATABASE_URL',
    standard: 'embedded PostgreSQL',
    meaning: 'postgresql://user:password@host:5432/name of a PostgreSQL 15 or newer.',
  },
  {
    name: 'SIGN_UP',
    standard: 'open',
    meaning:
      'open: everybody who reaches the page may make an account. closed: nobody, except the first account, which becomes administrator.',
  },
  { name: 'SIGN_UPS_PER_HOUR', standard: '30', meaning: 'Accounts that one network address may make in an hour, 1 to 100000.' },
  {
    name: 'SESSION_DAYS',
    standard: String(SESSION_IDLE_DAYS_MAX),
    meaning: `Days without use after which a sign-in ends, 1 to ${SESSION_IDLE_DAYS_MAX}.`,
  },
  {
    name: 'TRUST_PROXY',
    standard: '0',
    meaning: 'How many reverse proxies stand in front, 0 to 10. Their X-Forwarded-For, -Proto and -Host are believed; with 0 nobody’s are.',
  },
  { name: 'LOG_LEVEL', standard: 'info', meaning: 'fatal, error, warn, info, debug (every request) or silent.' },
  { name: 'SATCHEL_PAGES', standard: 'on', meaning: 'off: serve no pages, only the interface; for tests.' },
];

/** A variable has a value the server cannot start with. The message is a sentence for the person who starts it. */
export class ConfigProblem extends Error {
  override name = 'ConfigProblem';
  constructor(
    readonly variable: string,
    message: string,
  ) {
    super(message);
  }
}

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === ''
  );
}

function isPostgres(text: string): boolean {
  return URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
}

/** Per variable: its schema, what stands when it is absent, and how a wrong one is mended. */
const VARIABLES = {
  PORT: { schema: whole(0, 65_535), standard: '4747', mend: 'Give a whole number from 0 to 65535, for example PORT=4747.' },
  HOST: {
    schema: z.string().regex(/^[A-Za-z0-9.:-]{1,255}$/),
    standard: '0.0.0.0',
    mend: 'Give an address without scheme or port, for example HOST=127.0.0.1.',
  },
  PUBLIC_URL: {
    schema: z
      .string()
      .refine(isOrigin)
      .transform((text) => new URL(text).origin)
      .nullable(),
    standard: null,
    mend: 'Give scheme and host and nothing after them, for example PUBLIC_URL=https://files.example.org.',
  },
  DATA_DIR: {
    schema: z.string().refine((text) => !text.includes('\0')),
    standard: './.data',
    mend: 'Give the path of a folder, for example DATA_DIR=/var/lib/satchel.',
  },
  DATABASE_URL: {
    schema: z.string().refine(isPostgres).nullable(),
    standard: null,
    mend: 'Give postgresql://user:password@host:5432/name (special characters in the password percent-encoded), or leave it out for the embedded PostgreSQL.',
  },
  SIGN_UP: { schema: z.enum(['open', 'closed']), standard: 'open', mend: 'Give SIGN_UP=open or SIGN_UP=closed.' },
  SIGN_UPS_PER_HOUR: {
    schema: whole(1, 100_000),
    standard: '30',
    mend: 'Give a whole number from 1 to 100000, for example SIGN_UPS_PER_HOUR=30.',
  },
  SESSION_DAYS: {
    schema: whole(1, SESSION_IDLE_DAYS_MAX),
    standard: String(SESSION_IDLE_DAYS_MAX),
    mend: `Give a whole number of days from 1 to ${SESSION_IDLE_DAYS_MAX}, for example SESSION_DAYS=30.`,
  },
  TRUST_PROXY: { schema: whole(0, 10), standard: '0', mend: 'Give the number of proxies in front, 0 to 10, for example TRUST_PROXY=1.' },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']),
    standard: 'info',
    mend: 'Give one of fatal, error, warn, info, debug, silent.',
  },
  SATCHEL_PAGES: { schema: z.enum(['on', 'off']), standard: 'on', mend: 'Give SATCHEL_PAGES=on or SATCHEL_PAGES=off.' },
} as const;

type Variables = typeof VARIABLES;
type Env = Readonly<Record<string, string | undefined>>;

function read<N extends keyof Variables>(env: Env, name: N): z.output<Variables[N]['schema']> {
  // An empty value is what shells and compose files leave when they mean “not set”.
  const given = env[name]?.trim() || null;
  const { schema, standard, mend } = VARIABLES[name];
  const parsed = schema.safeParse(given ?? standard);
  if (parsed.success) return parsed.data as z.output<Variables[N]['schema']>;
  // A connection string may hold a password: it is not repeated.
  const shown = name === 'DATABASE_URL' ? 'is not the address of a PostgreSQL database' : `is “${given}”, which cannot be used`;
  throw new ConfigProblem(name, `${name} ${shown}. ${mend}`);
}

/** Reads and checks all variables; throws `ConfigProblem` for the first wrong one. */
export function readConfig(env: Env): Config {
  return {
    port: read(env, 'PORT'),
    host: read(env, 'HOST'),
    publicUrl: read(env, 'PUBLIC_URL'),
    dataDir: read(env, 'DATA_DIR'),
    databaseUrl: read(env, 'DATABASE_URL'),
    signUp: read(env, 'SIGN_UP'),
    signUpsPerHour: read(env, 'SIGN_UPS_PER_HOUR'),
    sessionDays: read(env, 'SESSION_DAYS'),
    trustProxy: read(env, 'TRUST_PROXY'),
    logLevel: read(env, 'LOG_LEVEL'),
    pages: read(env, 'SATCHEL_PAGES') === 'on',
  };
}
