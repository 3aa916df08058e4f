import { describe, expect, test } from 'vitest';
import { CONFIG_HELP, ConfigProblem, readConfig } from './config';

function problemOf(env: Record<string, string>): ConfigProblem {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigProblem) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`);
}

describe('configuration', () => {
  test('has a value for everything when nothing is set, and takes empty for not set', () => {
    const config = readConfig({ PORT: '', PUBLIC_URL: ' ' });
    expect(config).toMatchObject({
      port: 4747,
      host: '0.0.0.0',
      publicUrl: null,
      databaseUrl: null,
      signUp: 'open',
      sessionDays: 60,
      trustProxy: 0,
      pages: true,
    });
  });

  test('reads what is set', () => {
    const config = readConfig({
      PORT: '80',
      PUBLIC_URL: 'https://files.example.org/',
      SIGN_UP: 'closed',
      DATABASE_URL: 'postgres://u:p@h/d',
      TRUST_PROXY: '2',
    });
    expect(config).toMatchObject({
      port: 80,
      publicUrl: 'https://files.example.org',
      signUp: 'closed',
      databaseUrl: 'postgres://u:p@h/d',
      trustProxy: 2,
    });
  });

  test.each([
    ['PORT', '70000'],
    ['PORT', '80a'],
    ['HOST', 'http://localhost'],
    ['PUBLIC_URL', 'files.example.org'],
    ['PUBLIC_URL', 'https://example.org/satchel'],
    ['PUBLIC_URL', 'ftp://example.org'],
    ['DATABASE_URL', 'mysql://a/b'],
    ['SIGN_UP', 'yes'],
    ['SIGN_UPS_PER_HOUR', '0'],
    ['SESSION_DAYS', '61'],
    ['TRUST_PROXY', '-1'],
    ['LOG_LEVEL', 'loud'],
    ['SATCHEL_PAGES', '1'],
  ])('%s=%s stops the start with a sentence that names it and mends it', (name, value) => {
    const problem = problemOf({ [name]: value });
    expect(problem.variable).toBe(name);
    expect(problem.message.startsWith(name)).toBe(true);
    expect(problem.message).toMatch(/Give .+\.$/s);
  });

  test('a password in DATABASE_URL is not repeated', () => {
    expect(problemOf({ DATABASE_URL: 'mysql://me:secret@h/d' }).message).not.toContain('secret');
  });

  test('every variable that is read is documented, with the standard it really has', () => {
    const read: string[] = [];
    readConfig(new Proxy({}, { get: (_, name) => void read.push(String(name)) }));
    expect(CONFIG_HELP.map((variable) => variable.name).sort()).toEqual([...new Set(read)].sort());
    for (const { name, standard } of CONFIG_HELP) {
      if (/ /.test(standard)) continue;
      expect(readConfig({ [name]: standard }), name).toEqual(readConfig({}));
    }
  });
});
