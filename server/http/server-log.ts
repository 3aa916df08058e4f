import { type Logger, pino } from 'pino';
import type { Config } from '../config';

/** Where the server tells notable things: an event's name and details; never tokens, file names or content. */
export interface ServerLog {
  debug(event: string, detail?: Readonly<Record<string, unknown>>): void;
  info(event: string, detail?: Readonly<Record<string, unknown>>): void;
  warn(event: string, detail?: Readonly<Record<string, unknown>>): void;
  error(event: string, detail?: Readonly<Record<string, unknown>>): void;
}

/** What is told of an error: kind, code, stack; of one that came from the database client only the last line, as it repeats whole queries. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const fromPrisma = error.name.startsWith('Prisma');
  const message = fromPrisma ? error.message.trim().split('\n').at(-1) : error.message;
  return {
    name: error.name,
    code,
    message,
    ...(fromPrisma ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
  };
}

/** Lines of JSON on standard output. */
export function createServerLog(level: Config['logLevel']): ServerLog {
  const logger: Logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: describe } });
  return {
    debug: (event, detail) => logger.debug(detail ?? {}, event),
    info: (event, detail) => logger.info(detail ?? {}, event),
    warn: (event, detail) => logger.warn(detail ?? {}, event),
    error: (event, detail) => logger.error(detail ?? {}, event),
  };
}
