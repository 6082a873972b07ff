import { get } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explorerFiles } from '../../src/service/explorer-files.js';
import { serveExample } from '../rpc/example-store.js';
import { temporaryFolder } from '../store/helpers.js';

let example: Awaited<ReturnType<typeof serveExample>>;
beforeAll(async () => {
  example = await serveExample(temporaryFolder(), { files: explorerFiles() });
});
afterAll(() => example.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** As it comes: `fetch` would undo the encoding. */
function ask(path: string, encodings?: string, base = example.server.url): Promise<Answer> {
  const headers = encodings === undefined ? {} : { 'accept-encoding': encodings };
  return new Promise((resolve, reject) => {
    get(`${base}${path}`, { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
      });
    }).on('error', reject);
  });
}

it('is one page, which allows nothing but files of this server, and whose files may be kept for ever', async () => {
  const page = await ask('/');
  expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
  expect(page.headers['cache-control']).toBe('no-cache');
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|http|\*|data:/);
  const html = page.body.toString();
  expect(html).not.toMatch(/<script(?![^>]* src=)|style=|https?:/);
  const files = [...html.matchAll(/(?:src|href)="(explorer\/[^"]+)"/g)].map(([, path]) => path);
  expect(files.length).toBe(3);
  for (const path of files) {
    expect(path).toMatch(/-[A-Z0-9]{8}\.(js|css|svg)$/);
    const file = await ask(`/${path}`);
    expect(file.status).toBe(200);
    expect(file.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(file.headers['x-content-type-options']).toBe('nosniff');
  }
});

it.each([
  ['gzip, deflate, br', 'br'],
  ['br;q=0, gzip', 'gzip'],
  ['gzip;q=0.5', 'gzip'],
  ['BR', 'br'],
  ['br;q=0.0', undefined],
  ['identity', undefined],
  ['', undefined],
])('with Accept-Encoding "%s" it comes as %s', async (accepted, encoding) => {
  const plain = (await ask('/')).body;
  const { headers, body } = await ask('/', accepted);
  expect(headers['content-encoding']).toBe(encoding);
  expect(headers.vary).toBe('accept-encoding');
  expect(headers['content-length']).toBe(String(body.length));
  const decoded = encoding === 'br' ? brotliDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body;
  expect(decoded).toEqual(plain);
});

it('all of it takes at most 250 KB, compressed by either', () => {
  const files = [...explorerFiles().values()];
  for (const name of ['br', 'gzip'] as const) {
    const total = files.reduce((sum, { encoded }) => sum + (encoded[name]?.length ?? Number.NaN), 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(250_000);
  }
});

it('JSON-RPC is at the same address, and nothing else is', async () => {
  const { url } = example.server;
  const body = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(await answer.json()).toMatchObject({ result: '101' });
  const put = await fetch(url, { method: 'PUT', body });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, OPTIONS']);
  for (const path of [
    '/explorer/',
    '/explorer/index.html',
    '/index.html',
    '/explorer/../cli.js',
    '/explorer/%2e%2e/cli.js',
  ]) {
    expect((await ask(path)).status).toBe(404);
  }
});

it('a server without it has no page', async () => {
  const bare = await serveExample(temporaryFolder());
  const { status, headers } = await ask('/', undefined, bare.server.url);
  await bare.close();
  expect([status, headers.allow]).toEqual([405, 'POST, OPTIONS']);
});

it('a missing build is an error that says what to do', () => {
  expect(() => explorerFiles(temporaryFolder())).toThrow(expect.objectContaining({ code: 'ENV_NO_EXPLORER' }));
});
