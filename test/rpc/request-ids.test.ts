import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { requestIds } from '../../src/rpc/request-ids.js';
import { temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

const REPORTED = new URL('../../../shared/data/faults/json-rpc-id/requests.txt', import.meta.url);

/** Ids as they are written in a request, and come back. */
const IDS = [
  '9007199254740993',
  '12345678901234567890',
  '-9223372036854775807',
  '1e400',
  '-1E-400',
  '1.0',
  '-0',
  '3.14',
  '0.1000000000000000055511151231257827021181583404541015625',
  `0.${'123456789'.repeat(20)}`,
  '"a\\u0062\\/\\"\\\\"',
  '"\\ud800"',
  '"é☃𝒳"',
  '"],}:\\"{["',
  '""',
  '{"id": [1.0, {"id" :2}]}',
  '[ ]',
  'true',
  'null',
];

describe('an id comes back byte for byte', () => {
  let example: Awaited<ReturnType<typeof serveExample>>;
  beforeAll(async () => {
    example = await serveExample(temporaryFolder());
  });
  afterAll(() => example.close());
  const post = async (body: string): Promise<string> => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(example.server.url, { method: 'POST', headers, body })).text();
  };
  const answered = (id: string): string => `{"jsonrpc":"2.0","id":${id},"result":"101"}`;

  test.each(IDS)('%s, with a result and with an error', async (id) => {
    expect(await post(`{"jsonrpc":"2.0","id":${id},"method":"metashrew_height","params":[]}`)).toBe(answered(id));
    const failed = await post(`{"id" :\n ${id}\t,"method":"nosuch"}`);
    expect(failed.startsWith(`{"jsonrpc":"2.0","id":${id},"error":`)).toBe(true);
  });

  test('each of a batch its own, with requests that have none and elements that are none between them', async () => {
    const requests = IDS.map((id) => `{"method":"metashrew_height","params":[] , "id":${id} }`);
    const none = ['{"method":"metashrew_height"}', '7', '"id"', '[{"id":5}]', '{"params":[{"id":5}]}', '{}'];
    const text = await post(`\n[ ${[...requests, ...none].join(' ,\n')} ]`);
    const start = `[${IDS.map(answered).join(',')},${answered('null')},`;
    expect(text.slice(0, start.length)).toBe(start);
    expect((JSON.parse(text) as { id: unknown }[]).slice(-5).map(({ id }) => id)).toEqual(new Array(5).fill(null));
  });

  test('of several the last, in whatever spelling of its name', async () => {
    expect(await post('{"id":1,"id":2.0,"method":"metashrew_height"}')).toBe(answered('2.0'));
    expect(await post('{"id":1,"\\u0069\\u0064":1e1,"method":"metashrew_height"}')).toBe(answered('1e1'));
    expect(await post('{"i\\"d":1,"ID":2,"method":"metashrew_height"}')).toBe(answered('null'));
  });

  it.skipIf(!existsSync(REPORTED))('as in the reports of other servers (../shared)', async () => {
    const lines = readFileSync(REPORTED, 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const at = line.lastIndexOf(' ');
      expect(await post(line.slice(0, at))).toBe(answered(line.slice(at + 1)));
    }
  });
});

test('the ids found are those that JSON.parse finds, in any JSON', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.jsonValue(), 'i"d\\': fc.jsonValue(), params: fc.jsonValue() }, { requiredKeys: [] }),
  );
  const idOf = (of: unknown): unknown =>
    typeof of === 'object' && of !== null && !Array.isArray(of) ? (of as { id?: unknown }).id : undefined;
  fc.assert(
    fc.property(fc.oneof(value, fc.array(value)), fc.constantFrom('', ' ', '\n\t'), (given, space) => {
      const found = requestIds(JSON.stringify(given, null, space)).map((id) =>
        id === undefined ? undefined : JSON.parse(id),
      );
      expect(found).toEqual(JSON.parse(JSON.stringify(Array.isArray(given) ? given : [given])).map(idOf));
    }),
  );
});
