import { once } from 'node:events';
import { failureOf } from '../errors/errors.js';
import { startRpcServer } from '../rpc/server.js';
import { requireServing } from '../service/config.js';
import { explorerFiles } from '../service/explorer-files.js';
import { createLogger, failureFields, type Logger } from '../service/log.js';
import type { Settings } from '../service/options.js';
import { Reporter } from '../service/reporter.js';
import { serveFolders } from '../service/secondary-folders.js';
import { servePages } from '../service/serve-pages.js';
import { ServiceState } from '../service/service-state.js';
import { serverSettings } from '../service/serving-settings.js';
import { Replica } from './replica.js';

/** `warpshrew serve`: takes the settings of `index`, of which it needs those about serving. */
export async function serveCommand(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ text: string; exitStatus: number }> {
  const { settings: given } = requireServing({ flags, environment: process.env });
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const log = createLogger({ level: given.logLevel, format: given.logFormat, label: given.label });
  const others = await serveFolders(given, log);
  try {
    await serve(flags, others.settings, log, stopped);
  } finally {
    await others.close();
  }
  return { text: '', exitStatus: 0 };
}

async function serve(
  flags: Readonly<Record<string, unknown>>,
  settings: Settings,
  log: Logger,
  stopped: Promise<unknown>,
): Promise<void> {
  const state = new ServiceState();
  const reporter = new Reporter(log, state);
  const { db, indexer } = settings;
  const blocks = typeof flags.blocks === 'string' ? flags.blocks : undefined;
  const served = await Replica.open(
    { db, indexer, blocks, settings, onLog: (line) => reporter.moduleLine(line) },
    (failure) => log.warn(failureFields(failure), 'the copy that is served could not be renewed'),
  );
  try {
    const { backend, bell, viewLoad, laneViewLoad, inPlace } = served;
    if (inPlace !== undefined) log.warn({ reason: inPlace }, 'no other command can open the database meanwhile');
    const server = await startRpcServer({
      ...serverSettings(settings),
      backend,
      bell,
      files: settings.explorer ? explorerFiles() : undefined,
      pages: servePages({
        state,
        store: backend.store,
        settings,
        viewLoad,
        laneViewLoad,
        replica: () => served.state(),
      }),
      onAnswered: (method, ms, ok) => state.answered(method, ms, ok),
      onRefused: (code, facts) => reporter.refused(code, facts),
      onDefect: (error) => log.error({ code: 'INTERNAL' }, failureOf(error).message),
    });
    process.stdout.write(`${greeting(server.url, settings.explorer)}\n`);
    await stopped;
    await server.close();
  } finally {
    await served.close();
  }
}

/** The line that a server prints when it is ready. */
export function greeting(url: string, explorer: boolean): string {
  const body = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
  return [
    ...(explorer ? [`Explorer: open ${url} in a browser`] : []),
    `JSON-RPC on ${url} (Ctrl-C ends it). Ask it something:`,
    `  curl -s ${url} -H 'content-type: application/json' -d '${body}'`,
    'Methods: docs/json-rpc.md',
  ].join('\n');
}
