/**
 * What the project makes of a contract build: whether the rules admit it, what preparing and compiling take, whether
 * the kernel's translator takes it, and how one call of each opcode that it names ends.
 */
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { ProgramError } from '../../errors/errors.js';
import type { CpuRunner } from '../../execute/tasks/drive.js';
import { translateProgram } from '../../gpu/translate/module.js';
import { codeKey, SEQUENCE_KEY, sheetKey } from '../../lane/keys.js';
import type { MessageStatus } from '../../lane/types.js';
import { buildProgram } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { encodeSheet, Sheet } from '../../protocol/sheet.js';
import { seededBytes } from '../../selftest/inputs/prng.js';
import { concatBytes, u128Bytes } from '../../util/bytes.js';
import { KeyRing } from '../regtest/keys.js';
import { call, id } from '../regtest/messages.js';
import { RegtestChain } from '../regtest/regtest-chain.js';
import { inputsFor, type MetaMethod } from './arguments.js';
import type { Build } from './builds.js';
import { LaneMap } from './lane-map.js';
import { metaOf } from './meta.js';
import { unsignedTransaction } from './unsigned.js';

export interface OpcodeCall {
  readonly name: string;
  readonly opcode: string;
  /** INTERNAL: an error of the project's own; never the contract's fault. */
  readonly status: MessageStatus | 'INTERNAL';
  readonly error: string | undefined;
  readonly fuelUsed: number;
  readonly ms: number;
}

export interface BuildReport {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
  /** Why the rules refuse it; undefined if they admit it. */
  readonly refused: string | undefined;
  /** Reading, validating and instrumenting. */
  readonly prepareMs: number;
  /** V8's part. */
  readonly compileMs: number;
  readonly pages: number;
  readonly entryFuel: number;
  readonly makesCalls: boolean;
  /** Why the kernel's translator does not take it; undefined if it does. */
  readonly untranslated: string | undefined;
  /** Why nothing is known of its opcodes; undefined if they are known. */
  readonly noMeta: string | undefined;
  readonly calls: readonly OpcodeCall[];
}

/** Of contracts that do not say what they understand: these opcodes, each with some numbers. */
const GUESSED_OPCODES = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 77n, 99n];
const GUESSED_PARAMETERS = ['u128', 'u128', 'u128', 'u128'].map((type) => ({ name: '', type }));
/** Opcodes that initialise, by custom. */
const INITIALISING = [0n, 0x7fffn];
const CONTRACT = id(2, 1);
/** Where contracts of this family look for the code of their auth token. */
const AUTH_TOKEN = id(4, 0xffed);
/** Of the contract's own asset, of one that does not exist, and of a third one. */
const ASSETS = [CONTRACT, id(2, 2), id(4, 77)];
const AMOUNT = 1_000_000n;
/** The memory window that the translator is asked for: the largest one. */
const WINDOW = { bytes: 64 * 1024, place: 'storage' } as const;

/**
 * Checks one build. `authToken`: a build that is put at 4:65517, where contracts that make themselves an auth token
 * clone it from. Never throws because of the build.
 */
export function checkBuild(build: Build, runner: CpuRunner, authToken?: Uint8Array): BuildReport {
  const begun = performance.now();
  let program: Program;
  try {
    program = buildProgram(build.wasm, build.hash);
  } catch (error) {
    const refused = error instanceof ProgramError ? describe(error) : `INTERNAL: ${String(error)}`;
    return { ...nothing(build), refused, prepareMs: performance.now() - begun };
  }
  const prepareMs = performance.now() - begun;
  const compiling = performance.now();
  new WebAssembly.Module(Uint8Array.from(program.instrumented));
  const compileMs = performance.now() - compiling;
  const meta = methodsToCall(build.wasm, runner);
  return {
    ...nothing(build),
    ...{ prepareMs, compileMs, pages: program.minPages, entryFuel: program.entryFuel },
    makesCalls: program.makesCalls,
    untranslated: untranslated(program),
    noMeta: meta.noMeta,
    calls: callEach(build, meta.methods, runner, authToken),
  };
}

