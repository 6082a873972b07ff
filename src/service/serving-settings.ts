/** The settings about serving, as those who serve want them. */
import type { RpcServerOptions } from '../rpc/server-options.js';
import type { StandardIndexerOptions } from '../standard/standard-indexer.js';
import type { ViewPoolOptions } from '../views/pool.js';
import type { Settings } from './options.js';
import { secondaryPlaces } from './secondary-gate.js';

const MIB = 2 ** 20;

/** Of the JSON-RPC server. */
export function serverSettings(
  settings: Settings,
): Pick<RpcServerOptions, 'host' | 'port' | 'cors' | 'allowHost' | 'trustProxy' | 'limits'> {
  const { host, port, cors, allowHost, trustProxy } = settings;
  const limits = {
    connections: settings.maxConnections,
    transferTimeoutMs: settings.transferTimeout,
    memoryBytes: settings.rpcMemory * MIB,
  };
  return { host, port, cors, allowHost, trustProxy, limits };
}

type ViewSetting = 'viewTimeoutMs' | 'viewThreads' | 'viewQueue' | 'viewLimits' | 'logLines' | 'secondaries';

/** Of views of the standard module. */
export function viewSettings(settings: Settings): Pick<StandardIndexerOptions, ViewSetting> {
  return {
    viewTimeoutMs: settings.viewTimeout,
    viewThreads: settings.viewWorkers,
    viewQueue: settings.viewQueue,
    viewLimits: { memoryBytes: settings.viewMemory * MIB, answerBytes: settings.viewAnswerBytes },
    logLines: settings.moduleLogLines,
    secondaries: secondaryPlaces(settings.secondary),
  };
}

/** Of views of the lane. */
export function laneViewSettings(settings: Settings): ViewPoolOptions & { readonly answerBytes: number } {
  return {
    answerBytes: settings.viewAnswerBytes,
    threads: settings.viewWorkers,
    queue: settings.viewQueue,
    limitMs: settings.viewTimeout,
    waitMs: settings.viewTimeout,
  };
}
