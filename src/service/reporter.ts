import type { BlockWork } from '../execute/tasks/work-watch.js';
import type { GuestLine } from '../standard/guest-log.js';
import type { EngineEvent, Failure, Phase } from './events.js';
import { failureFields, type Logger, plainFacts } from './log.js';
import type { ServiceState } from './service-state.js';
import { workFields } from './slow-blocks.js';

/** So many blocks behind the tip are no sync. */
const FEW_BLOCKS = 6;

/** Writes the engine's events to the log: blocks at debug, changes at info, what is tried again at warn, each code once. */
export class Reporter {
  private phase: Phase = 'starting';
  /** The last phase told at info. */
  private toldPhase: Phase | undefined;
  /** Codes said since the source last answered, and of the kernel ever. */
  private readonly said = new Set<string>();
  private readonly saidOfGpu = new Set<string>();

  constructor(
    private readonly log: Logger,
    private readonly state: ServiceState,
  ) {}

  hear(event: EngineEvent): void {
    switch (event.kind) {
      case 'opened': {
        const { network, source, adapter, noGpu, niceness } = event;
        this.log.info({ network, source, ...(adapter !== undefined && { adapter }) }, 'database open');
        if ('unchanged' in niceness)
          this.log.warn({ reason: niceness.unchanged }, 'indexing has the priority of answers');
        if (noGpu !== undefined) this.log.info({ reason: noGpu }, 'no GPU: the CPU runs every batch');
        return;
      }
      case 'phase':
        this.changed(event.phase);
        return;
      case 'block': {
        const { height, hash, bytes, statistics, ms } = event;
        if (!this.log.isLevelEnabled('debug')) return;
        this.log.debug(
          { height, hash, bytes, laneTxs: statistics.lane.txs, ms: rounded({ ...ms, ...statistics.ms }) },
          'block indexed',
        );
        return;
      }
      case 'rollback':
        this.log.warn({ from: event.from, to: event.to, depth: event.from - event.to }, 'reorg: blocks undone');
        return;
      case 'retry':
        if (event.failure === undefined) this.log.debug(event.note);
        else this.once(this.said, event.failure, `${event.note}: trying again${forHowLong(event.leftMs)}`);
        return;
      case 'warning':
        this.log.warn(plainFacts(event.facts), event.message);
        return;
      case 'module-log':
        this.moduleLine(event.line);
        return;
      case 'gpu-failure':
        this.once(this.saidOfGpu, event.failure, 'the kernel failed: the CPU goes on');
        return;
      case 'kernel-failure':
        this.log.warn({ ...failureFields(event.failure), reason: event.failure.message }, 'a program has no kernel');
        return;
      case 'ended':
      case 'crashed':
        if (event.failure === undefined) this.log.info({ height: this.state.head?.height }, 'indexing ended');
        else this.log.error(failureFields(event.failure), event.failure.message);
        return;
      case 'source-tip':
      case 'closed':
      case 'not-opened':
        // Who opens the service says why it did not open.
        return;
    }
  }

  /** What the module of the standard lane logs, in a block or a view. */
  moduleLine({ text, leftOut, height, view }: GuestLine): void {
    this.state.moduleLinesLeftOut += leftOut;
    const fields = { height, ...(view !== undefined && { view }), ...(leftOut > 0 && { linesLeftOut: leftOut }) };
    if (text === undefined) this.log.info(fields, 'lines of the module were left out');
    else this.log.info({ ...fields, text }, 'module');
  }

  /** A request or connection was refused; each code is told once. */
  refused(code: string, facts: Readonly<Record<string, string>>): void {
    if (this.state.refusedRequest(code))
      this.log.warn({ code, ...facts }, 'a request was refused; others are counted only');
  }

  /** The engine's thread was ended in the middle of a block. */
  cutOff(work: BlockWork | undefined): void {
    this.log.warn(
      work === undefined ? {} : workFields(work),
      'the block under way was dropped: it did not end in time',
    );
  }

  /** A line of figures, for every few seconds of a sync. */
  summary(): void {
    if (this.state.phase === 'syncing') this.log.info(syncFigures(this.state), 'syncing');
  }

  /** A block at the tip makes `syncing` and `at-tip` of it: that is no news. */
  private changed(phase: Phase): void {
    if (phase === this.phase) return;
    if (this.phase === 'waiting-for-node') this.said.clear();
    const quiet = phase === 'rolling-back' || (phase === 'syncing' && this.near()) || phase === this.toldPhase;
    this.phase = phase;
    if (phase === 'failed') return;
    if (!quiet) this.toldPhase = phase;
    const { head, sourceHeight } = this.state;
    this.log[quiet ? 'debug' : 'info'](
      {
        ...(head !== undefined && { height: head.height }),
        ...(sourceHeight !== undefined && { target: sourceHeight }),
      },
      phase,
    );
  }

  private near(): boolean {
    const behind = this.state.behind(this.state.head?.height);
    return behind !== undefined && behind <= FEW_BLOCKS;
  }

  private once(said: Set<string>, failure: Failure, message: string): void {
    if (said.has(failure.code)) return;
    said.add(failure.code);
    this.log.warn({ ...failureFields(failure), reason: failure.message }, message);
  }
}

/** Where a sync stands; the time left is that at the speed of the last half minute. */
export function syncFigures(state: ServiceState): Readonly<Record<string, number>> {
  const { blocks, bytes } = state.speed();
  const height = state.head?.height;
  const left = state.behind(height);
  return {
    ...(height !== undefined && { height }),
    ...(state.sourceHeight !== undefined && { target: state.sourceHeight }),
    blocksPerSecond: Math.round(blocks * 10) / 10,
    megabytesPerSecond: Math.round(bytes / 1e5) / 10,
    ...(left !== undefined && blocks > 0 && { etaSeconds: Math.ceil(left / blocks) }),
  };
}

function forHowLong(ms: number | undefined): string {
  return ms === undefined ? '' : ` for ${Math.ceil(ms / 1000)} s`;
}

function rounded(ms: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(ms).map(([phase, took]) => [phase, Math.round(took * 10) / 10]));
}
