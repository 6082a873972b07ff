import type { Page } from '../rpc/server-options.js';
import { LANE_RULES, STORE_SCHEMA } from '../store/identity.js';
import type { StoreReader } from '../store/reader.js';
import { toDisplayHash } from '../util/bytes.js';
import { VERSION } from '../util/version.js';
import type { ViewLoad } from '../views/pool.js';
import { folderBytes } from './folder-bytes.js';
import { metricsText } from './metrics.js';
import type { Settings } from './options.js';
import { CONTENT_TYPE } from './prometheus.js';
import type { ServiceState } from './service-state.js';

export interface ServePagesOptions {
  readonly state: ServiceState;
  readonly store: StoreReader;
  readonly settings: Pick<Settings, 'db' | 'label'>;
  readonly viewLoad: () => ViewLoad | undefined;
  readonly laneViewLoad: () => ViewLoad;
  /** How far what is served follows the database; not given where nobody else writes it. */
  readonly replica?: () => ReplicaState;
}

/** Of a server that follows a database which others write. */
export interface ReplicaState {
  /** How often it went over to a newer copy. */
  readonly renewed: number;
  /** How often it could not, and the code of the last failure since the last newer copy. */
  readonly failed: number;
  readonly lastFailure: string | null;
  /** Since when something was written that is not served yet; 0: all is. */
  readonly lagSeconds: number;
}

/**
 * The pages of `warpshrew serve` beside `/health`: as those of `index` (pages.ts), as far as there is something to say
 * where nothing is indexed.
 */
export function servePages(options: ServePagesOptions): Readonly<Record<string, () => Promise<Page>>> {
  return {
    '/ready': async () => ready(options),
    '/status': () => status(options),
    '/metrics': () => metrics(options),
  };
}

/** 503 as long as there is no block. */
function ready({ store }: ServePagesOptions): Page {
  const height = store.tip()?.height;
  const reasons = height === undefined ? ['the database has no block yet'] : [];
  const isReady = reasons.length === 0;
  const body = { ready: isReady, phase: 'serving', height: height ?? null, behind: null, reasons };
  return json(isReady ? 200 : 503, body);
}

async function status({ state, store, settings, viewLoad, laneViewLoad, replica }: ServePagesOptions): Promise<Page> {
  const { rss, heapUsed, external } = process.memoryUsage();
  const identity = store.identity();
  const tip = store.tip();
  return json(200, {
    version: VERSION,
    node: process.version,
    schema: STORE_SCHEMA,
    rules: LANE_RULES,
    network: identity.network,
    label: settings.label ?? store.label() ?? null,
    tip: tip && { height: tip.height, hash: toDisplayHash(tip.hash), roots: store.roots(tip.height) ?? null },
    phase: 'serving',
    replica: replica?.() ?? null,
    sinceStart: { seconds: Math.floor(state.uptimeSeconds()), refused: Object.fromEntries(state.refused) },
    threads: { views: viewLoad() ?? null, laneViews: laneViewLoad() },
    store: { folder: settings.db, bytes: await folderBytes(settings.db), identity },
    memory: { rss, heapUsed, external },
  });
}

async function metrics({ state, store, settings, viewLoad, laneViewLoad }: ServePagesOptions): Promise<Page> {
  const body = await metricsText({
    state,
    height: store.tip()?.height,
    blockSeconds: 0,
    slowestBlockSeconds: 0,
    queued: 0,
    inKernel: 0,
    dbBytes: await folderBytes(settings.db),
    views: viewLoad(),
    laneViews: laneViewLoad(),
    publishing: undefined,
    version: VERSION,
    labels: settings.label === undefined ? {} : { label: settings.label },
  });
  return { status: 200, type: CONTENT_TYPE, body };
}

function json(status: number, value: unknown): Page {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}
