/** Codes of wrong requests. */
import type { RpcTexts, Texts } from './texts.js';

/** A wrong command line or configuration. */
export const USAGE_CODES = {
  USAGE_CONFIG: ['settings that cannot be used, each with where it comes from', '`config check` shows all of them'],
  USAGE_BENCH: [
    'no benchmark, program, workload or file of that name, or a message that fails',
    '`bench gpu`, `bench blocks`, `bench contention`, `bench fuel` or `bench contracts FILE…`',
  ],
  USAGE_BAD_ID: ['not an id of the form `block:tx`', 'e.g. `2:1`'],
  USAGE_HEIGHT_NOT_INDEXED: ['no block of that height in the database', 'replay further'],
  USAGE_NOTHING_TO_DECODE: [
    'nothing given',
    'transaction hex, a file, `-` for the standard input, or `--vectors FILE`',
  ],
  USAGE_NOTHING_TO_ENCODE: [
    'neither or both of a target and `--like` are given',
    'a target with its inputs, or a file',
  ],
  USAGE_WALLET: [
    'not one of a key and a wallet of the node is given, or the node has none',
    '`--key FILE` or `--wallet NAME`',
  ],
  USAGE_KEY: ['the key is none, or of another network than the node', 'WIF, 64 hex digits, `wpkh(WIF)` or `tr(WIF)`'],
  USAGE_COIN: ['a coin of `--spend` is spent or not that of the key', 'an unspent output, as `txid:vout`'],
  USAGE_ADDRESS: ['the address of `--to` is none, or of another network than the node', 'an address of that network'],
  USAGE_FEE_RATE: ['the node cannot tell which fee is usual', '`--fee-rate` in satoshi per virtual byte'],
  USAGE_MAINNET: ['the node is on mainnet', 'a node of regtest or signet; `--yes-mainnet` if it is meant'],
  USAGE_AUTH: ['the login of the node is not `user:password`', '`--auth USER:PASSWORD` or `--node-cookie FILE`'],
  USAGE_CODEGEN: ['no contract to make a client of', 'a file, an id with `--rpc`, or `--meta FILE.json`'],
  USAGE_FORK: ['what `dev --fork` names is no address of a server', 'e.g. `http://127.0.0.1:8080@840000`'],
  USAGE_WAIT: ['`--wait` without a server that can tell what became of a message', '`--rpc URL` as well'],
  USAGE_CONFIRM: ['a change to a database without `--yes` and without a terminal to ask at', '`--yes`'],
  USAGE_RANGE: [
    '`--from` is above `--to`, or the source has no block between them',
    'heights of the source, the lower one first',
  ],
  USAGE_KEEP_UNDO: ['not a number of blocks from 1', '100 is the default'],
  USAGE_HISTORY: ['neither a number of blocks from 1 nor `full`', '`full` is the default'],
  USAGE_LABEL: ['a label that is empty, over 200 bytes or holds control characters', 'choose another'],
  USAGE_SOURCE: [
    'no source of blocks is given, or several that exclude each other',
    'a node, its block files, or a fixture chain',
  ],
  USAGE_NODE_URL: ["the node's address is no http or https URL", 'e.g. `http://127.0.0.1:8332`'],
  USAGE_STREAM: ['not the address of a stream', 'e.g. `nats://127.0.0.1:4222/mainnet`'],
  USAGE_ZMQ_ENDPOINT: ['not an endpoint for notifications', 'e.g. `tcp://127.0.0.1:28332`'],
  USAGE_PROOF_FROM: ['not one place to get a proof from', '`--db DIR` or `--rpc URL`'],
  USAGE_CALL_FROM: ['not one place to run a call on', '`--db DIR` or `--rpc URL`'],
  USAGE_TRACE_FROM: ['not one place to get a trace from', '`--db DIR` (with `--blocks`) or `--rpc URL`'],
  USAGE_DEVCHAIN_HEIGHT: ['a chain in memory has no block of that height', 'a height from 0 to that of its tip'],
  USAGE_DEVCHAIN_DEPLOY: [
    'a contract is not created on a chain in memory: its module is refused, or its first call fails',
    'the reason is in the message; `warpshrew inspect FILE.wasm` says what a module lacks',
  ],
  USAGE_DEVCHAIN_FUNDS: ['an account of a chain in memory has too little of an asset', 'mint or transfer it first'],
  USAGE_DEVCHAIN_INPUT: ['an input of a message is no number from 0 to 2^128 - 1', 'longer values take several inputs'],
  USAGE_TEST_PROJECT: [
    'the folder is no project of contracts',
    'run it where `warpshrew.json` lies; `warpshrew new` makes one',
  ],
  USAGE_TEST_CONTRACT: [
    'the project has no contract of that name',
    'see the names in `contracts/` and `warpshrew.json`',
  ],
  USAGE_TEST_PACKAGE: ['a package is missing that the project must bring', '`npm install` in the project'],
  USAGE_DIFF_SIDES: ['`diff` was given the same side twice', 'two database folders or addresses of servers'],
  USAGE_DIGEST_FROM: ['not one state to make a digest of', '`--db DIR` or `--rows FILE`'],
  USAGE_REINDEX: [
    'the module does not say that it shares the history below `--from`, or the database has no such state with a root',
    'another `--from`, or index from the start',
  ],
  USAGE_EXPORT: [
    'the folder holds something else, or another export: other format, size of files, first height or chain',
    'another folder, or the same settings as before',
  ],
  USAGE_SINK: [
    'not the address of a PostgreSQL database, or not the name of a schema',
    'e.g. `postgres://user@host/database`',
  ],
  USAGE_VIEW: ['not `name:hex`', 'e.g. `tipheight:`'],
} as const satisfies Readonly<Record<string, Texts>>;

