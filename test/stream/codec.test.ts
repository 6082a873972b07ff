import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamError } from '../../src/errors/errors.js';
import { bodyParts } from '../../src/stream/body.js';
import { type Chunk, decodeChunk, encodeChunk, MIN_CHUNK_BYTES } from '../../src/stream/chunk.js';
import { EventParts } from '../../src/stream/event-parts.js';
import type { StreamIdentity } from '../../src/stream/identity.js';
import { parseStreamAddress } from '../../src/stream/nats/address.js';
import { readBody } from '../../src/stream/read-body.js';
import { storedBlock } from '../../src/stream/stored-block.js';
import { concatBytes } from '../../src/util/bytes.js';
import { memoryStore, nextBlock } from './helpers.js';

const IDENTITY: StreamIdentity = {
  schema: 6,
  rules: 2,
  network: 'regtest',
  laneStartHeight: 0,
  dependent: 'demote',
  moduleHash: 'ab'.repeat(32),
  genesis: null,
  first: 0,
};
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const height = fc.integer({ min: 0, max: 0xfffffffe });
const chunk: fc.Arbitrary<Chunk> = fc.record({
  kind: fc.constant('block' as const),
  height,
  hash,
  previous: hash,
  identity: fc.record({
    schema: height,
    rules: height,
    network: fc.stringMatching(/^[a-z0-9]{1,32}$/),
    laneStartHeight: height,
    dependent: fc.constantFrom('demote' as const, 'reject' as const),
    moduleHash: fc.stringMatching(/^[0-9a-f]{64}$/),
    genesis: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
    first: height,
  }),
  number: height,
  last: fc.boolean(),
  tip: height,
  data: fc.uint8Array({ maxLength: 300 }),
});

/** What refuses bytes is always one error. */
function refusedOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StreamError && error.code === 'STREAM_BAD_MESSAGE') return undefined;
    throw error;
  }
}

test('chunks come back as they were written', () => {
  fc.assert(
    fc.property(chunk, (of) => {
      expect(decodeChunk(encodeChunk(of))).toEqual(of);
    }),
  );
});

test('bytes that no publisher wrote are refused, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(refusedOr(() => decodeChunk(bytes))).toBe(undefined);
    }),
  );
  fc.assert(
    fc.property(chunk, fc.nat(), fc.integer({ min: 1, max: 255 }), (of, at, change) => {
      const bytes = encodeChunk(of);
      bytes[at % bytes.length] ^= change;
      const read = refusedOr(() => decodeChunk(bytes));
      if (read !== undefined) expect(read.data.length).toBeLessThanOrEqual(512 << 10);
    }),
  );
  fc.assert(
    fc.property(chunk, fc.nat(), (of, at) => {
      const bytes = encodeChunk(of);
      expect(refusedOr(() => decodeChunk(bytes.subarray(0, at % bytes.length)))).toBe(undefined);
    }),
  );
});

test('data that inflates to more than it says is not inflated', () => {
  const of = { ...IDENTITY };
  const head = {
    kind: 'block',
    height: 1,
    hash: new Uint8Array(32),
    previous: new Uint8Array(32),
    identity: of,
  } as const;
  const bytes = encodeChunk({ ...head, number: 0, last: true, tip: 1, data: new Uint8Array(100_000) });
  const lengthAt = 86 + (bytes[84] | (bytes[85] << 8));
  for (const length of [0, 1, 99_999, 100_001, 0xffffffff]) {
    new DataView(bytes.buffer).setUint32(lengthAt, length, true);
    expect(refusedOr(() => decodeChunk(bytes))).toBe(undefined);
  }
});

/** A block with some of everything, its head, and its data. */
function aBlock(salt: number) {
  const store = memoryStore();
  for (let i = 0; i < 3; i++) store.commitBlock(nextBlock(store, salt));
  const block = storedBlock(store, 2);
  if (block === undefined) throw new Error('the block is not there');
  const { header } = block;
  const head = {
    kind: 'block',
    height: 2,
    hash: block.hash,
    previous: header.slice(4, 36),
    identity: IDENTITY,
  } as const;
  return { store, block, head, body: concatBytes(...bodyParts(block, 100)) };
}

