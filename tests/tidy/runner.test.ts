import { describe, expect, test } from 'vitest';
import { chooseSteps, countReport } from '@/scripts/test-steps.mjs';

const report = (numPassedTests: number, numFailedTests: number, files: { status: string; assertionResults: unknown[] }[] = []) => ({
  numPassedTests,
  numFailedTests,
  testResults: files,
});

describe('the closing line of npm test', () => {
  test('adds up tests', () => {
    expect(countReport(report(3, 0), 0)).toEqual({ passed: 3, failed: 0 });
    expect(countReport(report(3, 2), 1)).toEqual({ passed: 3, failed: 2 });
  });

  test('counts a file that could not be loaded as a failure', () => {
    const files = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{}] },
    ];
    expect(countReport(report(3, 1, files), 1)).toEqual({ passed: 3, failed: 2 });
  });

  test('counts a run that failed with all tests passed, as by an error outside any test', () => {
    expect(countReport(report(3, 0), 1)).toEqual({ passed: 3, failed: 1 });
  });

  test('runs everything unless told otherwise', () => {
    expect(chooseSteps([]).map(({ name }) => name)).toEqual([
      'types',
      'lint',
      'tests without a browser',
      'build',
      'end-to-end in Chromium',
    ]);
    expect(chooseSteps(['tidy', 'unit']).map(({ name }) => name)).toEqual(['unit, tidy']);
    expect(chooseSteps(['e2e']).map(({ name }) => name)).toEqual(['build', 'end-to-end in Chromium']);
  });
});
