/** What `index` and `follow-stream` have in common: a service from its start to its end. */
import { EXIT } from '../errors/errors.js';
import { type Failure, failureOf } from '../service/events.js';
import type { Remark } from '../service/given.js';
import { createLogger, failureFields, type Logger } from '../service/log.js';
import type { Settings } from '../service/options.js';
import type { Service } from '../service/service.js';
import { runFigures, statusText } from '../service/status-text.js';
import { statusLine } from '../util/status-line.js';

const SUMMARY_MS = 5_000;
const STATUS_MS = 500;

/** The output and exit status of a command. */
export interface CommandEnd {
  readonly text: string;
  readonly exitStatus: number;
}

export interface StartTools {
  readonly log: Logger;
  /** Resolves at the first signal to end; `signal` aborts then. */
  readonly stopped: Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Runs what `start` gives until a signal, its end, or a failure with `--exit-on-failure`; undefined: there is nothing
 * to run any more. What it throws is logged.
 */
export async function runService(
  settings: Settings,
  notes: readonly Remark[],
  start: (tools: StartTools) => Promise<Service | undefined>,
): Promise<CommandEnd> {
  const stopped = firstSignal();
  const line = settings.logFormat === 'pretty' && process.stderr.isTTY ? statusLine() : undefined;
  const log = createLogger({
    level: settings.logLevel,
    format: settings.logFormat,
    label: settings.label,
    write: line && ((lines) => line.above(lines)),
  });
  for (const { origin, reason } of notes) log.warn({ setting: origin }, reason);
  let service: Service | undefined;
  try {
    service = await start({ log, stopped, signal: signalOf(stopped) });
  } catch (error) {
    const failure = failureOf(error);
    log.fatal(failureFields(failure), failure.message);
    return { text: '', exitStatus: EXIT[failure.kind] };
  }
  if (service === undefined) return { text: '', exitStatus: 0 };
  const { state, reporter } = service;
  const ticks = line
    ? setInterval(() => line.show(() => statusText(state)), STATUS_MS)
    : setInterval(() => reporter.summary(), SUMMARY_MS);
  const failure = await lasting(service, settings, stopped);
  clearInterval(ticks);
  line?.clear();
  log.info({ height: state.head?.height }, 'stopping');
  await service.close();
  log.info(runFigures(state), 'indexed in this run');
  return { text: '', exitStatus: failure === undefined ? 0 : EXIT[failure.kind] };
}

/** Waits for what ends the service; the failure of indexing if there was one. */
async function lasting(service: Service, settings: Settings, stopped: Promise<void>): Promise<Failure | undefined> {
  const ended = service.ended.then(async (failure) => {
    // The index stays available after an error, unless its store is gone.
    if (failure !== undefined && !settings.exitOnFailure && !service.crashed) await stopped;
  });
  await Promise.race([ended, stopped]);
  return service.state.failure;
}

function signalOf(stopped: Promise<void>): AbortSignal {
  const controller = new AbortController();
  void stopped.then(() => controller.abort());
  return controller.signal;
}

/**
 * The first SIGINT or SIGTERM. A second one ends the process at once, as a crash would: the store is whole after both.
 */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const hear = (): void => {
      if (asked) process.kill(process.pid, 'SIGKILL');
      asked = true;
      resolve();
    };
    process.on('SIGINT', hear);
    process.on('SIGTERM', hear);
  });
}
