import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What does not come in this time never comes, however busy the machine is. */
const WAIT_MS = 1_200_000;

/** A page of the explorer, and what was wrong on it. */
export class Visit {
  /** Console errors, exceptions, and requests to anywhere else. */
  readonly faults: string[] = [];

  private constructor(
    url: string,
    readonly page: Page,
  ) {
    const base = new URL(url).origin;
    page.setDefaultTimeout(WAIT_MS);
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(base) && !url.startsWith('blob:')) this.faults.push(`request to ${url}`);
    });
  }

  /** `held`: until then no events reach the page. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
    held?: Promise<void>,
  ): Promise<Visit> {
    const context = await browser.newContext({ locale: 'en-US', acceptDownloads: true, ...options });
    const visit = new Visit(url, await context.newPage());
    if (held !== undefined) {
      await context.route('**/events?*', async (route) => {
        await held;
        await route.continue();
      });
    }
    await visit.page.goto(url);
    return visit;
  }

  /** Goes to a page, and waits until it shows `text` and loads nothing any more. */
  async to(hash: string, text: string): Promise<void> {
    await this.page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await this.sees(text);
    await expect.poll(() => this.page.locator('.loading').count()).toBe(0);
  }

  async sees(text: string): Promise<void> {
    await this.page.locator('main').getByText(text).first().waitFor();
  }

  /** Waits for `what` in a listing, whose pages may be short where the machine is busy. */
  async lists(what: Locator): Promise<void> {
    const more = this.page.getByRole('button', { name: 'Load more' });
    await what.or(more).first().waitFor();
    while ((await what.count()) === 0) {
      if (await more.first().isEnabled()) await more.first().click();
      await what.or(more).first().waitFor();
    }
  }

  /** Nothing is hard to use for somebody: what axe calls serious or critical. */
  async isAccessible(): Promise<void> {
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
    });
    expect(found).toEqual([]);
  }

  async fits(): Promise<void> {
    expect(await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  }

  async close(): Promise<void> {
    await this.page.context().close();
    expect(this.faults).toEqual([]);
  }
}

type AxeResults = import('axe-core').AxeResults;
