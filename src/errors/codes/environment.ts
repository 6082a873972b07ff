/** Codes of the environment: machine, node, chain. */
import type { Texts } from './texts.js';

/** Ports, folders, GPU: the machine lacks something that the program needs. */
export const ENVIRONMENT_CODES = {
  SNAPSHOT_FILE_EXISTS: ['`--out` names an existing file', 'choose another name'],
  SNAPSHOT_TARGET_EXISTS: [
    'the folder of the new database, or that of an interrupted run next to it, exists',
    'choose another folder, or delete what the interrupted run left',
  ],
  ENV_STACK_TOO_SMALL: [
    'the thread for contracts has less than 64 MiB of stack',
    'run them in a worker thread with `resourceLimits.stackSizeMb` of 72; the program does so itself',
  ],
  ENV_UNWRITABLE: ['a file or folder cannot be written', 'check permissions'],
  ENV_EXPORT_BUSY: ['another process exports into the folder', 'wait for it, or choose another folder'],
  ENV_PROGRAM_FILE: [
    'the file of programs (docs/operations.md) gives back other bytes than were written, or none; a block is run again',
    'check the disk of the cache folder if it is logged more than once',
  ],
  ENV_NO_CACHE: [
    "neither the user's cache folder nor the one for temporary files can be used for cached files",
    'let `XDG_CACHE_HOME` name a folder of this user',
  ],
  ENV_PORT_IN_USE: ['the port is in use', '`--port` another'],
  ENV_NO_EXPLORER: [
    'the explorer was to be served and is not built',
    'build it, or serve without it (`--no-explorer`)',
  ],
  ENV_PORT_FORBIDDEN: ['this user may not use the port', '`--port` above 1023'],
  ENV_BIG_ENDIAN: ['the processor stores numbers with the high byte first', 'run it on a little-endian one'],
  ENV_LISTEN_FAILED: ['the server cannot listen', 'check `--host`'],
  ENV_RPC_FAILED: [
    'the JSON-RPC server cannot be asked, or answers with an error',
    'check the address, and see the reason in the message',
  ],
  ENV_ABOVE_FORK: [
    'a view above the fork of `dev --fork` was asked for, and the Metashrew host knows no block of this chain',
    'ask for the height of the fork or below',
  ],
  WALLET_NO_FUNDS: [
    'there are not enough coins that can be spent',
    'send what is missing to the address that it names, and wait for a block',
  ],
  WALLET_CANNOT_SIGN: ['the wallet of the node does not sign every input', 'unlock it, or name its own coins'],
  SEND_WOULD_FAIL: [
    'the message would not succeed on the state of `--rpc`; nothing was sent',
    'see its status and reason; `--force` sends it all the same',
  ],
  SEND_NOT_MINED: ['what was sent is in no indexed block after `--wait`', 'ask again later with `trace`'],
  FETCH_FAILED: [
    'a file cannot be fetched, after all attempts',
    'check the address and the server; the same command goes on where it ended',
  ],
  FETCH_NO_PARTS: [
    'the server does not answer with parts of a file (`Range`)',
    'get the whole file with another program: `snapshot restore` verifies it',
  ],
  SINK_AWAY: [
    'the database of `--sink` cannot be reached, or broke a connection; *passes*: tried again for ever, rows catch up',
    'check that it runs, and the address',
  ],
  SINK_REFUSED: [
    'the database of `--sink` refuses the login, or what this user may do; tried again for ever',
    'check user, password, name of the database and the rights of the user',
  ],
  SINK_FAILED: [
    'the database of `--sink` refuses rows, with its own code and message; tried again for ever',
    'see the message: a full disk, for one',
  ],
  SINK_SCHEMA: [
    'the schema of `--sink-schema` holds other tables, or those of another version',
    'name another schema, or drop this one: it is filled again',
  ],
  SINK_OTHER_INDEX: [
    'the tables of `--sink` are those of another network, module or other rules; nothing was changed',
    'name another schema, or the index that they were made from',
  ],
  SINK_OTHER_CHAIN: [
    'the tables of `--sink` hold a chain that forks off this one too far down; nothing was changed',
    'name another schema; or drop this one if this chain is right',
  ],
  SINK_AHEAD: [
    'the tables of `--sink` have far more blocks of this chain than the index, as after a restored snapshot; *passes*',
    'wait until the index has them, too',
  ],
  GPU_UNAVAILABLE: [
    'no adapter',
    '`warpshrew software-gpu -- CMD` (in a clone `npm run software-gpu -- CMD`), or another policy',
  ],
  GPU_NO_SOFTWARE_DRIVER: [
    'the package with the bundled software driver is missing or damaged',
    '`npm ci`, or the CPU policies',
  ],
  GPU_DEVICE_LOST: ['the device went away', 'the CPU runs the rest of the block'],
  GPU_FAILED: ['the device refused a batch', 'the CPU runs the rest of the block'],
  GPU_KERNEL_FAILED: [
    'translating, compiling or packing failed for one program',
    'the CPU runs that program; please report its hash',
  ],
  GPU_MISMATCH: [
    'the kernel and the CPU disagree on a call that was checked; the CPU ran the whole block instead',
    'run `warpshrew replay-dump` on the dump in the folder of the database, and please report it',
  ],
  GPU_TIMEOUT: [
    'the device did not finish a batch in time',
    'the CPU runs the rest of the block; a second timeout soon after pauses the kernel',
  ],
} as const satisfies Readonly<Record<string, Texts>>;