/** Answers of the JSON-RPC server that no other class has. */
export const RPC_CODES = {
  BLOCK_NOT_INDEXED: ['the requested height is not indexed', 'ask `metashrew_height` for the tip', -32000],
  ROOT_NOT_COMPUTED: [
    'blocks were stored together, and only the last of them has a root',
    'ask for a height that has one; `--root-every 1` computes one for every block',
    -32000,
  ],
  PREFIX_NOT_FOUND: ['no prefix of that name', 'the operator names prefixes with `--prefixroot NAME:0xHEX`', -32000],
  RECEIPT_NOT_FOUND: [
    'no receipt of that transaction',
    'it is not a lane transaction, or its block is not indexed yet',
    -32000,
  ],
  RPC_ANSWERS_HELD: [
    'large answers that are not taken fill the memory for them',
    'wait for the pending answers first',
    -32000,
  ],
  RPC_BODIES_HELD: ['large bodies fill the memory for them', 'try again later', -32600, 503],
  RPC_BODY_TIMEOUT: ['the body did not come in time', 'send it faster, or raise `--transfer-timeout`', -32600, 408],
  RPC_BODY_TOO_LARGE: ['a body above 64 MiB', 'split the batch', -32600, 413],
  RPC_BAD_JSON: ['the body is not JSON, or too deep or wide', 'see docs/json-rpc.md', -32600, 400],
  RPC_CONNECTIONS: [
    'too many connections, or too many of one client; only counted and logged',
    'raise `--max-connections`',
  ],
  RPC_CONTENT_TYPE: ['no JSON is announced', '`content-type: application/json`', -32600, 400],
  RPC_HOST_REFUSED: [
    'the header `Host` names a host that is not answered to',
    'ask by address, or `--allow-host`',
    -32600,
    403,
  ],
  RPC_HTTP_METHOD: ['another HTTP method is needed', 'POST for `/`, GET for pages', -32600, 405],
  RPC_NOT_FOUND: ['nothing at this path', 'JSON-RPC is `POST /`', -32600, 404],
  RPC_PIPELINE: [
    'more than 32 requests ahead of their answers on a connection; only counted and logged',
    'wait for answers',
  ],
  RPC_BAD_ADDRESS: ['no address, or one of another network', 'an address of the network of the database', -32602],
  RPC_BAD_AMOUNT: ['not a number from 0 to 2^128 - 1', 'an integer below 2^53, or a decimal string', -32602],
  RPC_EVENTS_HELD: ['too many readers of events', 'share one, or try again later', -32600, 503],
  RPC_BAD_EVENTS: ['a wrong query of `/events`', 'see docs/json-rpc.md', -32600, 400],
  RPC_BAD_CURSOR: [
    'a cursor of another listing, or none',
    'give that of the page before, with the same method, options and height',
    -32602,
  ],
  RPC_BAD_HEIGHT: ['not a height', 'a number, a decimal string or `latest`', -32602],
  RPC_BAD_HEX: ['not hex', 'whole bytes, `0x` optional', -32602],
  RPC_BAD_BLOCK: ['longer than any valid block', 'a block as a node serialises it, 4,000,000 bytes at most', -32602],
  RPC_BAD_ID: ['not an id', '`block:tx`', -32602],
  RPC_BAD_NAMESPACE: ['not a namespace', '`S` or `P`', -32602],
  RPC_BAD_OUTPOINT: ['not an outpoint', '`txid:vout`', -32602],
  RPC_BAD_TXID: ['not a txid', '64 hex digits, display order', -32602],
  RPC_BATCH_SIZE: ['too many requests in a batch', 'at most 1,000', -32600],
  RPC_BAD_SCRIPT: [
    'a script whose outputs can never be spent',
    'OP_RETURN and scripts above 10,000 bytes are in no index',
    -32602,
  ],
  RPC_BAD_SIMULATION: ['nothing that can be simulated', 'see docs/json-rpc.md', -32602],
  RPC_INVALID_REQUEST: ['not a request object', 'see docs/json-rpc.md', -32600],
  RPC_METHOD_NOT_FOUND: ['unknown method', 'see docs/json-rpc.md', -32601],
  RPC_NO_INDEX: ['the database has no index by address', 'index into a new folder with `--index addresses`', -32000],
  RPC_NOT_SUPPORTED: ['this server cannot do that', 'see the message', -32000],
  RPC_WRONG_COUNT: ['wrong number of parameters', 'see docs/json-rpc.md', -32602],
  RPC_WRONG_TYPE: ['a parameter of the wrong type', 'see docs/json-rpc.md', -32602],
} as const satisfies Readonly<Record<string, RpcTexts>>;
