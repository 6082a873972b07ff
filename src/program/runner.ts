import { InternalError } from '../errors.js';
import { HostFunctions, RunStop } from './host-functions.js';
import { BoundedCache } from './lru.js';
import {
  GLOBAL_FUEL,
  GLOBAL_STACK,
  GLOBAL_WHY,
  MESSAGE_FUEL,
  type Program,
  type RunHost,
  type RunResult,
  STACK_SLOTS,
  WHY_FUEL,
  WHY_HOST,
} from './types.js';

/** Compiled code kept at once: enough for every program of a busy block, bounded in bytes of WASM. */
const COMPILED_PROGRAMS = 256;
const COMPILED_BYTES = 64 * 1024 * 1024;

/** Runs programs on V8, one at a time: the truth that the kernel is compared with. One instance per thread. */
export class ProgramRunner {
  readonly #compiled = new BoundedCache<WebAssembly.Module>(COMPILED_PROGRAMS, COMPILED_BYTES);

  /**
   * Runs `__execute` once with fresh memory, globals and tables (lane rules 4 and 5).
   *
   * A module whose segments are out of bounds ends with TRAP and all its fuel left: no instruction ran.
   * Throws whatever `host` throws, and {@link InternalError} where the machine, not the program, failed (the engine's own
   * stack, no memory to be had): that is never a status.
   */
  run(program: Program, host: RunHost, fuel: number = MESSAGE_FUEL): RunResult {
    const functions = new HostFunctions(host);
    const end = (status: RunResult['status'], left: number, more?: Partial<RunResult>): RunResult => ({
      status,
      reason: 'none',
      fuelLeft: left,
      result: undefined,
      askedDryRun: functions.askedDryRun,
      ...more,
    });

    const module = this.compile(program);
    let instance: WebAssembly.Instance;
    try {
      instance = new WebAssembly.Instance(module, { env: functions.imports() });
    } catch (error) {
      // The instrumented module has no start section, so a RuntimeError here is a segment out of bounds.
      if (error instanceof WebAssembly.RuntimeError) return end('TRAP', fuel);
      throw machineFailure(program, error);
    }
    const counter = (name: string): WebAssembly.Global => instance.exports[name] as WebAssembly.Global;
    const left = counter(GLOBAL_FUEL);
    left.value = fuel;
    counter(GLOBAL_STACK).value = STACK_SLOTS;
    functions.attach(instance.exports.memory as WebAssembly.Memory, left);
    const execute = instance.exports.__execute as () => number;

    let pointer: number;
    try {
      pointer = execute();
    } catch (error) {
      if (error instanceof RunStop) {
        return error.reason === 'out-of-fuel'
          ? end('OUT_OF_FUEL', 0)
          : end('REVERT', left.value, { reason: error.reason });
      }
      if (error instanceof WebAssembly.RuntimeError) {
        const why = counter(GLOBAL_WHY).value;
        if (why === WHY_HOST) throw machineFailure(program, error);
        return why === WHY_FUEL ? end('OUT_OF_FUEL', 0) : end('TRAP', left.value);
      }
      // A RangeError is V8's stack overflow; anything else comes from `host`.
      throw error instanceof RangeError ? machineFailure(program, error) : error;
    }
    return end('OK', left.value, { result: functions.memory.read(pointer) });
  }

  private compile(program: Program): WebAssembly.Module {
    let module = this.#compiled.get(program.hash);
    if (!module) {
      module = new WebAssembly.Module(Uint8Array.from(program.instrumented));
      this.#compiled.set(program.hash, module, program.instrumented.length);
    }
    return module;
  }
}

function machineFailure(program: Program, cause: unknown): InternalError {
  return new InternalError('this machine could not run a program that the rules let run', {
    cause,
    facts: { program: program.hash, reason: cause instanceof Error ? cause.message : String(cause) },
    hint: 'Give the process more memory or a larger stack (node --stack-size) and start it again.',
  });
}
