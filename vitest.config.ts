import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));
const alias = { '@': root.replace(/\/$/, '') };
const shared = { pool: 'forks', globalSetup: ['tests/support/postgres-global-setup.ts'] } as const;

/** `main`: everything that needs no browser. `e2e`: real Chromium against the built server; needs `npm run build` first. */
export default defineConfig({
  test: {
    // Two cores are the machine this is meant for; browsers and databases want some of them too.
    maxWorkers: 2,
    projects: [
      {
        resolve: { alias },
        test: {
          ...shared,
          name: 'main',
          include: [
            '{lib,server,workers,components,app}/**/*.test.{ts,tsx}',
            'tests/{tidy,contracts,integration,simulation,conformance}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          ...shared,
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          // One after the other: each starts its own server, database and browsers.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
