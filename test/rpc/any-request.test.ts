import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { METHODS } from '../../src/rpc/methods.js';
import { receipt, temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

/** Raw JSON texts: what `JSON.stringify` never writes is among them. */
const atoms = fc.constantFrom(
  ...['null', 'true', '0', '-0', '-1', '100', '101', '102', '1.5', '1e400', '-1e400', '9007199254740993'],
  ...['4294967295', '4294967296', '4294967396', '1e21', '340282366920938463463374607431768211456'],
  ...['""', '"latest"', '"100"', '"0100"', '"9999999999"', '"-1"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"'],
  ...['"__proto__"', '"constructor"', '"toString"', '"S"', '"P"', '"0x"', '"0x0"', '"00"', '"zz"', '"2:1"', '"2:-1"'],
  ...['"340282366920938463463374607431768211456:1"', '"99999999999999999999999999999999999999999999:1"', '"echo"'],
  ...[`"${receipt(101, 0).txid}"`, `"${receipt(101, 0).txid}:0"`, `"${receipt(101, 0).txid}:4294967296"`],
  ...[`"${'f'.repeat(64)}"`, `"${'00'.repeat(3_000)}"`, `"${'9'.repeat(400)}"`, `"bcrt1${'q'.repeat(200)}"`],
);
const names = fc.constantFrom(
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'height', 'limit', 'cursor', 'from', 'to'],
  ...['block', 'contract', 'status', 'reverse', 'unspent', 'id', 'codeHash', 'cloneOf', 'prefix', 'address', 'script'],
  ...['scriptHash', 'target', 'inputs', 'incoming', 'transaction', 'protostone', 'steps', 'toJSON', '2:1', '\\ud800'],
);
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    { weight: 6, arbitrary: atoms },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((all) => `[${all.join(',')}]`) },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(names, tie('value')), { maxLength: 4 })
        .map((all) => `{${all.map(([name, of]) => `"${name}":${of}`).join(',')}}`),
    },
  ),
}));
const params = fc.oneof(
  { weight: 8, arbitrary: fc.array(value, { maxLength: 5 }).map((all) => `[${all.join(',')}]`) },
  { weight: 1, arbitrary: value },
);

const defects: unknown[] = [];
let example: Awaited<ReturnType<typeof serveExample>>;

beforeAll(async () => {
  example = await serveExample(temporaryFolder(), { onDefect: (error) => defects.push(error) });
});
afterAll(() => example.close());

async function ask(method: string, given: string): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' };
  const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${given}}`;
  const response = await fetch(example.server.url, { method: 'POST', headers, body });
  return (await response.json()) as Record<string, unknown>;
}

test('whatever is asked of a method, it has a result, or an error with a code that is no defect', async () => {
  const check = fc.asyncProperty(fc.constantFrom(...METHODS.keys()), params, async (method, given) => {
    const { result, error } = await ask(method, given);
    expect(defects.splice(0)).toEqual([]);
    if (error === undefined) expect(result).toBeDefined();
    else expect(error).toMatchObject({ code: expect.any(Number), data: { code: expect.stringMatching(/^[A-Z_]+$/) } });
  });
  await fc.assert(check, { numRuns: 300 });
});
