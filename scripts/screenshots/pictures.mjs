// The pictures of docs/explorer.md, taken of a server that has the bundled chain.
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A block of the bundled chain with conflicts, and a contract that they are about. */
const BLOCK = 177;
const CONTRACT = '2:33';
const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

/** By name: where each is taken, given a transaction of the block, and how. */
const SHOTS = {
  status: () => ['#/status', {}],
  graph: () => [`#/block/${BLOCK}`, { from: '.graph', act: pickNode }],
  'graph-dark': () => [`#/block/${BLOCK}`, { from: '.graph', dark: true, act: pickChain }],
  transaction: (txid) => [`#/tx/${txid}`, {}],
  contract: () => [`#/contract/${CONTRACT}`, {}],
  phone: () => [`#/block/${BLOCK}`, { viewport: PHONE, dark: true }],
};
export const PICTURES = Object.keys(SHOTS);

/** Writes NAME.png of each of `names` to the folder `out`, of the server at `url`, and gives a line about each. */
export async function* takePictures(browser, url, out, names = PICTURES) {
  const { items } = await call(url, 'warpshrew_listreceipts', { block: BLOCK, limit: 1_000 });
  for (const name of names) yield shoot(browser, url, join(out, `${name}.png`), ...SHOTS[name](items[38].txid));
}

export async function call(url, method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await answer.json()).result;
}

async function pickNode(page) {
  await page.locator('.graph-place').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
}

async function pickChain(page) {
  await page.getByRole('button', { name: /^longest chain/ }).click();
}

/** `from`: what the picture begins with. */
async function shoot(browser, url, path, hash, { viewport = DESK, dark = false, from, act }) {
  const context = await browser.newContext({ viewport, locale: 'en-US', colorScheme: dark ? 'dark' : 'light' });
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`${url}/${hash}`);
  await page.waitForFunction(
    () => document.querySelector('h1') !== null && document.querySelector('.loading') === null,
  );
  if ((await page.locator('.chart, .graph-place').count()) > 0) await page.locator('canvas').first().waitFor();
  await act?.(page);
  if (from !== undefined) {
    await page.evaluate((selector) => {
      const top = document.querySelector(selector)?.getBoundingClientRect().top ?? 0;
      scrollBy(0, top - 150);
    }, from);
  }
  // Charts and graph are drawn in the next frames.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1_000)));
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  await page.screenshot({ path });
  await context.close();
  return `${basename(path)}: ${Math.round(statSync(path).size / 1024)} KiB, first paint after ${Math.round(paint)} ms`;
}
