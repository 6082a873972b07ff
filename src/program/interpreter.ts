/**
 * Runs programs that V8 need not compile: compiling takes it some 60 ns a byte, however little of the program runs, and
 * a transaction may enter hundreds of them (lane rules 5 give code no price). The interpreter goes over the bytes as
 * they came. Results, fuel and slots are those of the instrumented code on V8.
 */
import { InternalError } from '../errors/errors.js';
import { interpreterModule } from '../util/built-wasm.js';
import { WHY_NONE } from './counters.js';
import { ENV_NAMES } from './env.js';
import { type Frame, LIVE_PAGES, MESSAGE_FRAME } from './frame.js';
import { HostFunctions } from './host-functions.js';
import { InterpretedMemory } from './interpreted-memory.js';
import { CALLERS_BYTES, FRAMES, OPERANDS_BYTES, STATE, WORD } from './interpreter-layout.js';
import type { KeptImage } from './kept-images.js';
import { addressesFor, type LaidOut, LaidOutPrograms, type PuttingAway } from './laid-out-programs.js';
import type { ActiveSegment } from './lay-out.js';
import type { ProgramRun, RunInner } from './program-run.js';
import type { PutAwayPrograms } from './put-away.js';
import type { ReturnBuffer } from './return-buffer.js';
import type { RunState } from './run-state.js';
import type { Program } from './types.js';

const PAGE_SHIFT = 16;
const PAGE = 1 << PAGE_SHIFT;
/** The longest result that is left where it is: none, for the memory is someone else's next. */
const COPIED_BYTES = Number.POSITIVE_INFINITY;

/** What wasm/native/interpreter.ts exports. */
interface InterpreterCode extends PuttingAway {
  readonly fuel: WebAssembly.Global;
  readonly why: WebAssembly.Global;
  readonly slots: WebAssembly.Global;
  readonly operandsTop: WebAssembly.Global;
  readonly callersTop: WebAssembly.Global;
  heapBase(): number;
  run(program: number, state: number, index: number, operands: number, callers: number): number;
}

type HostCall = (a: number, b: number, c: number, d: number) => number | undefined;

let compiled: WebAssembly.Module | undefined;

/** One per runner. Frames of which one calls the next share its memory: theirs lie one behind the other in it. */
export class Interpreter {
  readonly heap: Uint8Array;
  readonly words: Int32Array;
  readonly code: InterpreterCode;
  readonly operandsAt: number;
  readonly callersAt: number;
  /** Where the memories of frames begin. */
  readonly memoriesAt: number;
  readonly #statesAt: number;
  readonly programs: LaidOutPrograms;
  readonly #frames: InterpretedFrame[] = [];
  readonly #runInner: RunInner;
  readonly #returned: ReturnBuffer;
  /** Frames under way. */
  live = 0;
  /** The greatest end of a frame's memory so far, and since the last message ended. */
  highest = 0;
  highestNow = 0;

  /**
   * `programBytes`: room for programs; those that must leave it go to `away`. Addresses are set aside for them and for
   * the memories of frames; the system gives memory for what is used. Throws `RangeError` if there are no addresses to
   * be had.
   */
  constructor(programBytes: number, away: PutAwayPrograms, runInner: RunInner, returned: ReturnBuffer) {
    this.#runInner = runInner;
    this.#returned = returned;
    compiled ??= new WebAssembly.Module(Uint8Array.from(interpreterModule()));
    const fixed = OPERANDS_BYTES + CALLERS_BYTES + FRAMES * STATE.bytes + PAGE;
    const addresses = addressesFor(programBytes);
    const pages = Math.ceil((fixed + addresses) / PAGE) + LIVE_PAGES + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const host = (number: number, operands: number): number => this.#call(number, operands);
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory, host, bring: this.#bringParts } });
    this.code = exports as unknown as InterpreterCode;
    this.heap = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.operandsAt = this.code.heapBase();
    this.callersAt = this.operandsAt + OPERANDS_BYTES;
    this.#statesAt = this.callersAt + CALLERS_BYTES;
    const programsAt = this.#statesAt + FRAMES * STATE.bytes;
    this.programs = new LaidOutPrograms(this.heap, programsAt, programBytes, this.code, away);
    this.memoriesAt = (programsAt + addresses + PAGE - 1) & -PAGE;
  }

  /** A frame for a run of `program`; undefined if it must be compiled: no room for it, or it never runs at all. */
  frameFor(program: Program): ProgramRun | undefined {
    const kept = this.programs.find(program);
    if (kept === undefined) return undefined;
    if (this.live === this.#frames.length) this.#addFrame();
    const frame = this.#frames[this.live];
    frame.program = kept;
    return frame;
  }

  /** A message has ended: bytes that the memories of its frames took. */
  messageEnded(): number {
    const end = this.highestNow;
    this.highest = Math.max(this.highest, end);
    this.highestNow = 0;
    return Math.max(0, end - this.memoriesAt);
  }

  /** Bytes that memories of frames have taken of the machine's memory. */
  get takenBytes(): number {
    return Math.max(0, this.highest - this.memoriesAt);
  }

  #addFrame(): void {
    const state = this.#statesAt + this.live * STATE.bytes;
    this.#frames.push(new InterpretedFrame(this, state, this.#runInner, this.#returned));
  }

  /** The frame around the one that begins, if the interpreter runs it. */
  get around(): InterpretedFrame | undefined {
    return this.live === 0 ? undefined : this.#frames[this.live - 1];
  }

