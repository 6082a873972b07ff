import type { CpuRunner } from '../execute/tasks/drive.js';
import { ProgramRunner } from '../program/runner.js';
import type { CallBuffers, CallingFrame, Program, RunHost, RunResult, TextSink } from '../program/types.js';
import { siteIn } from './cover-source.js';

/** A contract that tells what it runs takes more fuel; nothing but coverage is measured with it. */
const FUEL_FACTOR = 16;
const MOST_FUEL = 2 ** 31 - 1;

/** Runs contracts that tell what they run, and counts in how many frames each site was reached. */
export class CoverRunner implements CpuRunner {
  /** By number of the site. */
  readonly hits = new Map<number, number>();
  readonly #runner = new ProgramRunner();

  run(program: Program, host: RunHost, fuel: number): RunResult {
    const given = Math.min(MOST_FUEL, fuel * FUEL_FACTOR);
    const end = this.#runner.run(program, new CoverHost(host, this.hits), given);
    const used = Math.ceil((given - end.fuelLeft) / FUEL_FACTOR);
    return { ...end, fuelLeft: Math.max(0, fuel - used) };
  }
}

/** The same host, but that hits are taken out of what is logged, in inner calls as well. */
class CoverHost implements RunHost {
  readonly texts: TextSink;

  constructor(
    readonly host: RunHost,
    readonly hits: Map<number, number>,
  ) {
    const { texts } = host;
    this.texts = {
      log: (memory, start, end) => {
        const site = siteIn(memory, start, end);
        if (site < 0) texts.log(memory, start, end);
        else hits.set(site, (hits.get(site) ?? 0) + 1);
      },
      aborted: (text) => texts.aborted(text),
    };
  }

  get isDryRun(): boolean {
    return this.host.isDryRun;
  }

  get height(): number {
    return this.host.height;
  }

  get context(): Uint8Array {
    return this.host.context;
  }

  get transaction(): Uint8Array {
    return this.host.transaction;
  }

  get block(): Uint8Array {
    return this.host.block;
  }

  storage(key: Uint8Array): Uint8Array | undefined {
    return this.host.storage(key);
  }

  sequence(): bigint {
    return this.host.sequence();
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.host.balance(who, what);
  }

  declareRead(key: Uint8Array): void {
    this.host.declareRead(key);
  }

  declareWrite(key: Uint8Array): void {
    this.host.declareWrite(key);
  }

  call(buffers: CallBuffers, frame: CallingFrame): Uint8Array {
    return this.host.call(buffers, {
      depth: frame.depth,
      get fuelLeft() {
        return frame.fuelLeft;
      },
      charge: (amount) => frame.charge(amount),
      run: (program, host) => frame.run(program, new CoverHost(host, this.hits)),
      returned: (...parts) => frame.returned(...parts),
    });
  }
}
