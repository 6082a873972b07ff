import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clientSources } from '../../scripts/client-source.mjs';
import { METHODS } from '../../src/rpc/methods.js';
import { openRpcDocument, usageOf } from '../../src/rpc/openrpc/document.js';
import { VERSION } from '../../src/util/version.js';
import { fault } from '../helpers/json-schema.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/json-rpc.md');
const document = openRpcDocument(VERSION);
const { schemas } = document.components;
const described = new Map(document.methods.map((method) => [method.name, method]));

interface Request {
  readonly method: string;
  readonly params: unknown;
}
interface Response {
  readonly result?: unknown;
}

/** What docs/json-rpc.md shows: the server's own answers (docs.test.ts). */
const pairs = [...page.matchAll(/^-> (.*)\n<- (.*)$/gm)].flatMap(([, sent, got]) => {
  const [requests, responses]: [Request | Request[], Response | Response[]] = [JSON.parse(sent), JSON.parse(got)];
  return [requests].flat().map((request, i) => ({ request, response: [responses].flat()[i] }));
});

describe('the OpenRPC document', () => {
  it('describes every method of the server, called as the server says', () => {
    expect([...described.keys()].sort()).toEqual([...METHODS.keys()].sort());
    for (const [name, { usage }] of METHODS) expect(usageOf(name)).toBe(usage);
  });

  it('is what docs/openrpc.json and the types of the client are made of', () => {
    expect(JSON.parse(read('docs/openrpc.json'))).toEqual(JSON.parse(JSON.stringify(document)));
    for (const [path, text] of Object.entries(clientSources(document))) expect(read(path)).toBe(text);
  });

  it('names each method as docs/json-rpc.md explains it', () => {
    const explained = [...page.matchAll(/`([a-z]+[_.][a-z]+ \[[^`]*\])`/g)].map(([, usage]) => usage);
    for (const name of METHODS.keys()) expect(explained).toContain(usageOf(name));
    for (const usage of explained) expect(METHODS.get(usage.split(' ')[0])?.usage).toBe(usage);
  });

  it('fits every request and every result of docs/json-rpc.md', () => {
    let results = 0;
    for (const { request, response } of pairs) {
      const method = described.get(request.method);
      if (method === undefined || response.result === undefined) continue;
      results++;
      expect(fault(response.result, method.result.schema, schemas), request.method).toBeUndefined();
      // An object may stand for the array.
      const params = Array.isArray(request.params) ? request.params : [request.params];
      expect(params.length).toBeLessThanOrEqual(method.params.length);
      for (const [i, { name, schema, required }] of method.params.entries()) {
        expect(i < params.length || !required).toBe(true);
        if (i < params.length) expect(fault(params[i], schema, schemas, name)).toBeUndefined();
      }
    }
    expect(results).toBeGreaterThan(METHODS.size);
  });

  it('refuses what has a member too many, one too few or one of another type', () => {
    const receipt = pairs.find(({ request }) => request.method === 'warpshrew_getreceipt')?.response.result;
    const schema = described.get('warpshrew_getreceipt')?.result.schema ?? {};
    expect(fault(receipt, schema, schemas)).toBeUndefined();
    expect(fault({ ...(receipt as object), more: 1 }, schema, schemas)).toBe(' has more');
    expect(fault({ ...(receipt as object), fuel: '1' }, schema, schemas)).toBe('.fuel is no integer');
    expect(fault({}, schema, schemas)).toBe(' has no lane');
  });
});
