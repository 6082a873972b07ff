import { DEFAULT_CROSS_CHECK, DEFAULT_DRY_RUN, DEPENDENT_RULES, DRY_RUN_RULES, POLICIES } from '../lane/policy.js';
import { STREAM_ADDRESS } from '../stream/nats/address.js';
import { GPU_SERVER } from '../tasks/server/address.js';
import { address, matching, named, type Option, oneOf, onOff, text, whole, wholeOr } from './option.js';
import { PREFIX_ROOTS } from './prefix-roots.js';
import { SECONDARIES } from './secondary-gate.js';

const NETWORKS = ['mainnet', 'testnet', 'testnet4', 'signet', 'regtest'] as const;
/** Highest height of any chain to come in this century. */
const HEIGHTS = 100_000_000;
/** A day: no wait of the service is meant to be longer. */
const LONGEST_MS = 86_400_000;

/** Every setting of `warpshrew index`; docs/operations.md lists them, held by test/service/options-docs.test.ts. */
export const OPTIONS = {
  network: oneOf(
    { about: 'chain to index; checked against the node (with --fixture: its own network)', fallback: 'mainnet' },
    NETWORKS,
  ),
  db: text({ about: 'database folder', placeholder: 'dir', fallback: 'warpshrew.db' }),
  label: matching(
    {
      about: 'name of this indexer: recorded in the database, and added to every log line and metric',
      placeholder: 'name',
      fallback: undefined,
    },
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'at most 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit',
  ),
  nodeUrl: address({ about: 'JSON-RPC of a Bitcoin Core compatible node', fallback: undefined }, ['http:', 'https:']),
  nodeUser: text({ about: 'user of the node', fallback: undefined }),
  nodePassword: text({
    about: 'password of the node; better in the environment or the file',
    fallback: undefined,
    secret: true,
  }),
  nodeCookie: text({
    about: "the node's cookie file, read again when the node refuses it",
    placeholder: 'file',
    fallback: undefined,
  }),
  auth: matching(
    {
      about: 'user and password of the node in one, or a bearer token for a proxy in front of it',
      placeholder: 'user:password|token',
      fallback: undefined,
      secret: true,
    },
    /^(?!sshfs:\/\/)(?:[^:]+:.+|[A-Za-z0-9._~+/-]+=*)$/,
    'user:password or a bearer token',
  ),
  nodePatience: whole(
    {
      about:
        'how long to retry after an error of the node that may be permanent; refused credentials 10 minutes at most',
      placeholder: 'ms',
      fallback: LONGEST_MS,
    },
    0,
    LONGEST_MS,
  ),
  blocksDir: text({
    about: "folder of the node's blk*.dat files, for the initial sync; what they lack comes from the node",
    placeholder: 'dir',
    fallback: undefined,
  }),
  zmq: matching(
    {
      about: "the node's zmqpubhashblock or zmqpubsequence endpoints, comma-separated; polling continues as well",
      placeholder: 'tcp://host:port',
      fallback: undefined,
    },
    /^tcp:\/\/[^\s,@]+:\d+(,tcp:\/\/[^\s,@]+:\d+)*$/,
    'of the form tcp://host:port, several separated by commas',
  ),
  fixture: text({ about: 'follow a fixture chain instead of a node', placeholder: 'dir', fallback: undefined }),
  index: oneOf(
    {
      about: 'optional index: outputs and transactions by address; fixed once a database has a block',
      fallback: 'none',
    },
    ['none', 'addresses'],
  ),
  indexer: text({
    about: 'standard module: a Metashrew WASM module (default: the built-in indexer)',
    placeholder: 'file',
    fallback: undefined,
  }),
  secondary: matching(
    {
      about:
        'another index that the module reads (`__secondary_get`), by its name: its server or the folder of its ' +
        'database; can be repeated',
      placeholder: 'name=place',
      fallback: undefined,
      repeats: true,
    },
    SECONDARIES,
    'of the form name=http://host:port or name=/folder/of/the/database, several separated by commas',
  ),
  startBlock: whole({ about: 'first height of a new database', fallback: 0 }, 0, HEIGHTS),
  exitAt: whole({ about: 'end once the block before this height is indexed', fallback: undefined }, 1, HEIGHTS),
  laneStartBlock: whole({ about: 'height from which (8,8) messages run', fallback: 0 }, 0, HEIGHTS),
  dependent: oneOf(
    { about: 'what happens to messages that spend lane outputs of their own block', fallback: 'demote' },
    DEPENDENT_RULES,
  ),
  policy: oneOf({ about: 'how the parallel lane is run', fallback: 'auto' }, POLICIES),
  dryRun: oneOf({ about: 'which lane transactions run in batches', fallback: DEFAULT_DRY_RUN }, DRY_RUN_RULES),
  crossCheck: whole(
    {
      about: "share of the kernel's results that the CPU recomputes before they are used",
      placeholder: 'percent',
      fallback: DEFAULT_CROSS_CHECK,
    },
    0,
    100,
  ),
  latencyBound: whole(
    {
      about: 'at the tip, small blocks run without the kernel while 99 % of its last uses took longer than this',
      placeholder: 'ms',
      fallback: undefined,
    },
    1,
    3_600_000,
  ),
  gpuServer: matching(
    {
      about: 'use the GPU of a gpu-server in the place of one of this process',
      placeholder: 'address',
      fallback: undefined,
    },
    GPU_SERVER,
    'unix:PATH or tcp:HOST:PORT',
  ),
  gpuTokenFile: text({ about: 'what that server wants to know', placeholder: 'file', fallback: undefined }),
  gpuTimeout: whole(
    {
      about: 'longest wait for a batch of that server (default: 30 s, of a software driver 10 minutes)',
      placeholder: 'ms',
      fallback: undefined,
    },
    1,
    LONGEST_MS,
  ),
  gpu: onOff({ about: 'look for a GPU (policies auto and gpu)', fallback: true }),
  workers: whole(
    { about: 'dry-run and CPU workers (default: as blocks need them, at most cores - 1)', fallback: undefined },
    1,
    256,
  ),
  keepUndo: whole({ about: 'blocks that a reorg can undo', placeholder: 'blocks', fallback: 100 }, 1, 1_000_000),
  history: wholeOr(
    {
      about: 'blocks below the tip whose states views can see, --keep-undo at least',
      placeholder: 'full|blocks',
      fallback: 'full',
    },
    'full',
    1,
    HEIGHTS,
  ),
  rootEvery: whole(
    {
      about: 'blocks stored together during the initial sync, with a state root of the last one only',
      placeholder: 'blocks',
      fallback: 1,
    },
    1,
    1_000,
  ),
  dbCache: whole({ about: 'memory of the database for what it read', placeholder: 'MiB', fallback: 256 }, 16, 1 << 20),
  treeMemory: whole(
    { about: 'memory of the state trees; what is beyond is read from the disk', placeholder: 'MiB', fallback: 512 },
    16,
    3_072,
  ),
  pollInterval: whole(
    { about: 'time between two polls of the node', placeholder: 'ms', fallback: 1_000 },
    50,
    LONGEST_MS,
  ),
  prefetchBytes: whole(
    { about: 'bytes of blocks fetched ahead', placeholder: 'bytes', fallback: 64 << 20 },
    1 << 20,
    2 ** 32,
  ),
  prefetchBlocks: whole(
    { about: 'blocks fetched ahead, however small they are', placeholder: 'blocks', fallback: 1_000 },
    1,
    1_000,
  ),
  reorgCheckThreshold: whole(
    {
      about: "so close to the node's tip, its chain is asked for before each block instead of every 2,000",
      placeholder: 'blocks',
      fallback: 0,
    },
    0,
    1_000_000,
  ),
  blockTimeout: whole(
    { about: 'limit of the module for one block', placeholder: 'ms', fallback: 600_000 },
    10,
    LONGEST_MS,
  ),
  stopTimeout: whole(
    { about: 'how long a stop waits for the block under way before it is dropped', placeholder: 'ms', fallback: 8_000 },
    0,
    LONGEST_MS,
  ),
  slowBlock: whole(
    { about: 'a block that takes longer is logged, and /ready says no meanwhile', placeholder: 'ms', fallback: 60_000 },
    100,
    LONGEST_MS,
  ),
  moduleLogLines: whole(
    {
      about: "lines per second of the module's log to log, of each thread, and texts of contracts; others are counted",
      fallback: 20,
    },
    0,
    100_000,
  ),
  viewTimeout: whole(
    { about: 'limit of one view: of its wait for a thread, and then of its run', placeholder: 'ms', fallback: 10_000 },
    10,
    LONGEST_MS,
  ),
  viewWorkers: whole({ about: 'threads for views', fallback: 2 }, 1, 64),
  viewQueue: whole(
    { about: 'views that may wait for a thread; more are refused (VIEW_BUSY)', placeholder: 'n', fallback: 128 },
    0,
    100_000,
  ),
  viewMemory: whole(
    { about: 'memory that the module may have in a view (VIEW_MEMORY)', placeholder: 'MiB', fallback: 512 },
    1,
    4_096,
  ),
  viewAnswerBytes: whole(
    {
      about: 'largest answer of a view (VIEW_ANSWER_TOO_LARGE); in hex it is twice as long',
      placeholder: 'bytes',
      fallback: 16 << 20,
    },
    1,
    192 << 20,
  ),
  indexNiceness: whole(
    { about: 'how much lower the priority of indexing is than that of answers (Linux; 0: the same)', fallback: 10 },
    0,
    19,
  ),
  snapshotDirectory: text({
    about: 'folder for snapshots of the database, made while it goes on',
    placeholder: 'dir',
    fallback: undefined,
  }),
  snapshotInterval: whole(
    { about: "blocks between two of them, once the node's tip is so near", placeholder: 'blocks', fallback: 1_000 },
    1,
    HEIGHTS,
  ),
  snapshotsKept: whole({ about: 'newest snapshots that stay in the folder', fallback: 3 }, 1, 1_000),
  snapshotKey: text({ about: 'private key to sign them with', placeholder: 'file', fallback: undefined }),
  repo: text({
    about: 'folder or address of snapshots, from the newest of which a missing database is restored',
    placeholder: 'dir|url',
    fallback: undefined,
  }),
  repoKey: text({ about: 'public key that must have signed it', placeholder: 'file', fallback: undefined }),
  publish: matching(
    {
      about: 'stream of a NATS server with JetStream that each block is published to, for replicas (`follow-stream`)',
      placeholder: 'nats://host/name',
      fallback: undefined,
    },
    STREAM_ADDRESS,
    'of the form nats://[user:password@]host[:port][/name], or tls://…; a name has letters, digits, - and _',
  ),
  publishKept: whole(
    {
      about: 'size of that stream if it is not there yet: beyond it the oldest blocks go',
      placeholder: 'MiB',
      fallback: 4_096,
    },
    16,
    1 << 24,
  ),
  prefixroot: matching(
    {
      about: 'name and prefix of keys that metashrew_prefixroot answers a root for; can be repeated',
      placeholder: 'name:0xhex',
      fallback: undefined,
      repeats: true,
    },
    PREFIX_ROOTS,
    'of the form name:0xhex, several separated by commas',
  ),
  sink: address(
    {
      about: 'PostgreSQL database that gets the tables of docs/data-out.md; its password better in the environment',
      placeholder: 'postgres://host/name',
      fallback: undefined,
      secret: true,
    },
    ['postgres:', 'postgresql:'],
  ),
  sinkSchema: named(
    { about: 'schema of that database, for this index alone', placeholder: 'name', fallback: 'warpshrew' },
    /^[a-z_][a-z0-9_]{0,62}$/,
    'at most 63 small letters, digits and underscores, and not begin with a digit',
  ),
  host: text({ about: 'address to serve on', fallback: '127.0.0.1' }),
  port: whole({ about: 'port to serve on; 0: any free one', fallback: 8080 }, 0, 65_535),
  explorer: onOff({ about: 'serve the explorer, pages for browsers, at /', fallback: true }),
  cors: text({
    about: 'origins whose pages may read answers, comma-separated, or *',
    placeholder: 'origins',
    fallback: undefined,
  }),
  allowHost: text({
    about: 'names allowed in the header `Host`, comma-separated, besides localhost, addresses and --host; * for any',
    placeholder: 'names',
    fallback: undefined,
  }),
  trustProxy: text({
    about: 'addresses of proxies, comma-separated, whose X-Forwarded-For names the client',
    placeholder: 'addresses',
    fallback: undefined,
  }),
  maxConnections: whole(
    { about: 'connections at a time; one client has half of them at most', fallback: 1_024 },
    2,
    65_536,
  ),
  transferTimeout: whole(
    { about: 'how long a body may take to arrive, and an answer to be read', placeholder: 'ms', fallback: 15_000 },
    100,
    LONGEST_MS,
  ),
  rpcMemory: whole(
    {
      about: 'memory for large bodies, and as much for large answers; one client has half of it at most',
      placeholder: 'MiB',
      fallback: 256,
    },
    128,
    1 << 20,
  ),
  readyWithin: whole(
    { about: '/ready says yes within so many blocks of the node', placeholder: 'blocks', fallback: 1 },
    0,
    1_000,
  ),
  logLevel: oneOf({ about: 'least important lines to log', fallback: 'info' }, [
    'trace',
    'debug',
    'info',
    'warn',
    'error',
    'silent',
  ]),
  logFormat: oneOf({ about: 'JSON lines, or plain text with a status line on a terminal', fallback: 'json' }, [
    'json',
    'pretty',
  ]),
  exitOnFailure: onOff({
    about: 'end at once when indexing stops for good, instead of serving what is indexed',
    fallback: false,
  }),
  skipBadBlock: onOff({ about: 'refused: a state that lacks a block is no state', fallback: false }),
} as const satisfies Readonly<Record<string, Option<unknown>>>;

export type OptionName = keyof typeof OPTIONS;

/** The settings in force. */
export type Settings = { readonly [K in OptionName]: ReturnType<(typeof OPTIONS)[K]['read']> };

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];
