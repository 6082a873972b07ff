/**
 * Our validator against the one of the engine that runs the test. They must agree wherever only WebAssembly 2.0 without
 * floats is concerned. Deliberate differences have codes of their own: what the lane rules leave out or limit
 * (WASM_FLOAT, WASM_UNSUPPORTED, WASM_LIMIT, WASM_IMPORT, WASM_EXPORT) may be valid. Whatever we accept must be valid.
 */
import { describe, expect, it } from 'vitest';
import { ProgramError } from '../../src/errors/errors.js';
import { decodeModule, readModule } from '../../src/program/decode.js';
import { make } from '../../src/program/decode-code.js';
import { encodeModule } from '../../src/program/encode.js';
import type { Instruction, WasmModule } from '../../src/program/module.js';
import { FUNCREF, opcodeInfo } from '../../src/program/opcodes.js';
import { validateModule } from '../../src/program/validate.js';
import { randomModule } from '../../src/selftest/fuzz-kernel/generate.js';
import { Random } from '../../src/selftest/fuzz-kernel/random.js';
import { block, brTable, end, get, i32, i64, if_, loop, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';

function verdict(wasm: Uint8Array): string {
  try {
    validateModule(readModule(wasm));
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return error.code;
  }
}

/** Fails if `wasm` is accepted and not valid, or refused as malformed or invalid and valid; gives the verdict. */
function compare(wasm: Uint8Array, what: string): string {
  const ours = verdict(wasm);
  const valid = WebAssembly.validate(Uint8Array.from(wasm));
  const disagree = valid ? ours === 'WASM_INVALID' || ours === 'WASM_MALFORMED' : ours === 'accepted';
  if (disagree) expect.fail(`${what}: ${ours} by us, ${valid ? 'valid' : 'not valid'} to the engine`);
  return ours;
}

/** A module with every kind of block type, references, segments and a table. */
function rich(): Uint8Array {
  const b = new WasmBuilder();
  const log = b.import('__log');
  const pair = b.type('(i32,i64)->i64,i32');
  const taking = b.type('(i32)->()');
  b.type('(funcref)->funcref');
  b.global('i32', 1);
  b.global('i64', 2n, false);
  const f = b.function('(i32,i64)->i64,i32', [get(1), get(0)], ['funcref', 'i32']);
  b.globals.push({ type: 'funcref', mutable: true, init: { kind: 'ref.func', index: f } });
  b.tableOf(f, log);
  b.elements.push({ mode: 'passive', table: 0, offset: undefined, items: [{ kind: 'ref.null' }] });
  b.elements.push({ mode: 'declarative', table: 0, offset: undefined, items: [{ kind: 'ref.func', index: log }] });
  b.data(8, Uint8Array.of(1, 2, 3));
  b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(4) });
  b.dataCount = 2;
  b.start = b.function('()->()', []);
  const blockOf = (index: number) => ({ kind: 'type', index }) as const;
  b.function('(i32)->i64,i32', [
    ...[get(0), i64(3n), loop(blockOf(pair)), op(OP.drop), op(OP.drop), i32(1), i64(4n), i32(0), op(OP.brIf, 0)],
    ...[op(OP.drop), op(OP.drop), i64(5n), i32(6), end, if_(blockOf(b.type('(i64)->i64'))), i64(1n), op(0x7c), end],
    ...[i32(1), block(blockOf(taking)), op(OP.drop), i32(0), brTable(0, 0), end],
    ...[op(OP.refFunc, log), op(OP.refIsNull), op(OP.drop), op(OP.refNull, FUNCREF), op(OP.globalSet, 2)],
    ...[i32(0), op(OP.tableGet, 0), i32(1), op(OP.tableGrow, 0), op(OP.drop)],
    ...[
      i32(0),
      i32(0),
      i32(1),
      op(OP.memoryInit, 1),
      op(OP.dataDrop, 1),
      i32(0),
      i32(0),
      i32(0),
      op(OP.tableInit, 1, 0),
    ],
    ...[i32(1), i32(2), i32(3), op(OP.select), op(OP.return), op(OP.select), op(OP.unreachable)],
  ]);
  return b.execute([i32(1), i64(1n), i32(0), op(OP.callIndirect, pair, 0), op(OP.drop), op(OP.drop), i32(4)]).bytes();
}

