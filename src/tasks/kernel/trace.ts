/** When the steps of a segment began and ended, for whoever wants to see what overlaps. */
import { unitsOf, type WorkKind } from '../work/work.js';
import type { Segment } from './segments.js';

/** Milliseconds of `performance.now()`. */
interface SegmentTimes {
  /** This thread writes the input into staging memory. */
  packStart: number;
  packEnd: number;
  /** The device has all commands. */
  submitted: number;
  /** The device has copied the input, and has computed; when this thread heard of it, which may be busy packing. */
  uploaded: number;
  computed: number;
  /** The answer is in memory of this machine, and this thread copies it. */
  readStart: number;
  readEnd: number;
}

export interface SegmentTrace extends Readonly<SegmentTimes> {
  readonly kind: WorkKind;
  readonly units: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Takes the times of one segment. */
export class SegmentClock {
  readonly #times: SegmentTimes = {
    packStart: 0,
    packEnd: 0,
    submitted: 0,
    uploaded: 0,
    computed: 0,
    readStart: 0,
    readEnd: 0,
  };

  mark(step: keyof SegmentTimes): void {
    this.#times[step] = performance.now();
  }

  markWhen(step: keyof SegmentTimes, done: Promise<unknown>): void {
    // A device that is lost says so elsewhere.
    done.then(() => this.mark(step)).catch(() => undefined);
  }

  traceOf(segment: Segment): SegmentTrace {
    const { kind, work, inputBytes, back } = segment;
    return { kind, units: unitsOf(work), bytesUp: inputBytes, bytesDown: back.bytes, ...this.#times };
  }
}
