/** The kernel for calls by themselves: the command's thread has it, the threads of tests send batches. */
import type { MessagePort } from 'node:worker_threads';
import type { CallColumns } from '../gpu/pack/records.js';
import type { GpuExecutor, SharedOutcomes } from '../gpu/pack/types.js';
import { prepareProgram } from '../program/prepare.js';
import type { Program } from '../program/types.js';

export interface DirectRequest {
  readonly kind: 'direct';
  readonly number: number;
  readonly seed: number;
  readonly columns: CallColumns;
  /** WASM by its hash. */
  readonly programs: ReadonlyMap<string, Uint8Array>;
}

export interface DirectReply {
  readonly number: number;
  /** Or why there are none. */
  readonly outcomes: SharedOutcomes | string;
}

/** Runs batches of independent calls. Never rejects. */
export async function runDirect(gpu: GpuExecutor, request: DirectRequest): Promise<DirectReply> {
  const { number, seed, columns } = request;
  try {
    const programs = new Map<string, Program>();
    for (const [hash, wasm] of request.programs) {
      const program = prepareProgram(wasm, hash);
      await gpu.prepare(program);
      const supported = gpu.supports(program);
      if (!supported.ok) return { number, outcomes: `no kernel: ${supported.reason}` };
      programs.set(hash, program);
    }
    const colour = new Uint32Array(columns.count);
    for (let call = 0; call < colour.length; call++) colour[call] = call;
    const run = await gpu.begin({ seed, records: columns, programs, segments: [[colour]], independent: true });
    try {
      const outcomes = (await run.run(0)).shared?.();
      return { number, outcomes: outcomes ?? 'the batch was cut' };
    } finally {
      run.close();
    }
  } catch (error) {
    return { number, outcomes: error instanceof Error ? error.message : String(error) };
  }
}

/** What runs batches, from a test's side. */
export interface DirectKernel {
  run(request: Omit<DirectRequest, 'kind' | 'number'>): Promise<SharedOutcomes | string>;
}

/** The kernel of the thread at the other end of `port`. */
export class PortKernel implements DirectKernel {
  readonly #waiting = new Map<number, (outcomes: SharedOutcomes | string) => void>();
  #number = 0;

  constructor(readonly port: MessagePort) {
    port.on('message', ({ number, outcomes }: DirectReply) => {
      this.#waiting.get(number)?.(outcomes);
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) port.unref();
    });
    port.unref();
  }

  run(request: Omit<DirectRequest, 'kind' | 'number'>): Promise<SharedOutcomes | string> {
    const number = this.#number++;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.port.ref();
      this.port.postMessage({ kind: 'direct', number, ...request } satisfies DirectRequest);
    });
  }
}