const OPCODES = Array.from({ length: 0xfc20 }, (_, code) => code).filter((code) => opcodeInfo(code) !== undefined);

function randomInstruction(random: Random, module: WasmModule): Instruction {
  const code = random.of(OPCODES);
  const small = (): number => random.pick(4);
  switch (opcodeInfo(code)!.immediate) {
    case 'block': {
      const types = [
        { kind: 'empty' },
        { kind: 'value', type: random.of(['i32', 'i64', 'funcref'] as const) },
      ] as const;
      const index = random.pick(module.types.length + 1);
      const type = random.once(2) ? ({ kind: 'type', index } as const) : random.of(types);
      return make(code, undefined, undefined, undefined, undefined, type);
    }
    case 'brTable':
      return brTable(small(), small(), small());
    case 'memory':
      return make(code, small(), small());
    case 'i64':
      return i64(BigInt(small()));
    case 'select':
      return make(code, random.of([0x7f, 0x7e, 0x70]));
    case 'refType':
      return make(code, FUNCREF);
    case 'zero':
    case 'zero2':
      return make(code, 0, 0);
    default:
      return make(code, small(), random.once(4) ? 1 : 0);
  }
}

/** Code with a few instructions put in, taken out, doubled or exchanged. */
function mutated(random: Random, module: WasmModule, code: readonly Instruction[]): Instruction[] {
  const out = [...code];
  for (let edits = 1 + random.pick(3); edits > 0; edits--) {
    const at = random.pick(out.length);
    const kind = random.pick(5);
    if (kind === 0 && out.length > 1) out.splice(at, 1);
    else if (kind === 1) out.splice(at, 0, out[random.pick(out.length)]);
    else if (kind === 2) out.splice(at, 1, randomInstruction(random, module));
    else if (kind === 3) out.splice(at, 0, randomInstruction(random, module));
    else out.splice(at, 0, op(random.of([OP.unreachable, OP.return])), randomInstruction(random, module));
  }
  return out;
}

/** One module in four is the rich one. */
function original(seed: number, index: number): Uint8Array {
  return index % 4 === 0 ? rich() : randomModule(seed, index);
}

const MODULES = Number(process.env.WARPSHREW_VALIDATOR_MODULES ?? 24);
const SEED = Number(process.env.WARPSHREW_VALIDATOR_SEED ?? 10);

describe('our validator and the engine', () => {
  it('take the modules that are changed below', () => {
    for (let i = 0; i < MODULES; i++) expect(compare(original(SEED, i), `module ${i}`)).toBe('accepted');
  });

  it('agree over modules whose instructions were changed at random', () => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < MODULES; i++) {
      const random = new Random(SEED, 1_000 + i);
      const module = decodeModule(original(SEED, i));
      for (let n = 0; n < 40; n++) {
        const which = random.pick(module.functions.length);
        const functions = module.functions.map((body, at) =>
          at === which ? { ...body, code: mutated(random, module, body.code) } : body,
        );
        const result = compare(encodeModule({ ...module, functions }), `module ${i}, change ${n}`);
        counts[result] = (counts[result] ?? 0) + 1;
      }
    }
    // Both verdicts must come up often, or the test would show nothing.
    expect(counts.accepted).toBeGreaterThan(MODULES);
    expect(counts.WASM_INVALID).toBeGreaterThan(MODULES * 10);
  });

  it('agree over modules of which bytes were changed at random', () => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < MODULES; i++) {
      const random = new Random(SEED, 2_000 + i);
      const bytes = original(SEED, i);
      for (let n = 0; n < 80; n++) {
        const changed = Uint8Array.from(bytes);
        const at = random.pick(bytes.length);
        changed[at] = random.once(2) ? random.pick(256) : changed[at] ^ (1 << random.pick(8));
        const result = compare(changed, `module ${i}, byte ${at} = ${changed[at]}`);
        counts[result] = (counts[result] ?? 0) + 1;
      }
    }
    expect(counts.accepted).toBeGreaterThan(MODULES);
    expect((counts.WASM_INVALID ?? 0) + (counts.WASM_MALFORMED ?? 0)).toBeGreaterThan(MODULES * 10);
  });
});
