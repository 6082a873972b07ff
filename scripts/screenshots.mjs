// Writes the pictures of docs/explorer.md: the explorer over the bundled chain. Build first.
//   node scripts/screenshots.mjs [FOLDER [URL]]
// FOLDER: docs/explorer if not given; URL: of a server that has the chain, instead of one that indexes it now. Says how
// long each page took to its first paint. Where no Chromium starts it writes nothing, and says so.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openChromium } from './chromium.mjs';
import { call, takePictures } from './screenshots/pictures.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const TIP = 185;

const browser = await openChromium();
if (typeof browser === 'string') console.error(`screenshots: skipped, no Chromium starts: ${browser}`);
else await take(process.argv[2] ?? join(root, 'docs/explorer'), process.argv[3]);

async function take(out, given) {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-screenshots-'));
  const index = given === undefined ? startIndex(join(folder, 'a.db')) : undefined;
  try {
    mkdirSync(out, { recursive: true });
    const url = given ?? (await servedAt(index));
    while ((await call(url, 'metashrew_height')) !== String(TIP)) await new Promise((done) => setTimeout(done, 200));
    for await (const line of takePictures(browser, url, out)) console.log(line);
  } finally {
    await browser.close();
    index?.kill('SIGTERM');
    if (index?.exitCode === null) await new Promise((done) => index.once('exit', done));
    rmSync(folder, { recursive: true, force: true });
  }
}

function startIndex(db) {
  const args = ['index', '--fixture', 'fixtures/regtest', '--db', db, '--port', '0', '--policy', 'cpu'];
  args.push('--index', 'addresses');
  return spawn(process.execPath, ['dist/cli.js', ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
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
