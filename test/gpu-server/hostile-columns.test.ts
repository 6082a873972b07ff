// What a server takes of its clients' columns: nothing that leads outside of them, no more than a piece needs.
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ACCESS_RECORD, CALL_RECORD, KEY_RECORD } from '../../src/gpu/translate/layout.js';
import type { Columns } from '../../src/tasks/server/messages.js';
import { V8Device } from '../../src/testing/gpu-server/v8-device.js';
import { connected, frame, runBlock, running, somePiece } from './support.js';

it('a client has no more of the server than its bounds, and one that lies in columns is dropped', async () => {
  const device = new V8Device();
  const { address, dropped, server } = await running(device);
  const gpu = await connected(address);
  const { seed, columns } = await somePiece();
  const [head, access, key] = [CALL_RECORD, ACCESS_RECORD, KEY_RECORD];
  const hostile: readonly (readonly [why: string, column: number, word: number, value: number])[] = [
    ['a call of no program', 1, head.offset.PROGRAM, 1],
    ['a context outside', 1, head.offset.CONTEXT_AT, 2],
    ['a context outside', 1, head.offset.CONTEXT_AT, 2 ** 31],
    ['a context outside', 1, head.offset.CONTEXT_BYTES, 2 ** 20],
    ['too much fuel of a call', 1, head.offset.FUEL, 2 ** 31],
    ['do not follow', 1, head.words + head.offset.FIRST_ACCESS, 0],
    ['too large a call', 1, head.offset.ACCESSES, 1_025],
    ['that no call declares', 1, 11 * head.words + head.offset.ACCESSES, 0],
    ['a declared key that is none', 2, access.offset.KEY, 99],
    ['a key outside', 3, key.offset.KEY_AT, 2 ** 31],
    ['a key outside', 3, key.offset.KEY_BYTES, 100_000],
    ['a value outside', 3, key.offset.VALUE_BYTES, 5_000],
    ['a colour without calls', 5, 0, 0],
    ['a colour without calls', 5, 0, 13],
  ];
  for (const [i, [why, column, word, value]] of hostile.entries()) {
    const copy = columns.map((each) => each.slice());
    new DataView(copy[column].buffer).setUint32(4 * word, value, true);
    await sendCalls(address, seed, copy);
    expect([dropped.length, dropped.at(-1)], `${i}`).toEqual([i + 1, expect.stringContaining(why)]);
  }
  const without = (at: number): Columns =>
    columns.map((each, i) => (i === at ? each.subarray(0, each.length - 4) : each));
  const many = new Uint8Array(16_385 * 32);
  // Who has not greeted has nothing run.
  await sendCalls(address, seed, [], false);
  expect(dropped.at(-1)).toContain('out of turn');
  for (const [why, parts] of [
    ['no columns of calls', columns.slice(1)],
    ['no columns of calls', without(0)],
    ['too many calls', without(1)],
    ['half a key', without(3)],
    ['a key outside', columns.map((each, i) => (i === 4 ? new Uint8Array(4) : each))],
    ['calls of no colour', columns.map((each, i) => (i === 5 ? new Uint8Array(0) : each))],
    ['half a word', columns.map((each, i) => (i === 2 ? each.subarray(1) : each))],
    ['too many calls', columns.map((each, i) => (i === 1 ? many : each))],
    ['too many programs', columns.map((each, i) => (i === 0 ? many : each))],
    ['too many bytes', columns.map((each, i) => (i === 4 ? new Uint8Array(2 ** 24) : each))],
  ] as const) {
    await sendCalls(address, seed, parts);
    expect(dropped.at(-1)).toContain(why);
  }
  // A value whose word before it says another length: it would lead a kernel outside.
  const copy = columns.map((each) => each.slice());
  const view = new DataView(copy[3].buffer);
  for (const [field, value] of [
    [key.offset.VALUE_AT, 4],
    [key.offset.VALUE_BYTES, 9],
  ])
    view.setUint32(4 * field, value, true);
  await sendCalls(address, seed, copy);
  expect(dropped.at(-1)).toContain('a value outside');
  // Nobody else is hurt.
  expect((await runBlock(gpu)).statistics.executors.gpu).toBe(12);
  expect(server.figures).toMatchObject({ clients: 1, failed: 0 });
});

it('no fuel or answer is larger than a device may be given at a time', async () => {
  const device = new V8Device();
  const { address, dropped } = await running(device);
  const calls = 4_100;
  const heads = new Uint32Array(calls * CALL_RECORD.words);
  const sendHeads = async (field: number, value: number): Promise<void> => {
    for (let i = 0; i < calls; i++) heads[i * CALL_RECORD.words + field] = value;
    const columns = [
      new Uint8Array(32),
      new Uint8Array(heads.buffer.slice(0)),
      ...[0, 0, 0].map(() => new Uint8Array(0)),
    ];
    await sendCalls(address, 0, [...columns, new Uint8Array(Uint32Array.of(calls).buffer)]);
  };
  await sendHeads(CALL_RECORD.offset.EXPECTED_BYTES, 0xffffffff);
  expect(dropped.at(-1)).toContain('too large an answer');
  heads.fill(0);
  await sendHeads(CALL_RECORD.offset.FUEL, 25_000_000);
  expect(dropped.at(-1)).toContain('too much fuel');
});

/** Sends calls, and waits until the connection ends, or they are answered. */
async function sendCalls(address: string, seed: number, columns: Columns, greets = true): Promise<void> {
  const socket = connect({ path: address.slice('unix:'.length) });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  let heard = 0;
  const ended = new Promise<void>((resolve) => {
    socket.once('close', resolve);
    socket.on('data', ({ length }) => {
      heard += length;
      if (heard > frame({ kind: 'welcome', version: 2, lane: 'hardware', adapter: 'V8' }).length) resolve();
    });
  });
  if (greets) socket.write(frame({ kind: 'hello', version: 2, token: '' }));
  socket.write(frame({ kind: 'calls', id: 1, priority: 'tip', seed, columns }));
  await ended;
}
