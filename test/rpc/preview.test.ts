import { expect, test } from 'vitest';
import { bytes, temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

test('a preview is passed to a backend that has it, within the bounds of blocks and heights', async () => {
  const preview = async (block: Uint8Array, name: string, input: Uint8Array, height: number) =>
    bytes(`${block.length} ${name} ${input.length} ${height}`);
  const { server, close } = await serveExample(temporaryFolder(), { backend: { preview } });
  const ask = async (...params: unknown[]): Promise<{ result?: unknown; error?: unknown }> => {
    const body = JSON.stringify({ id: 1, method: 'metashrew_preview', params });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(server.url, { method: 'POST', headers, body })).json() as Promise<{ result?: unknown }>;
  };
  const given = async (...params: unknown[]) =>
    Buffer.from(String((await ask(...params)).result).slice(2), 'hex').toString();
  expect(await given('0x0102', 'v', '0x03', 100)).toBe('2 v 1 100');
  // The tip, if no height is given.
  expect(await given('', 'v', '')).toBe('0 v 0 101');
  expect(await given('00'.repeat(4_000_000), 'v', '', 4_294_967_294)).toBe('4000000 v 0 4294967294');
  for (const [params, code] of [
    [['00'.repeat(4_000_001), 'v', ''], 'RPC_BAD_BLOCK'],
    [['0', 'v', ''], 'RPC_BAD_HEX'],
    // No block follows the last height there is.
    [['', 'v', '', 4_294_967_295], 'RPC_BAD_HEIGHT'],
  ] as const) {
    expect((await ask(...params)).error).toMatchObject({ code: -32602, data: { code } });
  }
  await close();
});