  /** Brings what the program that runs has from `from` to `to`, as far as it is not there. */
  readonly #bringParts = (_: number, from: number, to: number): void => {
    const program = this.around?.program;
    if (program === undefined) throw new InternalError('a part of a program was asked for outside a run');
    this.programs.bring(program, from, to);
  };

  #call(number: number, operands: number): number {
    const frame = this.around;
    if (frame === undefined) throw new InternalError('a host function was called outside a run');
    const at = operands / WORD;
    const { words } = this;
    return frame.calls[number](words[at], words[at + 2], words[at + 4], words[at + 6]) ?? 0;
  }
}

/** A frame of the interpreter, for one run after the other. */
class InterpretedFrame implements ProgramRun {
  readonly functions: HostFunctions;
  readonly calls: readonly HostCall[];
  readonly copiedBytes = COPIED_BYTES;
  /** Nothing is made anew for a run. */
  readonly references = 0;
  readonly #memory: InterpretedMemory;
  readonly #interpreter: Interpreter;
  readonly #state: number;
  program: KeptImage<LaidOut> | undefined;
  fuelInside = 0;
  #frame: Frame = MESSAGE_FRAME;
  /** Of the run that is under way, or was the last. */
  #firstBytes = 0;
  #at = 0;
  #functions: readonly number[] = [];
  #operands = 0;
  #callers = 0;

  constructor(interpreter: Interpreter, state: number, runInner: RunInner, returned: ReturnBuffer) {
    const { heap, words, code } = interpreter;
    this.#interpreter = interpreter;
    this.#state = state;
    this.#memory = new InterpretedMemory(heap, words, state, code.fuel);
    this.functions = new HostFunctions((...call) => runInner(this, ...call), returned);
    this.functions.attach(this.#memory);
    const imports = this.functions.imports();
    this.calls = ENV_NAMES.map((name) => imports[name] as HostCall);
  }

  get why(): WebAssembly.Global {
    return this.#interpreter.code.why;
  }

  get frameInside(): Frame {
    const { depth, pages } = this.#frame;
    const slots = this.#interpreter.code.slots.value as number;
    return { depth: depth + 1, slots, pages: pages - (this.#memory.length >>> PAGE_SHIFT) };
  }

  get grownBytes(): number {
    return this.#memory.length - this.#firstBytes;
  }

  /** Where the memory of the next frame begins. */
  get memoryEnd(): number {
    return this.#interpreter.words[(this.#state + STATE.memory) / WORD] + this.#memory.length;
  }

  begin(state: RunState, fuel: number, frame: Frame): void {
    const { program } = this;
    if (program === undefined) throw new InternalError('the interpreter has no program to run');
    const interpreter = this.#interpreter;
    const { code, around } = interpreter;
    this.#operands = around === undefined ? interpreter.operandsAt : (code.operandsTop.value as number);
    this.#callers = around === undefined ? interpreter.callersAt : (code.callersTop.value as number);
    const memory = around === undefined ? interpreter.memoriesAt : around.memoryEnd;
    this.#layOut(program, memory, frame);
    code.fuel.value = fuel;
    code.slots.value = frame.slots;
    code.why.value = WHY_NONE;
    this.functions.begin(state, frame.depth);
    this.#frame = frame;
    this.#at = program.start;
    this.#functions = program.image.image.functions;
    this.fuelInside = 0;
    program.users++;
    interpreter.live++;
  }

  readonly execute = (): number => {
    const { code } = this.#interpreter;
    let result = 0;
    for (const index of this.#functions) {
      result = code.run(this.#at, this.#state, index, this.#operands, this.#callers);
    }
    return result;
  };

  finish(): void {
    const interpreter = this.#interpreter;
    this.functions.finish();
    interpreter.live--;
    interpreter.highestNow = Math.max(interpreter.highestNow, this.memoryEnd);
    if (this.program !== undefined) this.program.users--;
    this.program = undefined;
  }

  /** What the program begins with: all that is laid out is paid for by the entry charge (lane rules 5). */
  #layOut(program: KeptImage<LaidOut>, memory: number, frame: Frame): void {
    const { heap, words } = this.#interpreter;
    const { image } = program.image;
    const state = this.#state;
    const bytes = image.minPages << PAGE_SHIFT;
    this.#firstBytes = bytes;
    words[(state + STATE.memory) / WORD] = memory;
    words[(state + STATE.memoryBytes) / WORD] = bytes;
    words[(state + STATE.pages) / WORD] = Math.min(frame.pages, image.mostPages);
    words[(state + STATE.tableSize) / WORD] = image.tableSize;
    words[(state + STATE.tableMost) / WORD] = image.tableMost;
    heap.fill(0, memory, memory + bytes);
    heap.fill(0, state + STATE.table, state + STATE.table + WORD * image.tableSize);
    const copy = ({ from, length }: ActiveSegment, to: number): void => {
      this.#interpreter.programs.bring(program, from, from + length);
      heap.copyWithin(to, program.start + from, program.start + from + length);
    };
    copy(image.globals, state + STATE.globals);
    copy(image.dataLeft, state + STATE.data);
    copy(image.elementsLeft, state + STATE.elements);
    for (const segment of image.elements) copy(segment, state + STATE.table + WORD * segment.to);
    for (const segment of image.data) copy(segment, memory + segment.to);
  }
}