function nothing({ name, hash, wasm }: Build): BuildReport {
  return {
    ...{ name, hash, bytes: wasm.length, refused: undefined, prepareMs: 0, compileMs: 0, pages: 0, entryFuel: 0 },
    ...{ makesCalls: false, untranslated: undefined, noMeta: undefined, calls: [] },
  };
}

function describe(error: ProgramError): string {
  const facts = Object.entries(error.facts).map(([name, value]) => `${name} ${value}`);
  return [`${error.code}: ${error.message}`, ...facts].join(', ');
}

function untranslated(program: Program): string | undefined {
  try {
    const translation = translateProgram(program, WINDOW);
    return translation.ok ? undefined : translation.reason;
  } catch (error) {
    return `INTERNAL: ${String(error)}`;
  }
}

interface Methods {
  readonly methods: readonly MetaMethod[];
  readonly noMeta: string | undefined;
}

function methodsToCall(wasm: Uint8Array, runner: CpuRunner): Methods {
  const meta = metaOf(wasm, runner);
  if (typeof meta !== 'string') return { methods: meta, noMeta: undefined };
  const methods = GUESSED_OPCODES.map((opcode) => ({ name: '', opcode, parameters: GUESSED_PARAMETERS }));
  return { methods, noMeta: meta };
}

/** Creates the contract by its initialising method, then calls every other one, each in a block of its own. */
function callEach(
  build: Build,
  methods: readonly MetaMethod[],
  runner: CpuRunner,
  authToken: Uint8Array | undefined,
): OpcodeCall[] {
  const place = new Place(runner, authToken);
  const first = methods.find(({ opcode }) => INITIALISING.includes(opcode)) ?? methods.at(0);
  if (first === undefined) return [];
  const calls = [place.call(first, build.wasm)];
  place.ensureCode(build.wasm);
  for (const method of methods) if (method !== first) calls.push(place.call(method));
  return calls;
}

/** A lane with the contract at 2:1. */
class Place {
  readonly #lane: LaneMap;
  readonly #chain = new RegtestChain();
  readonly #miner = new KeyRing('contracts').lock('p2wpkh');
  #coins = 0;

  constructor(runner: CpuRunner, authToken: Uint8Array | undefined) {
    this.#lane = new LaneMap(runner);
    if (authToken !== undefined) this.#putCode(AUTH_TOKEN, authToken);
  }

  /** Puts the code there if its creation failed by its own run. */
  ensureCode(wasm: Uint8Array): void {
    if (this.#lane.state.has(codeKey(CONTRACT))) return;
    this.#putCode(CONTRACT, wasm);
    this.#lane.state.set(SEQUENCE_KEY, u128Bytes(2n));
  }

  #putCode(of: typeof CONTRACT, wasm: Uint8Array): void {
    this.#lane.state.set(codeKey(of), concatBytes(Uint8Array.of(0), wasm));
  }

  /** One message; with `wasm` it creates the contract. */
  call(method: MetaMethod, wasm?: Uint8Array): OpcodeCall {
    const coin = { txid: seededBytes('contracts', 'coin', this.#coins++), vout: 0 };
    const entries = ASSETS.map((asset) => ({ id: asset, amount: AMOUNT }));
    this.#lane.state.set(sheetKey(coin.txid, coin.vout), encodeSheet(Sheet.of(entries)));
    const tx = unsignedTransaction({
      spend: [coin],
      stones: [call(wasm === undefined ? CONTRACT : id(1, 0), inputsFor(method))],
      ...(wasm && { body: Uint8Array.from(gzipSync(wasm)) }),
    });
    const { raw, height } = this.#chain.mine(this.#miner, { transactions: [tx] });
    const about = { name: method.name, opcode: String(method.opcode) };
    const begun = performance.now();
    try {
      const [message] = this.#lane.run(raw, height)[0].messages;
      const { status, error, fuelUsed } = message;
      return { ...about, status, error, fuelUsed, ms: performance.now() - begun };
    } catch (error) {
      return { ...about, status: 'INTERNAL', error: String(error), fuelUsed: 0, ms: performance.now() - begun };
    }
  }
}
