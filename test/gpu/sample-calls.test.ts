import { expect, test } from 'vitest';
import { prepareProgram } from '../../src/program/prepare.js';
import { ledgerCalls, namesCalls } from '../../src/selftest/bench/sample-calls.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { toHex } from '../../src/util/bytes.js';
import { expected } from './support.js';

const COUNT = 200;

test('ledger calls are transfers, most of which hold, each with its own balances', () => {
  const calls = ledgerCalls(prepareProgram(builtPrograms().ledger), COUNT);
  calls.forEach((call, i) => {
    const fails = i % 16 === 15 || i % 17 === 16 || i % 64 === 63;
    expect(expected(call), `call ${i}`).toMatchObject({ status: fails ? 'REVERT' : 'OK' });
  });
  expect(new Set(calls.map(({ reads }) => toHex(reads[0].value!))).size).toBe(COUNT);
});

test('names calls are registrations and, every fourth, an update', () => {
  const calls = namesCalls(prepareProgram(builtPrograms().names), COUNT);
  calls.forEach((call, i) => {
    const update = i % 4 === 3;
    const fails = update ? (i >> 2) % 16 === 15 : i % 17 === 16;
    const { status, fuelLeft } = expected(call);
    expect(status, `call ${i}`).toBe(fails ? 'REVERT' : 'OK');
    expect(call.fuel - fuelLeft! > 150_000, `call ${i}`).toBe(update);
  });
});
