import { EnvironmentError } from '../../errors/errors.js';
import { ForwardingExecutor } from '../../gpu/pack/forwarding.js';
import type { GpuBlock, GpuBlockRun, GpuExecutor, GpuOutcomes } from '../../gpu/pack/types.js';

export const FAULTS = ['loss', 'timeout', 'allocation', 'wrong result'] as const;
export type Fault = (typeof FAULTS)[number];
/** In which batch of its block, and at which of its calls. */
export const PLACES = ['first', 'middle', 'last'] as const;
export type Place = (typeof PLACES)[number];

/** An executor whose device fails where a drill wants it to. */
export class FaultyGpu extends ForwardingExecutor {
  /** Faults that have happened. */
  fired = 0;
  #armed: { readonly fault: Fault; readonly place: Place } | undefined;
  #isLost = false;
  #calibrationFault: Fault | undefined;

  /** The next block that has a batch for it gets `fault`; a wrong result waits for a call that has ended. */
  arm(fault: Fault, place: Place): void {
    this.#armed = { fault, place };
  }

  disarm(): void {
    this.#armed = undefined;
  }

  /** The device is lost, or whatever `fault` is, when it is measured. */
  armCalibration(fault: Fault): void {
    this.#calibrationFault = fault;
  }

  override get calibrate(): GpuExecutor['calibrate'] {
    const fault = this.#calibrationFault;
    return fault === undefined ? super.calibrate : () => Promise.reject(this.#failureOf(fault));
  }

  override async begin(block: GpuBlock): Promise<GpuBlockRun> {
    this.#checkAlive();
    const run = await this.inner.begin(block);
    return {
      run: (number) => this.#outcomes(run, number, block.segments.length),
      set: (key, value) => run.set(key, value),
      close: () => run.close(),
    };
  }

  #checkAlive(): void {
    if (this.#isLost) throw new EnvironmentError('GPU_DEVICE_LOST', 'the device is lost');
  }

  async #outcomes(run: GpuBlockRun, number: number, count: number): Promise<GpuOutcomes> {
    this.#checkAlive();
    const armed = this.#armed;
    if (armed === undefined || number < numberAt(armed.place, count)) return run.run(number);
    if (armed.fault === 'wrong result') return this.#wrong(await run.run(number), armed.place);
    this.#fire();
    throw this.#failureOf(armed.fault);
  }

  #failureOf(fault: Fault): EnvironmentError {
    if (fault === 'timeout') return new EnvironmentError('GPU_TIMEOUT', 'a batch was not done in time');
    if (fault === 'allocation') return new EnvironmentError('GPU_FAILED', 'an allocation failed');
    if (fault === 'wrong result') return new EnvironmentError('GPU_MISMATCH', 'a result was wrong');
    this.#isLost = true;
    return new EnvironmentError('GPU_DEVICE_LOST', 'the device was lost');
  }

  /** One call with more fuel left and another result than it has. */
  #wrong(outcomes: GpuOutcomes, place: Place): GpuOutcomes {
    const ended: number[] = [];
    for (let call = 0; call < outcomes.count; call++) {
      const status = outcomes.status(call);
      if (status === 'OK' || status === 'REVERT') ended.push(call);
    }
    if (ended.length === 0) return outcomes;
    this.#fire();
    const chosen = ended[numberAt(place, ended.length)];
    return {
      count: outcomes.count,
      status: (call) => outcomes.status(call),
      reason: (call) => outcomes.reason(call),
      fuelLeft: (call) => outcomes.fuelLeft(call) + (call === chosen ? 1 : 0),
      result: (call) => (call === chosen ? flipped(outcomes.result(call)) : outcomes.result(call)),
      puntReason: (call) => outcomes.puntReason(call),
      seen: (call, key) => outcomes.seen(call, key),
      writes: () => outcomes.writes(),
    };
  }

  #fire(): void {
    this.#armed = undefined;
    this.fired++;
  }
}

function numberAt(place: Place, count: number): number {
  if (place === 'first') return 0;
  return place === 'last' ? count - 1 : Math.floor(count / 2);
}

/** With another last byte. */
function flipped(bytes: Uint8Array | undefined): Uint8Array | undefined {
  const copy = bytes?.slice();
  if (copy !== undefined && copy.length > 0) copy[copy.length - 1] ^= 1;
  return copy;
}
