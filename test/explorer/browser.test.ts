import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { openChromium } from '../../scripts/chromium.mjs';
import { PICTURES, takePictures } from '../../scripts/screenshots/pictures.mjs';
import { explorerFiles } from '../../src/service/explorer-files.js';
import { proofFromJson } from '../../src/store/proof/json.js';
import { refutationOf } from '../../src/store/proof/key-proof.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { branch } from '../chain/blocks.js';
import { FakeNode } from '../chain/fake-node.js';
import { CHAIN, ROOT, temporaryFolder } from '../helpers/cli.js';
import { Branch } from '../node/branches.js';
import { IndexProcess } from '../node/index-process.js';
import { installNode, RegtestNode } from '../node/regtest-node.js';
import { serveExample } from '../rpc/example-store.js';
import { Running } from '../service/running.js';
import { Visit } from './browser.js';

const opened = await openChromium();
if (typeof opened === 'string') process.stderr.write(`the browser tests are skipped: no Chromium starts: ${opened}\n`);
const TIP = 185;
/** SHA-256 of the script of the chain's miner. */
const OWNER = '67d35896668e9e1ec9598da0f8dae1b5c3c4e8165bd71d79249006927ece363c';
const DARK_PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;

it('has a picture in its document for each that is taken, and no other', () => {
  const text = readFileSync(join(ROOT, 'docs/explorer.md'), 'utf8');
  const shown = [...text.matchAll(/explorer\/([a-z-]+)\.png/g)].map(([, name]) => name);
  expect(shown.sort()).toEqual([...PICTURES].sort());
  expect(readdirSync(join(ROOT, 'docs/explorer')).sort()).toEqual(PICTURES.map((name) => `${name}.png`).sort());
});

