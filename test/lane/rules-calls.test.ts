// Rules of docs/lane-rules.md, sections 3, 4 and 7, that have no case of their own in section 8.
import { describe, expect, it } from 'vitest';
import { runSequential } from '../../src/execute/sequential.js';
import { balanceKey, codeKey, keyHex, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import { TransactionView } from '../../src/lane/overlay.js';
import { countOutcomes, IN_TURN, makeReceipt } from '../../src/lane/receipt.js';
import { scanBlock } from '../../src/lane/scan.js';
import { EMPTY_BYTES, toHex, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { COINBASE, call, envelope, makeBlock, makeTx, PROBE, World } from './world.js';

const ASSET = { block: 2n, tx: 9n };

describe('ids and code', () => {
  it('the first creation is 2:1, and the sequence stays absent until one holds', () => {
    const world = new World();
    world.message(call('1:0', 1), { witnesses: [envelope(PROBE)] });
    expect(world.sequence).toBeUndefined();
    expect(world.deploy()).toBe('2:1');
    expect(world.sequence).toBe(2n);
  });

  it.each(['0:0', '0:5', '1:1', '2:0', '2:9', '4:1', '7:1', '8:8', '32:0', '800000000:0'])('%s has no code', (id) => {
    const world = new World();
    world.deploy();
    expect(world.message(call(id, 0)).messages[0]).toMatchObject({
      status: 'REJECTED',
      error: 'no code at the target',
    });
  });

  it('a creation without an envelope, with an empty one or with bare WASM fails', () => {
    const world = new World();
    expect(world.message(call('1:0', 0)).messages[0].error).toBe('no envelope');
    const empty = Uint8Array.of(0, 0x63, 3, 0x42, 0x49, 0x4e, 0x68);
    expect(world.message(call('1:0', 0), { witnesses: [empty] }).messages[0].error).toBe(
      'the envelope is no gzip body',
    );
    const bare = Uint8Array.of(0, 0x63, 3, 0x42, 0x49, 0x4e, 0, 8, ...PROBE.slice(0, 8), 0x68);
    expect(world.message(call('1:0', 0), { witnesses: [bare] }).messages[0].error).toBe('the envelope is no gzip body');
    const version = Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0);
    expect(world.message(call('1:0', 0), { witnesses: [envelope(version)] }).messages[0].error).toMatch(
      /^invalid code: WASM_/,
    );
    expect(world.state.size).toBe(0);
  });
});

describe('a call', () => {
  it('context: myself, caller 0:0, vout the shadow output, incoming by number; its balance is credited first', () => {
    const world = new World();
    const id = world.deploy();
    const spend = [world.give({ '10:1': 1n, '2:256': 2n, '2:3': 3n })];
    const block = makeBlock([makeTx({ spend, protostones: [{ pointer: 0, refund: 0, message: call(id, 15) }] })]);
    const contexts: string[] = [];
    const reader = { get: (key: string) => world.state.get(key) };
    const outcomes = runSequential(scanBlock(block, reader), world.context(block), reader, {
      run: (program, host, fuel) => {
        contexts.push(toHex(host.context));
        const id32 = (b: bigint, t: bigint) => new Uint8Array([...u128Bytes(b), ...u128Bytes(t)]);
        expect(host.balance(id32(2n, 1n), id32(2n, 256n))).toEqual(u128Bytes(2n));
        expect(host.balance(id32(2n, 1n), id32(9n, 9n))).toEqual(EMPTY_BYTES);
        expect([host.isDryRun, host.height]).toEqual([false, world.height]);
        return world.runner.run(program, host, fuel);
      },
    });
    const numbers = [2n, 1n, 0n, 0n, 4n, 3n, 2n, 3n, 3n, 2n, 256n, 2n, 10n, 1n, 1n, 15n, ...new Array(10).fill(0n)];
    expect(contexts).toEqual([numbers.map((n) => toHex(u128Bytes(n))).join('')]);
    expect(outcomes[0].messages[0].status).toBe('OK');
  });

  it('ends with REVERT, TRAP, OUT_OF_FUEL or REJECTED, refunded and counted', () => {
    const world = new World();
    const id = world.deploy();
    const ends: [Uint8Array, string, string][] = [
      [call(id, 1), 'REVERT', 'abort'],
      [call(id, 2), 'TRAP', 'trap'],
      [call(id, 12, 0), 'TRAP', 'trap'],
      [call(id, 3), 'OUT_OF_FUEL', 'out of fuel'],
      [call(id, 8, 90_000, 0), 'OUT_OF_FUEL', 'out of fuel'],
      [call(id, 7, 4294967295), 'REJECTED', 'bad result pointer'],
      [call(id, 9, 2, 9, 8), 'REJECTED', 'transfer beyond the balance'],
    ];
    const outcomes = ends.map(([message, status, error]) => {
      const tx = makeTx({
        spend: [world.give({ '2:9': 7n })],
        protostones: [{ pointer: 0, refund: 1, message }],
      });
      const [outcome] = world.run(tx);
      expect(outcome.messages[0]).toMatchObject({ status, error, target: id });
      expect(world.sheet(tx, 1)).toEqual({ '2:9': 7n });
      expect([...outcome.writes.keys()].every((key) => key.startsWith('sheet/'))).toBe(true);
      return outcome;
    });
    expect(outcomes[3].messages[0].fuelUsed).toBe(3_500_000);
    expect(outcomes[4].messages[0].fuelUsed).toBe(3_500_000);
    expect(countOutcomes(outcomes)).toEqual({ txs: 7, ok: 0, revert: 1, trap: 2, outOfFuel: 2, malformed: 2 });
  });

  it('transfers: amount 0 is ignored whatever the id; other ids come from the balance', () => {
    const world = new World();
    const id = world.deploy();
    expect(world.message(call(id, 9, 0, 5, 0)).messages[0].status).toBe('OK');
    const tx = makeTx({
      spend: [world.give({ '2:9': 7n })],
      protostones: [{ pointer: 0, refund: 1, message: call(id, 9, 2, 9, 5) }],
    });
    world.run(tx);
    expect(world.sheet(tx, 0)).toEqual({ '2:9': 5n });
    expect(world.balance('2:9', id)).toBe(2n);
    world.message(call(id, 9, 2, 9, 2));
    expect(world.state.has(balanceKey(ASSET, { block: 2n, tx: 1n }))).toBe(false);
  });

  it('an empty value removes the key', () => {
    const world = new World();
    const id = world.deploy();
    world.message(call(id, 4, 5));
    expect(world.counter(id, 5n)).toBe(1n);
    world.message(call(id, 17, 0, 5));
    expect([...world.state.keys()].filter((key) => key.startsWith('store/'))).toHaveLength(1);
  });

  it('the storage map costs 40 fuel per byte, its count included', () => {
    const world = new World();
    const id = world.deploy();
    const used = (n: number): number => world.message(call(id, 8, n, 1)).messages[0].fuelUsed;
    const [small, large] = [used(64), used(128)];
    expect(large - small).toBeGreaterThanOrEqual(64 * 40);
    expect(world.message(call(id, 0)).messages[0].fuelUsed).toBeGreaterThanOrEqual(4 * 100);
  });

  it('messages of a transaction see each other; a failed one leaves none but its refund, and its reads', () => {
    const world = new World();
    const id = world.deploy();
    const message = (...inputs: number[]) => ({ pointer: 0, refund: 0, message: call(id, ...inputs) });
    const [outcome] = world.run(makeTx({ protostones: [message(4, 0), message(4, 0), message(1), message(6, 2)] }));
    expect(outcome.messages.map(({ status }) => status)).toEqual(['OK', 'OK', 'REVERT', 'OK']);
    expect(world.counter(id, 0n)).toBe(3n);
    const counterKey =
      storagePrefix({ block: 2n, tx: 1n }) + Buffer.from([...Buffer.from('ctr/'), ...u128Bytes(0n)]).toString('latin1');
    expect(outcome.reads.has(counterKey)).toBe(true);
    expect(outcome.reads.get(counterKey)).toBeUndefined();
  });

  it('sequence and balance that a program asks for are reads of the transaction', () => {
    const world = new World();
    const id = world.deploy();
    const outcome = world.message(call(id, 16, 2, 1), { spend: [COINBASE] });
    expect([...outcome.reads.keys()].filter((key) => key === 'sequence' || key.startsWith('balance/'))).toHaveLength(2);
    expect(world.storage(id, 'seq')).toEqual(u128Bytes(2n));
  });
});

describe('keys, values, receipts', () => {
  it('keys of namespace P are the bytes of section 7', () => {
    const id = { block: 2n, tx: 1n };
    const hex = (text: string) => Buffer.from(text).toString('hex');
    const id32 = toHex(u128Bytes(2n)) + toHex(u128Bytes(1n));
    expect(keyHex(sheetKey(new Uint8Array(32).fill(7), 258))).toBe(
      `${hex('sheet/')}${'07'.repeat(32)}${toHex(u32Bytes(258))}`,
    );
    expect(keyHex(codeKey(id))).toBe(hex('code/') + id32);
    expect(keyHex(storagePrefix(id))).toBe(`${hex('store/')}${id32}2f`);
    expect(keyHex(balanceKey(ASSET, id))).toBe(hex('balance/') + toHex(u128Bytes(2n)) + toHex(u128Bytes(9n)) + id32);
  });

  it('a receipt names sorted keys in hex and the fuel of all messages', () => {
    const world = new World();
    const id = world.deploy();
    const message = { pointer: 0, refund: 0, message: call(id, 4, 0) };
    const [outcome] = world.run(makeTx({ protostones: [message, message] }));
    const receipt = makeReceipt(9, outcome, { ...IN_TURN, colour: 1, executor: 'reuse' });
    expect(receipt.fuel).toBe(outcome.messages[0].fuelUsed + outcome.messages[1].fuelUsed);
    expect(receipt.reads).toEqual([...receipt.reads].sort());
    expect(receipt.writes).toHaveLength(1);
    expect(receipt).toMatchObject({ height: 9, index: 0, undone: undefined, colour: 1, executor: 'reuse' });
  });

  it('the view records the first read of a key not written by itself, and keeps it over a rollback', () => {
    const view = new TransactionView({ get: (key) => (key === 'a' ? Uint8Array.of(1) : undefined) });
    view.set('own', Uint8Array.of(5));
    view.beginMessage();
    view.set('b', Uint8Array.of(2));
    expect([view.get('own'), view.get('b'), view.get('a')]).toEqual([
      Uint8Array.of(5),
      Uint8Array.of(2),
      Uint8Array.of(1),
    ]);
    view.dropMessage();
    expect(view.get('b')).toBeUndefined();
    expect(view.peek('c')).toBeUndefined();
    expect([...view.reads.keys()]).toEqual(['a', 'b']);
    view.deleteSpent('s');
    view.undo();
    expect([...view.end().writes]).toEqual([['s', undefined]]);
  });
});
