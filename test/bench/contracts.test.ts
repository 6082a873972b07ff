import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contractCall } from '../../src/cli/arguments.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { BareModules, BareRun } from '../../src/selftest/bench/contracts/bare-v8.js';
import { benchContractBlock, benchContracts, type ContractFile } from '../../src/selftest/bench/contracts/contracts.js';
import { methodsOf } from '../../src/selftest/bench/contracts/methods.js';
import { type RecordedFrame, RecordingHost } from '../../src/selftest/bench/contracts/recorded.js';
import { call, i32, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from '../program/support.js';

function built(name: string): ContractFile {
  const wasm = new Uint8Array(readFileSync(new URL(`../../dist/wasm/${name}.wasm`, import.meta.url)));
  return { name, wasm };
}

const calls = (...texts: string[]) => texts.flatMap((text) => contractCall(text));
const quick = { setup: [], calls: [], rounds: 30, onProgress: () => {} };

describe('bench contracts', () => {
  it('measures calls in the lane beside the same on V8 alone, which return the same', () => {
    const files = [built('programs/mint'), built('calls/recursion')];
    const setup = calls('0,1000,5');
    const rows = benchContracts(files, { ...quick, setup, calls: calls('77', '2/1,3', '2/2,2', '1234') });
    expect(rows.map(({ contract, call, status, frames }) => [contract, call, status, frames])).toEqual([
      ['programs/mint', '77', 'OK', 0],
      ['calls/recursion', '2/1,3', 'OK', 3],
      ['calls/recursion', '2/2,2', 'OK', 2],
      ['programs/mint', '1234', 'REVERT', 0],
    ]);
    for (const { lane, run, differences, fuel } of rows) {
      expect(lane.median).toBeGreaterThanOrEqual(run.median);
      expect(run.least).toBeGreaterThan(0);
      expect(fuel).toBeGreaterThan(0);
      expect(differences).toBe(0);
    }
    expect(rows[0].bare?.median).toBeGreaterThan(rows[0].execution?.median ?? Number.POSITIVE_INFINITY);
  });

  it('refuses a message before the calls that fails', () => {
    const setup = calls('77');
    expect(() => benchContracts([built('programs/mint')], { ...quick, setup })).toThrow(
      expect.objectContaining({ code: 'USAGE_BENCH' }),
    );
  });

  it('measures whole blocks of the first call', async () => {
    const blocks = { counts: [], rounds: 1, starts: 1, policies: ['cpu'] as const, workers: 1, onProgress: () => {} };
    const setup = calls('0,1000,5');
    const files = [built('programs/mint')];
    const { rows } = await benchContractBlock(files, { ...quick, setup, calls: calls('77') }, 20, blocks);
    expect(rows.map(({ count, ways, differences }) => [count, ways.map(({ policy }) => policy), differences])).toEqual([
      [20, ['sequential', 'cpu'], 0],
    ]);
  });

  it('does not run on V8 alone what ended without fuel', () => {
    const [row] = benchContracts([built('calls/burner')], { ...quick, rounds: 2, calls: calls('2') });
    expect([row.status, row.bare, row.overBare]).toEqual(['OUT_OF_FUEL', undefined, undefined]);
  });
});

describe('a call on V8 alone', () => {
  /** Answers the numbers of its context as its data. */
  function recorded(context: Uint8Array): RecordedFrame {
    const b = new WasmBuilder();
    const load = b.import('__load_context');
    const wasm = b.execute([i32(104), call(load)]).bytes();
    const recording = new RecordingHost(testHost({ context }).host, prepareProgram(wasm));
    recording.frame.end = new ProgramRunner().run(recording.frame.program, recording, 1_000_000);
    return recording.frame;
  }

  it('is answered as in the lane', () => {
    const frame = recorded(Uint8Array.of(1, 2, 3));
    expect(new BareRun(frame, new BareModules()).run()).toEqual(frame.end?.result);
    const other = { ...frame, context: Uint8Array.of(1, 2, 4) };
    expect(new BareRun(other, new BareModules()).run()).not.toEqual(frame.end?.result);
  });
});

describe('the methods of a contract', () => {
  it('are those that its __meta names, opcode 0 if it names none', () => {
    const text = JSON.stringify({
      methods: [
        { name: 'a', opcode: 77, params: [{ type: 'u128' }, { type: 'AlkaneId' }] },
        { name: 'bad', opcode: 'x' },
      ],
    });
    const b = new WasmBuilder();
    b.data(100, Uint8Array.of(text.length & 0xff, text.length >> 8, 0, 0, ...Buffer.from(text)));
    b.export('__meta', b.function('()->i32', [i32(104)]));
    const named = methodsOf(b.execute([i32(4)]).bytes(), 3);
    expect(named).toEqual([{ contract: 3, inputs: [77n, 1n, 2n, 1n], name: 'a' }]);
    const silent = new WasmBuilder().execute([i32(0), i32(0), store(), i32(4)]).bytes();
    expect(methodsOf(silent, 0)).toEqual([{ contract: 0, inputs: [0n], name: '0' }]);
  });
});
