import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METHODS } from '../../src/rpc/methods.js';
import { temporaryFolder } from '../store/helpers.js';
import { preview, serveExample } from './example-store.js';

const text = readFileSync(new URL('../../docs/json-rpc.md', import.meta.url), 'utf8');
const pairs = [...text.matchAll(/^-> (.*)\n<- (.*)$/gm)].map(([, request, response]) => ({ request, response }));

describe('docs/json-rpc.md', () => {
  let example: Awaited<ReturnType<typeof serveExample>>;
  beforeAll(async () => {
    example = await serveExample(temporaryFolder(), { backend: { preview } });
  });
  afterAll(() => example.close());

  it.each(pairs)('$request is answered as written', async ({ request, response }) => {
    const answer = await fetch(example.server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: request,
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(JSON.parse(response));
  });

  it('shows every method at least once', () => {
    const shown = new Set(pairs.flatMap(({ request }) => JSON.parse(request)).map(({ method }) => method));
    for (const name of METHODS.keys()) expect(shown).toContain(name);
    expect(pairs.length).toBeGreaterThanOrEqual(METHODS.size);
  });

  it('names every error code that a method can answer', () => {
    const sources = [
      'metashrew-methods',
      'warpshrew-methods',
      'lane-view-methods',
      'trace-methods',
      'list-methods',
      'address-methods',
      'list-options',
      'event-query',
      'receipt-of',
      'simulation-request',
      'heights',
      'params',
      'dispatch',
      'handler',
      'refusal',
      'answers',
    ].map((file) => readFileSync(new URL(`../../src/rpc/${file}.ts`, import.meta.url), 'utf8'));
    const codes = sources.join('').match(/'(RPC_[A-Z_]+|BLOCK_NOT_INDEXED|RECEIPT_NOT_FOUND)'/g) ?? [];
    expect(codes.length).toBeGreaterThan(8);
    for (const code of new Set(codes)) expect(text).toContain(`\`${code.slice(1, -1)}\``);
  });
});
