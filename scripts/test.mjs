/** `npm test`: every check there is, one after the other. `npm test -- unit tidy` runs only those; see STEP_NAMES. */
import { chooseSteps, STEP_NAMES } from './test-steps.mjs';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !STEP_NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`There is no step "${unknown.join('", "')}". There are: ${STEP_NAMES.join(', ')}.`);
  process.exit(2);
}

const total = { passed: 0, failed: 0 };
/** @type {string[]} */
const summary = [];
for (const { name, run } of chooseSteps(names)) {
  console.log(`\n── ${name} ──`);
  const began = Date.now();
  let count = { passed: 0, failed: 1 };
  try {
    count = await run();
  } catch (error) {
    console.error(error);
  }
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  summary.push(`${count.failed === 0 ? 'ok    ' : 'FAILED'}  ${name}: ${count.passed} passed, ${count.failed} failed, ${seconds} s`);
}
console.log(`\n${summary.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
