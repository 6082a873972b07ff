// Writes the pictures of docs/explorer.md: the explorer over the bundled chain. Build first.
//   node scripts/screenshots.mjs [FOLDER [URL]]
// FOLDER: docs/explorer if not given; URL: of a server that has the chain, instead of one that indexes it now. Says how
// long each page took to its first paint.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? join(root, 'docs/explorer');
const TIP = 185;
/** A block of the bundled chain with conflicts, and a contract that they are about. */
const BLOCK = 177;
const CONTRACT = '2:33';
const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-screenshots-'));
const given = process.argv[3];
const index = given === undefined ? startIndex() : undefined;
const browser = await openChromium();
try {
  if (typeof browser === 'string') throw new Error(`no Chromium starts: ${browser}`);
  mkdirSync(out, { recursive: true });
  const url = given ?? (await servedAt(index));
  while ((await call(url, 'metashrew_height')) !== String(TIP)) await new Promise((done) => setTimeout(done, 200));
  const { items } = await call(url, 'warpshrew_listreceipts', { block: BLOCK, limit: 1_000 });
  const { txid } = items[38];
  await shoot(browser, url, 'status', '#/status', {});
  await shoot(browser, url, 'graph', `#/block/${BLOCK}`, { from: '.graph', act: pickNode });
  await shoot(browser, url, 'graph-dark', `#/block/${BLOCK}`, { from: '.graph', dark: true, act: pickChain });
  await shoot(browser, url, 'transaction', `#/tx/${txid}`, {});
  await shoot(browser, url, 'contract', `#/contract/${CONTRACT}`, {});
  await shoot(browser, url, 'phone', `#/block/${BLOCK}`, { viewport: PHONE, dark: true });
} finally {
  if (typeof browser !== 'string') await browser.close();
  index?.kill('SIGTERM');
  if (index?.exitCode === null) await new Promise((done) => index.once('exit', done));
  rmSync(folder, { recursive: true, force: true });
}

function startIndex() {
  return spawn(
    process.execPath,
    [
      'dist/cli.js',
      'index',
      '--fixture',
      'fixtures/regtest',
      '--db',
      join(folder, 'a.db'),
      '--port',
      '0',
      '--policy',
      'cpu',
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

/** Resolves with the address that the log tells. */
function servedAt(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (part) => {
      text += part;
      const match = /"url":"([^"]+)"/.exec(text);
      if (match !== null) resolve(match[1]);
    });
    child.once('exit', () => reject(new Error(text)));
  });
}

async function call(url, method, ...params) {
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
async function shoot(browser, url, name, hash, { viewport = DESK, dark = false, from, act }) {
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
  const path = join(out, `${name}.png`);
  await page.screenshot({ path });
  console.log(`${name}.png: ${Math.round(statSync(path).size / 1024)} KiB, first paint after ${Math.round(paint)} ms`);
  await context.close();
}
