import type { RpcCode } from '../errors/codes/registry.js';
import type { BlockWork } from '../execute/tasks/work-watch.js';
import type { TransactionNotes } from '../lane/notes.js';
import type { SinkStatus } from '../sink/sink-status.js';
import type { GuestLine } from '../standard/guest-log.js';
import type { ContractLine } from './contract-log.js';
import type { EngineEvent, Failure, Phase } from './events.js';
import { failureFields, type Logger, plainFacts } from './log.js';
import type { ServiceState } from './service-state.js';
import { workFields } from './slow-blocks.js';

/** At most this many blocks behind the tip do not count as a sync. */
const FEW_BLOCKS = 6;

/** Writes the engine's events to the log: blocks at debug, changes at info, retries at warn, each code once. */
export class Reporter {
  #phase: Phase = 'starting';
  /** The last phase logged at info. */
  #toldPhase: Phase | undefined;
  /** Codes logged since the source last answered; `#saidOfGpu`: codes of the kernel logged since the start. */
  readonly #said = new Set<string>();
  readonly #saidOfGpu = new Set<string>();
  readonly #log: Logger;
  readonly #state: ServiceState;

  constructor(log: Logger, state: ServiceState) {
    this.#log = log;
    this.#state = state;
  }

  hear(event: EngineEvent): void {
    switch (event.kind) {
      case 'opened': {
        const { network, source, adapter, noGpu, niceness } = event;
        const { run } = this.#state;
        this.#log.info({ network, source, run, ...(adapter !== undefined && { adapter }) }, 'database open');
        if ('unchanged' in niceness)
          this.#log.warn(
            { reason: niceness.unchanged },
            'indexing runs at the priority of answers: lowering it failed',
          );
        if (noGpu !== undefined) this.#log.info({ reason: noGpu }, 'no GPU: the CPU runs every batch');
        return;
      }
      case 'phase':
        this.#changed(event.phase);
        return;
      case 'block': {
        const { height, hash, bytes, statistics, ms } = event;
        if (!this.#log.isLevelEnabled('debug')) return;
        this.#log.debug(
          { height, hash, bytes, laneTxs: statistics.lane.txs, ms: rounded({ ...ms, ...statistics.ms }) },
          'block indexed',
        );
        if (statistics.notes !== undefined) this.#transactions(height, statistics.notes);
        return;
      }
      case 'rollback':
        this.#log.warn({ from: event.from, to: event.to, depth: event.from - event.to }, 'reorg: blocks undone');
        return;
      case 'snapshot': {
        const { report } = event;
        if (report.kind === 'made') {
          const { height, file, bytes, ms } = report;
          this.#log.info({ height, file, bytes, seconds: Math.round(ms / 1000) }, 'snapshot made');
        } else this.#log.warn({ ...failureFields(report.failure), reason: report.failure.message }, 'snapshot failed');
        return;
      }
      case 'tree-remade': {
        const { namespace } = event;
        this.#log.warn({ namespace }, 'the stored rows of a state tree do not give it: it is made from the state');
        return;
      }
      case 'store-thread-lost':
        this.#log.warn({ reason: event.reason }, 'a thread that stores beside the engine is lost: blocks take longer');
        return;
      case 'retry':
        if (event.failure === undefined) this.#log.debug(event.note);
        else this.#once(this.#said, event.failure, `${event.note}: trying again${forHowLong(event.leftMs)}`);
        return;
      case 'warning':
        this.#log.warn(plainFacts(event.facts), event.message);
        return;
      case 'module-log':
        this.moduleLine(event.line);
        return;
      case 'contract-log':
        this.#contractLine(event.line);
        return;
      case 'driver-noise':
        this.#log.debug({ line: event.line }, 'printed by a GPU driver');
        return;
      case 'gpu-failure':
        this.#once(this.#saidOfGpu, event.failure, 'the kernel failed: continuing on the CPU');
        return;
      case 'kernel-health': {
        const { from, to, why } = event.transition;
        const fields = { from, to, why, probeAt: event.gpu.kernel.probeAt };
        if (to === 'unhealthy') this.#log.warn(fields, 'the kernel is unhealthy: the CPU runs all blocks meanwhile');
        else this.#log.info(fields, `the kernel is ${to}`);
        return;
      }
      case 'kernel-failure':
        this.#log.warn({ ...failureFields(event.failure), reason: event.failure.message }, 'a program has no kernel');
        return;
      case 'ended':
      case 'crashed':
        if (event.failure === undefined) this.#log.info({ height: this.#state.head?.height }, 'indexing ended');
        else this.#log.error(failureFields(event.failure), event.failure.message);
        return;
      case 'source-tip':
      case 'closed':
      case 'not-opened':
        // The caller of {@link Service.start} reports why it failed.
        return;
    }
  }

  /** Logs a line of the standard module, from a block or a view. */
  moduleLine({ text, leftOut, height, view }: GuestLine): void {
    this.#state.moduleLinesLeftOut += leftOut;
    const fields = { height, ...(view !== undefined && { view }), ...(leftOut > 0 && { linesLeftOut: leftOut }) };
    if (text === undefined) this.#log.info(fields, 'lines of the module were left out');
    else this.#log.info({ ...fields, text }, 'module');
  }

  #contractLine({ said, leftOut }: ContractLine): void {
    this.#state.contractTextsLeftOut += leftOut;
    const fields = leftOut > 0 ? { textsLeftOut: leftOut } : {};
    if (said === undefined) this.#log.info(fields, 'texts of contracts were left out');
    else this.#log.info({ ...said, ...fields }, 'contract');
  }

  /** What is worth telling of single transactions: a line each, with the txid, at debug. */
  #transactions(height: number, { list, leftOut }: TransactionNotes): void {
    for (const one of list) this.#log.debug({ height, ...one }, 'transaction');
    if (leftOut > 0) this.#log.debug({ height, leftOut }, 'more transactions were left out');
  }

  /** The sink goes on; `before`: how it was. */
  sink(now: SinkStatus, before: SinkStatus | undefined): void {
    const { phase, trouble, height } = now;
    const at = height === undefined ? {} : { height };
    if (trouble !== undefined) {
      if (trouble.code === before?.trouble?.code && phase === before.phase) return;
      const level = phase === 'failed' ? 'error' : 'warn';
      this.#log[level]({ ...at, ...failureFields(trouble) }, `sink: ${trouble.message}`);
    } else if (before?.trouble !== undefined) this.#log.info(at, 'the sink is there again');
    else if (before?.phase === 'connecting' && phase !== 'connecting') this.#log.info({ ...at, phase }, 'sink open');
    if (now.undone > (before?.undone ?? 0)) {
      this.#log.warn({ ...at, depth: now.undone - (before?.undone ?? 0) }, 'sink: blocks undone');
    }
  }

  /** A request or connection was refused; each code is logged once. */
  refused(code: RpcCode, facts: Readonly<Record<string, string>>): void {
    if (this.#state.refusedRequest(code))
      this.#log.warn({ code, ...facts }, 'a request was refused; further ones are only counted');
  }

  /** The engine's thread was ended during a block. */
  cutOff(work: BlockWork | undefined): void {
    this.#log.warn(
      work === undefined ? {} : workFields(work),
      'the block under way was dropped: it did not finish in time',
    );
  }

  /** A line of figures, logged every few seconds during a sync. */
  summary(): void {
    if (this.#state.phase === 'syncing') this.#log.info(syncFigures(this.#state), 'syncing');
  }

  /** Each block at the tip switches to `syncing` and back to `at-tip`: that is not logged. */
  #changed(phase: Phase): void {
    if (phase === this.#phase) return;
    if (this.#phase === 'waiting-for-node') this.#said.clear();
    const quiet = phase === 'rolling-back' || (phase === 'syncing' && this.#near()) || phase === this.#toldPhase;
    this.#phase = phase;
    if (phase === 'failed') return;
    if (!quiet) this.#toldPhase = phase;
    const { head, sourceHeight } = this.#state;
    this.#log[quiet ? 'debug' : 'info'](
      {
        ...(head !== undefined && { height: head.height }),
        ...(sourceHeight !== undefined && { target: sourceHeight }),
      },
      phase,
    );
  }

  #near(): boolean {
    const behind = this.#state.behind(this.#state.head?.height);
    return behind !== undefined && behind <= FEW_BLOCKS;
  }

  #once(said: Set<string>, failure: Failure, message: string): void {
    if (said.has(failure.code)) return;
    said.add(failure.code);
    this.#log.warn({ ...failureFields(failure), reason: failure.message }, message);
  }
}

/** Progress of a sync; the time left assumes the speed of the last half minute. */
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
