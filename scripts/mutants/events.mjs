// Events of the chain for readers over HTTP, and the connections that are answered without HTTP's own parser.
import { inFile } from './in-file.mjs';

const FEED_TEST = 'test/rpc/event-feed.test.ts';
const feed = inFile('src/rpc/event-feed.ts', FEED_TEST);
const place = inFile('src/rpc/event-place.ts', FEED_TEST);
const query = inFile('src/rpc/event-query.ts', 'test/rpc/events.test.ts');
const server = inFile('src/rpc/event-server.ts', 'test/rpc/events.test.ts');
const quick = inFile('src/rpc/quick-connections.ts', 'test/rpc/quick.test.ts');

export const EVENTS = [
  feed(
    'event-other-branch',
    'if (last !== undefined && !bytesEqual(previous, last.hash)) continue;',
    '',
    'a block is told behind one that it does not follow',
  ),
  feed(
    'event-below-first',
    'const height = Math.max(fork, this.#lowest);',
    'const height = fork;',
    'blocks below the first one that was asked for are told',
  ),
  feed(
    'event-receipts-twice',
    'this.#receipts = { height: fork, hash, after };',
    'this.#receipts = { height: fork, hash, after: undefined };',
    'a reader who goes on amid the receipts of a block gets all of them again',
  ),
  feed(
    'event-undone-thrown',
    "error.code === 'STORE_LIST_UNDONE'",
    "error.code === 'STORE_CORRUPT'",
    'a stream ends where a block is undone while its receipts are read',
  ),
  place(
    'event-place-any-hash',
    'return hash !== undefined && named === toHex(hash.subarray(0, HASH_BYTES));',
    'return hash !== undefined;',
    'a reader of another branch goes on as if nothing was undone',
  ),
  place(
    'event-place-receipt-first',
    "receipt: receipt === '' ? undefined : Number(receipt),",
    'receipt: undefined,',
    'which receipts were seen is not read from the id',
  ),
  query(
    'event-names-unchecked',
    'if (!NAMES.some((known) => known === name)) throw',
    "if (name === '') throw",
    'a query may say what nothing reads',
  ),
  server(
    'event-readers-unbounded',
    'own >= MOST_READERS_OF_A_CLIENT || ',
    '',
    'one client may hold the room of all readers',
  ),
  quick(
    'quick-any-host',
    'options.hosts(request.host) ? parseBody(request.body) : undefined',
    'parseBody(request.body)',
    'a plain request for a foreign host is answered',
  ),
  quick(
    'quick-says-open',
    'const lasting = this.closing',
    'const lasting = false',
    'the last answer of a server that closes says that its connection stays',
  ),
  quick(
    'quick-rest-dropped',
    'if (rest.length > 0 && !this.#all.closing) this.#hear(rest);',
    '',
    'requests that came with the one before are not answered',
  ),
  quick(
    'quick-head-characters',
    'const length = Buffer.byteLength(text);',
    'const length = text.length;',
    'the length of an answer is that of its characters',
  ),
];
