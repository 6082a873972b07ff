import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { openChromium } from '../../scripts/chromium.mjs';
import { sendCommand } from '../../src/cli/sending.js';
import { DevService } from '../../src/dev/dev-service.js';
import { explorerFiles } from '../../src/service/explorer-files.js';
import { ROOT, temporaryFolder } from '../helpers/cli.js';
import { serveExample } from '../rpc/example-store.js';
import { Visit } from './browser.js';

const opened = await openChromium();
if (typeof opened === 'string') process.stderr.write(`the browser tests are skipped: no Chromium starts: ${opened}\n`);
const DARK_PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
const TITLE = 'Which calls can run together';

describe.skipIf(typeof opened === 'string')('the page of a contract', () => {
  const browser = opened as Browser;
  afterAll(() => browser.close());

  it('of a development chain says which calls can run together, and what keeps them apart', async () => {
    const service = await DevService.start({ host: '127.0.0.1', port: 0, nodePort: 0, now: () => 1_700_000_000 });
    onTestFinished(() => service.close());
    const key = join(temporaryFolder(), 'key');
    writeFileSync(key, service.node.wallet.wif);
    await service.deploy(readFileSync(join(ROOT, 'dist/wasm/programs/mint.wasm')), [0n, 1_000n, 5n]);
    const visit = await Visit.open(browser, `${service.server.url}/#/contract/2:1`);
    await visit.sees(TITLE);
    await visit.sees('Nothing has called it since it was created.');
    const access = { nodeUrl: service.nodeServer.url, key, rpc: service.server.url, wait: 60 };
    for (let calls = 0; calls < 3; calls++) await sendCommand({ block: 2n, tx: 1n }, [77n], access);
    await visit.page.reload();
    await visit.sees('Reads are predicted only of keys that 8 calls touch');
    for (let calls = 0; calls < 6; calls++) await sendCommand({ block: 2n, tx: 1n }, [77n], access);
    await visit.page.reload();
    const card = visit.page.locator('section.card', { hasText: TITLE });
    for (const text of ['all 9 calls', '100 % of the other calls', 'for 89 % of calls', 'storage of 2:1: minted']) {
      await card.getByText(text).first().waitFor();
    }
    await card.getByText('in the kernel, 2.0 KiB a call').waitFor();
    const keys = card.getByRole('region', { name: 'Keys that opcode 77 of 2:1 touches' });
    await keys.getByRole('button', { name: 'Keys' }).press('Enter');
    await keys.locator('th[aria-sort="ascending"]').waitFor();
    expect(await keys.locator('tbody tr').first().textContent()).toContain('balance of 2:1 in 2:1');
    await visit.isAccessible();
    await visit.close();
    const phone = await Visit.open(browser, `${service.server.url}/#/contract/2:1`, DARK_PHONE);
    await phone.sees(TITLE);
    await phone.sees('storage of 2:1: minted');
    await phone.isAccessible();
    await phone.fits();
    await phone.close();
  });

  it('of another server does not speak of it', async () => {
    const example = await serveExample(temporaryFolder(), { files: explorerFiles() });
    onTestFinished(() => example.close());
    const visit = await Visit.open(browser, `${example.server.url}/#/contract/2:1`);
    await visit.sees('Methods of Cap');
    const asked = visit.page.waitForResponse(
      (response) => response.request().postData()?.includes('warpshrew_getconflicts') === true,
    );
    await visit.page.reload();
    expect(JSON.stringify(await (await asked).json())).toContain('RPC_NOT_SUPPORTED');
    await visit.sees('Methods of Cap');
    await visit.sees('Newest transactions');
    expect(await visit.page.getByText(TITLE).count()).toBe(0);
    await visit.close();
  });
});
