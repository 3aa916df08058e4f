import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Accessibility faults of the page as it stands that axe calls serious or critical, as “rule: element”. */
export async function seriousFaults(page: Page): Promise<readonly string[]> {
  // Through the debugger: the page's own policy lets no foreign script in.
  await page.evaluate(SOURCE);
  // What is still fading in has no contrast yet: nothing begins to fade any more, and what has begun ends now.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
  });
  return page.evaluate(async () => {
    interface Finding {
      readonly id: string;
      readonly impact: string | null;
      readonly nodes: readonly { readonly target: readonly unknown[] }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: readonly Finding[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  });
}
