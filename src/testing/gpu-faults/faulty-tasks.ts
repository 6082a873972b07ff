import { EnvironmentError } from '../../errors/errors.js';
import type { TaskDevice } from '../../tasks/kernel/device.js';
import type { Segment } from '../../tasks/kernel/segments.js';
import type { WorkKind } from '../../tasks/work/work.js';
import type { Fault } from './faulty-gpu.js';

/** A device of batch tasks that fails where a drill wants it to. */
export class FaultyTasks implements TaskDevice {
  /** Faults that have happened. */
  fired = 0;
  /** Segments that were handed over since the last fault was armed. */
  segments = 0;
  readonly adapter: TaskDevice['adapter'];
  readonly mostBytes: number;
  #armed: { readonly fault: Fault; readonly segment: number } | undefined;
  #isLost = false;

  /** `mostBytes`: less than the device has, for more segments. */
  constructor(
    private readonly inner: TaskDevice,
    mostBytes: number = inner.mostBytes,
  ) {
    this.adapter = inner.adapter;
    this.mostBytes = mostBytes;
  }

  /** Segment number `segment` from now on gets `fault`. */
  arm(fault: Fault, segment: number): void {
    this.segments = 0;
    this.#armed = { fault, segment };
  }

  async prepare(kind: WorkKind): Promise<void> {
    this.#checkAlive();
    await this.inner.prepare(kind);
  }

  async run(segment: Segment): Promise<boolean> {
    this.#checkAlive();
    const number = this.segments++;
    const armed = this.#armed;
    if (armed === undefined || number !== armed.segment) return this.inner.run(segment);
    this.#armed = undefined;
    this.fired++;
    if (armed.fault === 'wrong result') {
      const flag = await this.inner.run(segment);
      const { bytes } = segment.room;
      // The last unit.
      bytes[bytes.length - 1] ^= 1;
      return flag;
    }
    if (armed.fault === 'timeout') throw new EnvironmentError('GPU_TIMEOUT', 'a batch was not done in time');
    if (armed.fault === 'allocation') throw new EnvironmentError('GPU_FAILED', 'an allocation failed');
    this.#isLost = true;
    throw new EnvironmentError('GPU_DEVICE_LOST', 'the device was lost');
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  #checkAlive(): void {
    if (this.#isLost) throw new EnvironmentError('GPU_DEVICE_LOST', 'the device is lost');
  }
}
