/**
 * The command line of rockshrew-mono, the host that many Metashrew indexers ran on: every flag of its versions 8, 9 and
 * 9.1, and what it means here. docs/metashrew.md has the same as a table, made from this file.
 */
import type { OptionName } from './options.js';

/** How a flag fares here: `same` meaning, `better` (more is done than there), `other` meaning, or `none`. */
export type Verdict = 'same' | 'better' | 'other' | 'none';

/** What a value of a flag becomes. */
export interface Taken {
  /** Text for the setting; undefined: the setting stays as it is. */
  readonly value?: string;
  /** A second setting that the value gives as well, unless that is given by itself. */
  readonly also?: readonly [OptionName, string];
  /** What of the value has no meaning here. */
  readonly note?: string;
}

/** One flag of rockshrew-mono, by its name without dashes in {@link ROCKSHREW_FLAGS}. */
export interface RockshrewFlag {
  /** What stands for the value; undefined: a switch. */
  readonly placeholder?: string;
  /** Variable of the environment that gives it there. */
  readonly variable?: string;
  readonly verdict: Verdict;
  /** What it does here, or why nothing: the reason of the warning if there is no `setting`. */
  readonly about: string;
  /** The setting that it gives. */
  readonly setting?: OptionName;
  /** Reads its value; without it the setting gets the text as it is. */
  take?(text: string): Taken;
}

/** A whole number, moved into the bounds of the setting that it gives. What is no number is left to the setting. */
function bounded(least: number, most: number): (text: string) => Taken {
  return (text) => {
    if (!/^\d{1,15}$/.test(text)) return { value: text };
    const value = Math.min(most, Math.max(least, Number(text)));
    return value === Number(text) ? { value: text } : { value: String(value), note: `${value} is taken instead` };
  };
}

const VIEW_THREADS = { placeholder: 'n', setting: 'viewWorkers', take: bounded(1, 64) } as const;
const AHEAD = { placeholder: 'n', setting: 'prefetchBlocks', take: bounded(1, 1_000), verdict: 'same' } as const;

