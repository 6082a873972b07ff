/** One V8 instance of a program. */
import { HostFunctions } from './host-functions.js';
import { RESET } from './reuse.js';
import { GLOBAL_FUEL, GLOBAL_STACK, GLOBAL_WHY, type Program, type RunHost, STACK_SLOTS } from './types.js';

/**
 * An instance and what a run needs of it. `begin` gives it the state of a fresh one (lane rules 4), as long as
 * `canServeAgain` said so after the run before.
 */
export class ProgramInstance {
  readonly functions: HostFunctions;
  readonly exports: WebAssembly.Exports;
  readonly execute: () => number;
  readonly fuel: WebAssembly.Global;
  readonly why: WebAssembly.Global;
  /** Bytes of memory that it began with. */
  readonly memoryBytes: number;
  readonly #stack: WebAssembly.Global;
  readonly #reset: ((fuel: number) => void) | undefined;
  readonly #images: readonly { readonly start: number; readonly bytes: Uint8Array }[];
  #used = false;

  /** Throws `WebAssembly.RuntimeError` if a segment is out of bounds, `RangeError` if there is no memory to be had. */
  constructor(program: Program, module: WebAssembly.Module) {
    this.functions = new HostFunctions();
    const { exports } = new WebAssembly.Instance(module, { env: this.functions.imports() });
    this.exports = exports;
    const counter = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global;
    this.fuel = counter(GLOBAL_FUEL);
    this.why = counter(GLOBAL_WHY);
    this.#stack = counter(GLOBAL_STACK);
    this.functions.attach(exports.memory as WebAssembly.Memory, this.fuel);
    this.execute = exports.__execute as () => number;
    this.#reset = exports[RESET] as ((fuel: number) => void) | undefined;
    const { bytes } = this.functions.memory;
    this.memoryBytes = bytes.length;
    const images = program.reuse.reusable ? program.reuse.images : [];
    this.#images = images.map(({ start, end }) => ({ start, bytes: bytes.slice(start, end) }));
  }

  /** Makes it ready for one run. */
  begin(host: RunHost, fuel: number): void {
    this.functions.begin(host);
    if (this.#used && this.#reset !== undefined) {
      this.#reset(fuel);
      const { bytes } = this.functions.memory;
      for (const image of this.#images) bytes.set(image.bytes, image.start);
    } else {
      this.fuel.value = fuel;
      this.#stack.value = STACK_SLOTS;
    }
    this.#used = true;
  }

  /** Whether `begin` can undo all that the run did. No memory can be made smaller again. */
  get canServeAgain(): boolean {
    return this.#reset !== undefined && this.functions.memory.bytes.length === this.memoryBytes;
  }
}
