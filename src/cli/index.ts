import { EXIT } from '../errors/errors.js';
import { requireConfig } from '../service/config.js';
import { type Failure, failureOf } from '../service/events.js';
import { findNetwork } from '../service/find-network.js';
import { createLogger, failureFields } from '../service/log.js';
import type { Settings } from '../service/options.js';
import { restoreFromRepo } from '../service/repo.js';
import { AS_ROCKSHREW } from '../service/rockshrew.js';
import { Service } from '../service/service.js';
import { runFigures, statusText } from '../service/status-text.js';
import { hashOf } from '../standard/module.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { lowerHelpers } from '../util/niceness.js';
import { statusLine } from '../util/status-line.js';
import { VERSION } from '../util/version.js';
import { readModuleFile } from './files.js';

const SUMMARY_MS = 5_000;
const STATUS_MS = 500;

/**
 * `warpshrew index`: follows the chain and serves it until a signal, `--exit-at`, or a failure with
 * `--exit-on-failure`.
 */
export async function indexCommand(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ text: string; exitStatus: number }> {
  const { settings: given, origins, notes } = requireConfig({ flags, environment: process.env });
  const moduleBytes = given.indexer === undefined ? defaultIndexer() : readModuleFile(given.indexer);
  // Most of their work is the indexing's.
  lowerHelpers(given.indexNiceness);
  const stopped = firstSignal();
  const line = given.logFormat === 'pretty' && process.stderr.isTTY ? statusLine() : undefined;
  const log = createLogger({
    level: given.logLevel,
    format: given.logFormat,
    label: given.label,
    write: line && ((lines) => line.above(lines)),
  });
  for (const { origin, reason } of notes) log.warn({ setting: origin }, reason);
  let service: Service | undefined;
  let settings = given;
  try {
    const signal = signalOf(stopped);
    if (flags[AS_ROCKSHREW] === true && origins.network === 'default') {
      const network = await findNetwork(given, flags, log, signal);
      if (network === undefined) return { text: '', exitStatus: 0 };
      settings = { ...given, network };
    }
    const restored = await restoreFromRepo(settings, hashOf(moduleBytes), log, signal);
    if (restored === 'stopped') return { text: '', exitStatus: 0 };
    service = await Service.start({ settings, flags, moduleBytes, log, version: VERSION, restored }, stopped);
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