test('the data of a block gives what was stored of it', () => {
  for (let salt = 0; salt < 20; salt++) {
    const { store, block, head, body } = aBlock(salt);
    const { commit, roots } = readBody(head, body);
    expect(roots.standard).toBe(store.roots(2)?.standard);
    expect([...commit.standardWrites.keys()].length).toBe([...block.writes('S')].length);
    const again = memoryStore();
    for (let i = 0; i < 2; i++) again.commitBlock(nextBlock(again, salt));
    expect(again.commitBlock(commit)).toEqual(store.roots(2));
  }
});

test('data that was changed is refused, even with the digest of its changed bytes', () => {
  const { head, body } = aBlock(1);
  const end = body.length - 32;
  let taken = 0;
  fc.assert(
    fc.property(fc.nat(end - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cuts) => {
      const changed = cuts ? body.slice(0, at) : body.slice(0, end);
      if (!cuts) changed[at] ^= change;
      expect(refusedOr(() => readBody(head, concatBytes(changed, body.subarray(end))))).toBe(undefined);
      const digest = createHash('sha256').update(changed).digest();
      // What is well formed all the same is for the state root to refuse.
      if (refusedOr(() => readBody(head, concatBytes(changed, digest))) !== undefined) taken++;
    }),
    { numRuns: 400 },
  );
  expect(taken).toBeGreaterThan(0);
});

test('chunks that do not belong together, or are too many, are refused', () => {
  const head = { kind: 'block', height: 1, hash: new Uint8Array(32), previous: new Uint8Array(32) } as const;
  const part = (number: number, over: Partial<Chunk> = {}): Chunk => ({
    ...head,
    ...{ identity: IDENTITY, number, last: false, tip: 1, data: new Uint8Array(MIN_CHUNK_BYTES) },
    ...over,
  });
  const first = (mostBytes?: number): EventParts => {
    const parts = new EventParts(mostBytes);
    parts.add(part(0));
    return parts;
  };
  const isRefused = (parts: EventParts, of: Chunk): boolean => {
    let refused = true;
    refusedOr(() => {
      parts.add(of);
      refused = false;
    });
    return refused;
  };
  expect(isRefused(first(), part(1))).toBe(false);
  expect(isRefused(first(), part(0))).toBe(false);
  expect(isRefused(first(), part(2))).toBe(true);
  expect(isRefused(first(), part(1, { height: 2 }))).toBe(true);
  expect(isRefused(first(), part(1, { hash: new Uint8Array(32).fill(1) }))).toBe(true);
  expect(isRefused(first(), part(1, { data: new Uint8Array(MIN_CHUNK_BYTES + 1) }))).toBe(true);
  expect(isRefused(new EventParts(), part(0, { data: new Uint8Array(1) }))).toBe(true);
  expect(isRefused(first(2 * MIN_CHUNK_BYTES), part(1))).toBe(false);
  expect(isRefused(first(2 * MIN_CHUNK_BYTES - 1), part(1))).toBe(true);
  // The rest of an event whose beginning the stream has dropped is passed over.
  const parts = new EventParts();
  expect(parts.add(part(4))).toBe(undefined);
  expect(parts.add(part(5, { last: true, data: new Uint8Array(3) }))).toBe(undefined);
  expect(parts.add(part(0, { last: true, data: Uint8Array.of(7) }))?.body).toEqual(Uint8Array.of(7));
});

test('addresses of streams are read with their login, and shown without', () => {
  expect(parseStreamAddress('nats://al:p%40ss@host:4333/main-net')).toEqual({
    server: 'host:4333',
    tls: false,
    login: { user: 'al', pass: 'p@ss' },
    name: 'main-net',
    shown: 'nats://***@host:4333/main-net',
  });
  expect(parseStreamAddress('tls://s3cret@host')).toMatchObject({
    server: 'host:4222',
    tls: true,
    login: { token: 's3cret' },
    name: 'warpshrew',
  });
  expect(parseStreamAddress('nats://[::1]:4222')).toMatchObject({ server: '[::1]:4222', login: undefined });
  for (const bad of ['http://host', 'nats://', 'nats://host/a.b', 'nats://host:port', 'nats://h/a/b', 'nats://%@h']) {
    expect(parseStreamAddress(bad), bad).toBe(undefined);
  }
});
