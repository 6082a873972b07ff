/** Codes of streams of blocks: of those who publish one, and of replicas that follow one. */
import type { Texts } from './texts.js';

/** A stream that cannot be written or followed. */
export const STREAM_CODES = {
  STREAM_UNREACHABLE: [
    'the NATS server does not answer, or the connection broke; *passes*',
    'check that it runs, and the address',
  ],
  STREAM_REFUSED: [
    'the NATS server refuses what is asked: the login, a permission, or it runs without JetStream; *passes*',
    'see the reason in the message; run `nats-server` with `--jetstream`',
  ],
  STREAM_MISSING: [
    'the NATS server has no stream of that name, or nothing is in it yet; *passes*',
    'check the name, and that an index runs with `--publish`',
  ],
  STREAM_TAKEN: [
    'another publisher wrote to the stream meanwhile; *passes*: the publisher looks again where the stream ends',
    'nothing, if both publish the same index; else give each a stream of its own',
  ],
  STREAM_OTHER_INDEX: [
    'the stream is of an index of another network, chain, module or version',
    'name another stream or database; a replica needs the module of the index (`--indexer`)',
  ],
  STREAM_BAD_MESSAGE: [
    'a message of the stream is damaged, or of another program; nothing of it was stored',
    'check who may publish to the stream; make a new one',
  ],
  STREAM_WRONG_ROOT: [
    'the changes of a block do not give the state root that the stream names; nothing of it was stored',
    'check who may publish to the stream; compare both databases with `warpshrew diff`',
  ],
  STREAM_GAP: [
    'the stream does not go on where the replica ends',
    'make a snapshot of the index, and begin a new replica from it (`--repo`, a new `--db`)',
  ],
  STREAM_FORK_TOO_DEEP: [
    'the stream undoes blocks below the undo data of the replica; nothing was undone',
    'begin a new replica from a snapshot, and keep more undo data (`--keep-undo`)',
  ],
  STREAM_BLOCK_LEFT_OUT: [
    'the publisher left out blocks: they have no undo data any more, or one is too large for a stream',
    'replicas need a snapshot from above them; keep more undo data (`--keep-undo`)',
  ],
} as const satisfies Readonly<Record<string, Texts>>;
