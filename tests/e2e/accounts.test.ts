import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { enterAccount, PASSWORD } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('accounts and devices in the browser', () => {
  let satchel: Satchel;
  const profiles: Profile[] = [];
  const device = async (): Promise<{ profile: Profile; page: Page }> => {
    const profile = newProfile();
    profiles.push(profile);
    return { profile, page: await profile.open() };
  };
  beforeAll(async () => {
    satchel = await startSatchel();
  });
  afterAll(async () => {
    for (const profile of profiles) await profile.remove();
    await satchel.stop();
  });

  test('the first person signs up, signs out, and is told when the password is wrong', async () => {
    const { page } = await device();
    await enterAccount(page, satchel.url, 'ada@example.org');
    const cookies = await page.context().cookies();
    expect(cookies.length).toBeGreaterThan(0);
    expect(cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === 'Lax')).toBe(true);
    await page.getByRole('button', { name: /account/i }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('E-mail').waitFor();
    await page.getByLabel('E-mail').fill('ada@example.org');
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The e-mail address or the password is wrong.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'New', exact: true }).waitFor();
  });

  test('a second device is listed by a name a person recognises, and is out at once when revoked', async () => {
    const first = await device();
    await enterAccount(first.page, satchel.url, 'grace@example.org');
    const second = await device();
    await enterAccount(second.page, satchel.url, 'grace@example.org', { signIn: true });
    await first.page.goto(`${satchel.url}/devices`);
    await first.page.getByText('This device', { exact: false }).first().waitFor();
    expect(await first.page.getByText('Chrom', { exact: false }).count()).toBeGreaterThanOrEqual(2);
    await first.page
      .getByRole('button', { name: /^Revoke/ })
      .first()
      .click();
    await first.page
      .getByRole('alertdialog')
      .or(first.page.getByRole('dialog'))
      .getByRole('button', { name: /^(Revoke|Sign out)/ })
      .click();
    await second.page.getByText('signed out', { exact: false }).first().waitFor({ timeout: 10_000 });
    const answer = await second.page.evaluate(async () => {
      const response = await fetch('/api/v1/accounts/me');
      return { status: response.status, body: (await response.json()) as { error: { code: string } } };
    });
    expect(answer.status).toBe(401);
    expect(answer.body.error.code).toBe('device_revoked');
  });

  test('a session cookie is nothing that a page script can read', async () => {
    const { page } = await device();
    await enterAccount(page, satchel.url, 'alan@example.org');
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });
});
