import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuExecutor } from '../../src/gpu/pack/types.js';
import { decodeModule } from '../../src/program/decode.js';
import { opcodeInfo } from '../../src/program/opcodes.js';
import { readForms } from '../../src/testing/wasm-suite/s-expressions.js';
import { readScript } from '../../src/testing/wasm-suite/script.js';
import { runScript, type SuiteCounts } from '../../src/testing/wasm-suite/suite.js';
import {
  blockScripts,
  branchTableScript,
  callScript,
  recursionScript,
  shapesSeen,
  tableScript,
} from './suite-cases/control.js';
import { bulkScript, loadScripts, storeScripts } from './suite-cases/memory.js';
import { CONVERSIONS, NUMBER_OPERATORS, numberScript, operandsSeen } from './suite-cases/numbers.js';

const { parseWat } = await wabt();

function toBinary(text: string): Uint8Array {
  const module = parseWat('module.wat', text, { bulk_memory: true, multi_value: true, reference_types: true });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

const ofType = (type: string) => NUMBER_OPERATORS.filter(({ name }) => name.startsWith(type));
const [loads32, loads64] = loadScripts();
const [stores32, stores64] = storeScripts();
const [blocks, loops, ifs, elses] = blockScripts();
const SCRIPTS: readonly (readonly [string, string])[] = [
  ['operators of i32', numberScript(ofType('i32'))],
  ['operators of i64', numberScript(ofType('i64'))],
  ['conversions', numberScript(CONVERSIONS)],
  ['loads of i32', loads32 ?? ''],
  ['loads of i64', loads64 ?? ''],
  ['stores of i32', stores32 ?? ''],
  ['stores of i64', stores64 ?? ''],
  ['bulk memory', bulkScript()],
  ['block', blocks ?? ''],
  ['loop', loops ?? ''],
  ['if', ifs ?? ''],
  ['else', elses ?? ''],
  ['br_table', branchTableScript()],
  ['calls, globals, select and traps', callScript()],
  ['recursion', recursionScript()],
  ['tables that change', tableScript()],
];
/** What the kernel leaves to the CPU, by its reason: all calls of these scripts. */
const LEFT: Readonly<Record<string, string>> = { recursion: 'recursion', 'tables that change': 'table' };

const callsOf = (text: string): number => readForms(text).filter(({ expression }) => expression[0] !== 'module').length;

function clean(text: string, counts: SuiteCounts): void {
  expect({ wrongs: counts.wrongs, throws: counts.throws }).toEqual({ wrongs: [], throws: [] });
  const { run, wrong, thrown, priced, passedOver, refused } = counts;
  expect({ run, wrong, thrown, priced, passedOver, refused }).toEqual({
    run: callsOf(text),
    wrong: 0,
    thrown: 0,
    priced: 0,
    passedOver: {},
    refused: {},
  });
}

describe('the meaning of instructions, instrumented, on V8', () => {
  it.each(SCRIPTS)('%s', async (_, text) => {
    clean(text, await runScript(text, { toBinary }));
  });
});

describe('the meaning of instructions in the kernel', () => {
  let lane: GpuExecutor;
  beforeAll(async () => {
    lane = await openGpuExecutor({ patient: true });
  });
  afterAll(() => lane?.close());

  it.each(SCRIPTS)('%s', async (name, text) => {
    const counts = await runScript(text, { toBinary, lane });
    clean(text, counts);
    const { punts, ranInKernel } = counts;
    const reason = LEFT[name];
    if (reason === undefined) expect({ punts, ranInKernel }).toEqual({ punts: {}, ranInKernel: callsOf(text) });
    else expect(Object.keys(punts)).toEqual([reason]);
  });
});

describe('coverage of the cases', () => {
  it('every instruction that a program may use is called, number operators over hundreds of operands', () => {
    const called = new Map<number, number>();
    for (const [, text] of SCRIPTS) {
      for (const { source, calls } of readScript(text).modules) {
        const module = decodeModule(toBinary(String(source)));
        const body = new Map(module.exports.map(({ name, index }) => [name, module.functions[index]?.code ?? []]));
        for (const { name } of calls) {
          for (const op of new Set(body.get(name)?.map((i) => i.op))) called.set(op, (called.get(op) ?? 0) + 1);
        }
      }
    }
    const allowed = Array.from({ length: 0xfc20 }, (_, op) => op).filter((op) => opcodeInfo(op) !== undefined);
    expect(allowed.filter((op) => !called.has(op)).map((op) => op.toString(16))).toEqual([]);
    // What reads or writes memory is called at each of its addresses and alignments.
    const accesses = allowed.filter((op) => op >= 0x28 && op <= 0x3e);
    expect(accesses.filter((op) => (called.get(op) ?? 0) < 10).map((op) => op.toString(16))).toEqual([]);
    const numbers = allowed.filter((op) => op >= 0x45 && op <= 0xc4);
    expect(operandsSeen.size).toBe(numbers.length);
    expect(Math.min(...operandsSeen.values())).toBeGreaterThan(300);
  });

  it('every kind of block is left in every way, from its body and deeper, with or without parameters', () => {
    const wanted = ['block', 'loop', 'if', 'else'].flatMap((kind) =>
      ['end', 'return', 'br', 'br_if', 'br_table'].flatMap((exit, i) =>
        (i < 2 ? [0] : [0, 2]).flatMap((depth) =>
          [0, 1, 2].flatMap((params) => [0, 1, 2].map((results) => `${kind} ${exit} ${depth} ${params} ${results}`)),
        ),
      ),
    );
    expect(wanted.filter((shape) => !shapesSeen.has(shape))).toEqual([]);
  });
});