/** All flags in the order of its help text, newer ones last. */
export const ROCKSHREW_FLAGS: Readonly<Record<string, RockshrewFlag>> = {
  'daemon-rpc-url': {
    placeholder: 'url',
    verdict: 'same',
    about: '`--node-url`. Addresses of SSH tunnels (`ssh2+http://…`) are not taken: use `ssh -L`',
    setting: 'nodeUrl',
    take: daemonUrl,
  },
  indexer: { placeholder: 'file', verdict: 'same', about: 'the same flag here', setting: 'indexer' },
  'db-path': {
    placeholder: 'dir',
    verdict: 'other',
    about: '`--db`. A database of rockshrew-mono is refused and left as it is: name a new folder',
    setting: 'db',
  },
  'start-block': {
    placeholder: 'n',
    verdict: 'better',
    about: 'first height of a new database. It never leaves a gap in one that has blocks',
    setting: 'startBlock',
  },
  auth: {
    placeholder: 'text',
    verdict: 'same',
    about: '`user:password`, or a bearer token. A cookie file over SSH (`sshfs://…`) is not read: use `--node-cookie`',
    setting: 'auth',
    take: (text) =>
      text.startsWith('sshfs://')
        ? { note: 'a cookie file over SSH is not read: copy or mount it, and name it with --node-cookie' }
        : { value: text },
  },
  host: { placeholder: 'text', variable: 'HOST', verdict: 'same', about: 'the same flag here', setting: 'host' },
  port: { placeholder: 'n', variable: 'PORT', verdict: 'same', about: 'the same flag here', setting: 'port' },
  label: {
    placeholder: 'text',
    verdict: 'other',
    about: 'a name in the log, in metrics and in the database. Keys are not prefixed with it: one folder has one index',
    setting: 'label',
    take: label,
  },
  'exit-at': {
    placeholder: 'n',
    verdict: 'better',
    about: 'ends after block n - 1, also if that was indexed before',
    setting: 'exitAt',
  },
  cors: {
    placeholder: 'origins',
    verdict: 'better',
    about: 'the same flag here; preflight requests of listed origins succeed',
    setting: 'cors',
  },
  'pipeline-size': { ...AHEAD, about: 'blocks fetched ahead (`--prefetch-blocks`); they are indexed in order' },
  'snapshot-directory': {
    placeholder: 'dir',
    verdict: 'better',
    about: 'whole snapshots are written there; there it changed nothing but a word in `metashrew_snapshot`',
    setting: 'snapshotDirectory',
  },
  'snapshot-interval': {
    placeholder: 'n',
    verdict: 'better',
    about: 'blocks between two of them; the newest stay (`--snapshots-kept`)',
    setting: 'snapshotInterval',
    take: bounded(1, 100_000_000),
  },
  repo: {
    placeholder: 'dir|url',
    verdict: 'better',
    about: 'a missing database is restored from its newest snapshot; there it changed nothing',
    setting: 'repo',
  },
  'max-reorg-depth': {
    placeholder: 'n',
    verdict: 'better',
    about: '`--keep-undo`. A deeper reorg is an error; there it rolled back to a block that it had not compared',
    setting: 'keepUndo',
    take: bounded(1, 1_000_000),
  },
  'reorg-check-threshold': {
    placeholder: 'n',
    verdict: 'better',
    about:
      "so close to the node's tip, the chain is compared before each block (`--reorg-check-threshold`). " +
      'Each block must build on the one before at any height',
    setting: 'reorgCheckThreshold',
    take: bounded(0, 1_000_000),
  },
  fork: {
    placeholder: 'dir',
    verdict: 'none',
    about: 'the database of another program is not read: index from the start, or restore a snapshot (--repo)',
  },
  'legacy-fork': { verdict: 'none', about: 'the database of another program is not read' },
  'enable-preview': {
    verdict: 'better',
    about: 'nothing to switch on: a preview stores nothing here',
  },
  'view-concurrency': { ...VIEW_THREADS, verdict: 'same', about: 'threads for views (`--view-workers`)' },
  'view-memory-mb': {
    placeholder: 'n',
    verdict: 'same',
    about: 'memory that the module may have in a view (`--view-memory`)',
    setting: 'viewMemory',
    take: bounded(1, 4_096),
  },
  'view-memory-floor-mb': {
    placeholder: 'n',
    verdict: 'none',
    about: 'views are bounded one by one (--view-workers, --view-memory), not by what the machine has left',
  },
  'view-memory-floor-refresh-ms': {
    placeholder: 'n',
    verdict: 'none',
    about: 'views are bounded one by one (--view-workers, --view-memory), not by what the machine has left',
  },
  'view-runtime-workers': {
    ...VIEW_THREADS,
    variable: 'ROCKSHREW_VIEW_RUNTIME_WORKERS',
    verdict: 'same',
    about: 'threads for views (`--view-workers`)',
  },
  'no-startup-heal': {
    verdict: 'none',
    about: 'there is nothing to heal: every block is one atomic write',
  },
  'indexer-cores': {
    placeholder: 'n',
    variable: 'ROCKSHREW_INDEXER_CORES',
    verdict: 'none',
    about: 'threads are not bound to cores: those that answer have the higher priority (--index-niceness)',
  },
  'indexer-nice': {
    placeholder: 'n',
    variable: 'ROCKSHREW_INDEXER_NICE',
    verdict: 'none',
    about: 'indexing runs below the priority of answers, not above it (--index-niceness)',
  },
  'view-nice': {
    placeholder: 'n',
    variable: 'ROCKSHREW_VIEW_NICE',
    verdict: 'none',
    about: 'indexing runs below the priority of answers, not above it (--index-niceness)',
  },
  'prefetch-size': { ...AHEAD, about: 'blocks fetched ahead (`--prefetch-blocks`)' },
  'enable-spv': {
    verdict: 'better',
    about: 'nothing to switch on: work, links, merkle root and block 0 of every block are verified always',
  },
  'spv-type': {
    placeholder: 'text',
    verdict: 'none',
    about:
      "the rules are those of the node's network (--network); merged-mined chains and modules that check blocks " +
      'are not offered',
  },
  prefixroot: {
    placeholder: 'name:0xhex',
    verdict: 'better',
    about: 'a root over the keys with a prefix, at every height; there in memory, for the newest block',
    setting: 'prefixroot',
  },
  'enable-view-pool': { verdict: 'better', about: 'nothing to switch on: views have threads of their own always' },
  'view-pool-size': { ...VIEW_THREADS, verdict: 'same', about: 'threads for views (`--view-workers`)' },
  'view-pool-max-concurrent': {
    placeholder: 'n',
    verdict: 'other',
    about: 'views that may wait for a thread (`--view-queue`)',
    setting: 'viewQueue',
    take: bounded(0, 100_000),
  },
  'view-pool-logging': { verdict: 'none', about: 'the load of view threads is in /status and /metrics' },
  'disable-lru-cache': { verdict: 'none', about: 'no cache of that kind lies between the module and the database' },
  'disable-wasmtime-log': {
    verdict: 'same',
    about: 'nothing of what the module logs is logged (`--module-log-lines 0`)',
    setting: 'moduleLogLines',
    take: () => ({ value: '0' }),
  },
};

/** Variables of rockshrew-mono that belong to no flag. RUST_LOG is read by {@link rustLogLevel}. */
export const ROCKSHREW_VARIABLES: Readonly<Record<string, string>> = {
  ROCKSHREW_DEBUG: 'lines of the log have their fields always (--log-level, --log-format)',
  ROCKSHREW_JSON_TRACING: 'the log is JSON unless --log-format says otherwise',
  ROCKSHREW_CONSOLE: 'there is no console to connect to: see /status and /metrics',
};

/** User and password of an address go to `--auth`. */
function daemonUrl(text: string): Taken {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username + url.password === '') return { value: text };
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return {
    value: url.href,
    also: ['auth', `${decoded(username)}:${decoded(password)}`],
    note: 'every user of this machine can read the password in it: give it with WARPSHREW_AUTH or --node-cookie',
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A label may be any text there. */
function label(text: string): Taken {
  const value = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  if (value === text) return { value };
  return value === '' ? { note: 'it has no letter or digit' } : { value, note: `${value} is taken instead` };
}

const LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const;
/** Programs whose own level counts where no level is given for all. */
const OWN = /^(rockshrew|metashrew)/;

/**
 * The log level that a value of RUST_LOG asks for: the last level without a program, else the most verbose of those for
 * the indexer's own programs. Undefined if it names none.
 */
export function rustLogLevel(text: string): string | undefined {
  let all: string | undefined;
  let own = -1;
  for (const part of text.split('/', 1)[0].split(',')) {
    const [name, of] = part.trim().split('=', 2);
    const level = LEVELS.findIndex((known) => known === (of ?? name).toLowerCase());
    if (of === undefined && level >= 0) all = LEVELS[level];
    // A program without a level: everything of it.
    else if (OWN.test(name)) own = Math.max(own, of === undefined ? LEVELS.length - 1 : level);
  }
  const level = all ?? LEVELS[own];
  return level === 'off' ? 'silent' : level;
}