/** A Bitcoin node that cannot be reached, or gives a wrong answer. */
export const NODE_CODES = {
  NODE_UNREACHABLE: [
    'the node does not answer, after all attempts; *passes*',
    'check that it runs with `server=1`, and the address',
  ],
  NODE_WARMING_UP: ['the node is starting; *passes*', 'wait'],
  NODE_BUSY: [
    "the node's work queue is full, after all attempts; *passes*",
    'raise its `rpcworkqueue`, lower the concurrency',
  ],
  NODE_COOKIE_UNREADABLE: [
    'the cookie file is missing or malformed; *passes*',
    'check the path, and that the node runs',
  ],
  NODE_WRONG_BLOCK: [
    'the node served another block than the requested one; *passes*',
    'if it persists, check the node and proxies',
  ],
  NODE_UNAUTHORISED: [
    'the node refuses user or password; *waited out* for 10 minutes',
    'correct the configuration file or the cookie: both are read again without a restart',
  ],
  NODE_FORBIDDEN: [
    'the node, or a proxy before it, refuses this machine; *waited out*',
    'check its `rpcallowip`, and the proxy',
  ],
  NODE_RPC_ERROR: ['the node refuses a call, with its own code and message; *waited out*', 'see the message'],
  NODE_BAD_RESPONSE: ['an answer that no Bitcoin node gives; *waited out*', "check that the address is a node's"],
  SEND_REFUSED: ['the node does not take the transaction, with its own reason', 'see the reason and the hint'],
  SEND_COINS_SPENT: [
    'a coin that the transaction spends is spent, or was never there',
    'delete the plan file, if there is one, and run the command again',
  ],
  NODE_BLOCK_PRUNED: ['the node has deleted the block', 'use one that is not pruned, or a later start'],
  SECONDARY_AWAY: [
    'an index of `--secondary` does not answer, or has another block than the one that is indexed; *passes*',
    'check what it names, and that both follow the same chain',
  ],
  NODE_BLOCK_MISSING: [
    'the node lacks the bytes of a block that it named; *passes*: requested again',
    'nothing while it downloads the block; if it persists, check its log and disk',
  ],
} as const satisfies Readonly<Record<string, Texts>>;

/** A chain that cannot be followed. */
export const CHAIN_CODES = {
  CHAIN_WRONG_NETWORK: [
    "the node's block 0 is not that of the network",
    "name the node's network with `--network`, or another node",
  ],
  CHAIN_OTHER_GENESIS: ['the index was made from a chain with another block 0', 'another node, or another `--db`'],
  CHAIN_REORG_TOO_DEEP: [
    "the node's chain forks off the index below the undo data; nothing was undone",
    'check the node; index into a new folder, with more undo data kept ([following.md](following.md))',
  ],
  CHAIN_BAD_BLOCK: [
    'the node serves the same block again and again, and it is not valid or does not build on the tip',
    "check the node's disk (`-reindex`), or follow another node; a block is never skipped",
  ],
} as const satisfies Readonly<Record<string, Texts>>;

/** Not errors: conditions that logs, `/health`, `/ready` and metrics name in the same way. */
export const NOTICE_CODES = {
  BLOCK_SLOW: [
    'the block under way takes longer than `--slow-block`; in the log, `/health` and `/ready`',
    'see the log for the transaction',
  ],
  CONTRADICTION: [
    'the source named blocks that do not fit together, as in the middle of a reorg, and is asked again; only counted',
    'nothing; if it persists, check the node',
  ],
} as const satisfies Readonly<Record<string, Texts>>;