describe.skipIf(typeof opened === 'string')('the explorer in a browser', () => {
  const browser = opened as Browser;
  afterAll(() => browser.close());

  it('shows every page of the bundled chain, by day and on a phone at night, and works with the keyboard', async () => {
    const service = await Running.start(
      ...['--fixture', CHAIN, '--index', 'addresses', '--db', join(temporaryFolder(), 'a.db')],
    );
    await service.until('/ready', (body, status) => status === 200 && body.height === TIP);
    const { result } = await service.call('warpshrew_listreceipts', { block: 177, limit: 1_000 });
    const { txid } = (result as { items: { txid: string }[] }).items[38];
    // The first of the miner's outputs: of a coinbase, spent long since, and without assets.
    const outputs = await service.call('warpshrew_listoutputs', { scriptHash: OWNER, limit: 1 });
    const { outpoint: spent } = (outputs.result as { items: { outpoint: string }[] }).items[0];
    const [coinbase] = spent.split(':');
    const pages: readonly (readonly [string, string])[] = [
      ['#/status', 'at the tip'],
      ['#/block/177', 'Hot keys'],
      [`#/tx/${txid}`, 'What it waited for'],
      ['#/contracts', 'Contracts'],
      ['#/contract/2:33', 'Conflicts on its keys'],
      [`#/output/${txid}:0`, 'What became of it'],
      [`#/tx/${coinbase}`, 'no transaction of the lane'],
      [`#/output/${spent}`, 'Pays to'],
      [`#/address/${OWNER}`, 'unspent outputs'],
      ['#/search/nothing', 'Nothing found'],
      [`#/block/${TIP + 1}`, `Height ${TIP + 1} is not indexed`],
    ];
    const visit = await Visit.open(browser, service.url);
    await walk(visit, pages);
    await useKeyboard(service, visit);
    await visit.close();
    const phone = await Visit.open(browser, service.url, DARK_PHONE);
    await walk(phone, [...pages.slice(0, 5), pages[8]]);
    await phone.close();
    const folder = temporaryFolder();
    for await (const line of takePictures(browser, service.url, folder, ['graph', 'phone']))
      expect(line).toContain('KiB');
    expect(readdirSync(folder).sort()).toEqual(['graph.png', 'phone.png']);
  });

  async function walk(visit: Visit, pages: readonly (readonly [string, string])[]): Promise<void> {
    for (const [hash, text] of pages) {
      await visit.to(hash, text);
      await visit.isAccessible();
      await visit.fits();
    }
  }

  /** Search, the picture of a graph, a call that is only simulated, a proof. */
  async function useKeyboard(service: Running, visit: Visit): Promise<void> {
    const { page } = visit;
    // The blocks of the chain are found by hash, and transactions by txid.
    const hash = String((await service.call('metashrew_getblockhash', 12)).result);
    for (const [text, shown] of [
      [hash, 'Block 12'],
      [hash.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')), 'Nothing found'],
      ['177', 'Block 177'],
    ]) {
      await page.keyboard.press('/');
      await page.keyboard.type(text);
      await page.keyboard.press('Enter');
      await page.locator('h1').getByText(shown).waitFor();
    }
    await page.locator('.graph-place canvas').first().waitFor();
    await page.locator('.graph-place').focus();
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowUp', 'ArrowDown']) await page.keyboard.press(key);
    const details = page.locator('.graph-details');
    await details.getByText('waited for').first().waitFor();
    await page.getByRole('button', { name: /^longest chain/ }).click();
    await details.getByText('each of which waited').waitFor();
    await page.locator('.graph-place').focus();
    await page.keyboard.press('Escape');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.locator('h1').getByText('Transaction').waitFor();
    await page.getByRole('button', { name: 'Run it again' }).press('Enter');
    await visit.sees('Host calls');

    await seesOwner(visit);

    // From an output that a transaction spent to whose that was.
    const { result } = await service.call('warpshrew_listreceipts', { block: 182 });
    await visit.to(`#/tx/${(result as { items: { txid: string }[] }).items[0].txid}`, 'Assets in');
    await page.locator('tr:has(a[href*="/output/"]) a[href*="/address/"]').first().press('Enter');
    await page.locator('h1').getByText('Script').waitFor();

    await visit.to('#/contract/2:33', 'Storage');
    await page.getByLabel('opcode and inputs').fill('1, x');
    await page.keyboard.press('Enter');
    await visit.sees('must be a whole number');
    await page.getByLabel('opcode and inputs').fill('99');
    await page.keyboard.press('Enter');
    await visit.sees('on the state after block');
    const proofs = page.getByRole('button', { name: 'Download' });
    await visit.lists(proofs);
    const [download] = await Promise.all([page.waitForEvent('download'), proofs.first().click()]);
    const proof = proofFromJson(JSON.parse(readFileSync(await download.path(), 'utf8')));
    expect(refutationOf(proof)).toBeUndefined();
  }

  /** From a search to the outputs of a script, to one of them, and back. */
  async function seesOwner({ page }: Visit): Promise<void> {
    await page.keyboard.press('/');
    await page.keyboard.type(OWNER.toUpperCase());
    await page.keyboard.press('Enter');
    await page.locator('h1').getByText('Script').waitFor();
    const outputs = page.getByRole('region', { name: 'Outputs, the newest first' });
    const first = outputs.getByRole('link').first();
    const newest = String(await first.getAttribute('title'));
    const spent = page.getByRole('button', { name: 'Spent ones too' });
    await spent.press('Enter');
    await outputs.getByText(' in ').first().waitFor();
    await spent.press('Enter');
    await outputs.getByRole('link', { name: newest.slice(0, 8) }).press('Enter');
    await page.locator('h1').getByText('Output').waitFor();
    await page.getByRole('link', { name: OWNER.slice(0, 8) }).press('Enter');
    await page.locator('h1').getByText('Script').waitFor();
  }

  it('offers the methods that a contract names, as text whatever they are called', async () => {
    const example = await serveExample(temporaryFolder(), { files: explorerFiles() });
    onTestFinished(() => example.close());
    const visit = await Visit.open(browser, `${example.server.url}/#/contract/2:1`);
    await visit.sees('Methods of Cap');
    await visit.page.getByRole('button', { name: 'Simulate' }).click();
    await visit.sees('lifted');
    await visit.isAccessible();
    await visit.to('#/search/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E', '<img src=x onerror=alert(1)>');
    expect(await visit.page.locator('main img').count()).toBe(0);
    await visit.close();
  });

  /** A block that is undone disappears, and the one in its place comes, while the page is looked at. */
  async function seesReorg(url: string, before: Blocks, reorganise: () => Promise<Blocks>): Promise<void> {
    const visit = await Visit.open(browser, url);
    const shown = (hash: Uint8Array) => visit.page.locator(`code[title="${toDisplayHash(hash)}"]`);
    const last = before[before.length - 1];
    await shown(last.hash).first().waitFor();
    const block = await Visit.open(browser, `${url}/#/block/${last.height}`);
    await block.sees(toDisplayHash(last.hash));
    const after = await reorganise();
    await shown(after[after.length - 1].hash)
      .first()
      .waitFor();
    await expect.poll(() => shown(last.hash).count()).toBe(0);
    await visit.sees('The chain was reorganised');
    await block.sees('A reorganisation undid the block');
    await block.sees(toDisplayHash(after[last.height - after[0].height].hash));
    expect(await block.page.getByText(toDisplayHash(last.hash)).count()).toBe(0);
    await visit.close();
    await block.close();
  }

  it('drops a block that a reorganisation undid', async () => {
    const [main, other] = [branch(8), branch(10, 'other', 5)];
    const node = await FakeNode.start(main);
    const of = ['--network', 'regtest', '--node-url', node.url, '--poll-interval', '50'];
    const service = await Running.start(...of, '--db', join(temporaryFolder(), 'a.db'));
    const last = main[main.length - 1];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await service.until('/ready', (body, status) => status === 200 && body.height === last.height);
    // A page that gets its first event when its block is gone already.
    const late = await Visit.open(browser, `${service.url}/#/block/${last.height}`, {}, held);
    await late.sees(toDisplayHash(last.hash));
    await seesReorg(service.url, main, async () => {
      node.serve(other);
      return other;
    });
    release();
    await late.sees('A reorganisation undid the block');
    await late.sees(toDisplayHash(other[last.height - other[0].height].hash));
    // A page of a block that comes later.
    const longer = branch(11, 'other', 5);
    const [next] = longer.slice(-1);
    await late.to(`#/block/${next.height}`, `Height ${next.height} is not indexed`);
    node.serve(longer);
    await late.sees(toDisplayHash(next.hash));
    await late.to(`#/address/${OWNER}`, 'This server keeps no index by address.');
    await late.to(`#/search/${OWNER}`, 'Nothing found');
    await late.isAccessible();
    await late.close();
  });

  const installed = installNode();
  it.skipIf(!installed)('drops a block that a reorganisation of a real node undid', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warpshrew-explorer-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const main = Branch.begin();
    const other = Branch.begin();
    main.grow(2, 1);
    other.grow(4, 2);
    const node = await RegtestNode.start(join(folder, 'node'));
    onTestFinished(() => node.remove());
    await node.submit(main.blocks(1));
    const index = await IndexProcess.start(join(folder, 'a.db'), node);
    onTestFinished(() => index.kill());
    const blocks = main.blocks();
    await index.reaches(blocks[blocks.length - 1]);
    await seesReorg(`http://127.0.0.1:${index.port}`, blocks, async () => {
      await node.submit(other.blocks(1));
      return other.blocks();
    });
  });
});

type Blocks = ReturnType<typeof branch>;
