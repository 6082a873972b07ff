// Calls of contracts over a GPU server: how blocks are cut, what the server takes, and what its clients believe.
import { inFile } from './in-file.mjs';

const REMOTE = 'test/gpu-server/remote.test.ts';
const COLUMNS = 'test/gpu-server/hostile-columns.test.ts';
const PIECES = 'test/gpu-server/pieces.test.ts';
const piece = inFile('src/gpu/pieces/piece.ts', PIECES, REMOTE);
const run = inFile('src/gpu/pieces/piece-run.ts', PIECES);
const columns = inFile('src/tasks/server/lane-columns.ts', COLUMNS);
const link = inFile('src/tasks/server/link.ts', REMOTE);
const connection = inFile('src/tasks/server/connection.ts', COLUMNS);
const executor = inFile('src/tasks/server/remote-executor.ts', REMOTE);
const device = inFile('src/execute/health/kernel-device.ts', REMOTE);

export const GPU_SERVER = [
  piece(
    'piece-spans-colours',
    'if (!startsColour && call > first) cut(false);',
    '',
    'a piece that begins inside a colour goes on with the next one, before what other pieces write is known',
  ),
  run(
    'piece-reads-before',
    'if (range.startsColour && running.length > 0) await settle();',
    '',
    'a piece reads what keys were before the pieces that it follows',
  ),
  run(
    'piece-next-segment',
    'if (number < packed.segments.length - 1) await settle();',
    '',
    'a segment does not see what the one before it has written',
  ),
  piece(
    'piece-another-length',
    "throw new RangeError('another length');",
    'return;',
    'an answer of another length is no answer, and nobody hears of it',
  ),
  piece(
    'piece-result-beyond',
    'if (status === OK && length !== NONE && length > room)',
    'if (status === OK && length !== NONE && length > 2 ** 30)',
    'the result of a call may be that of the next one',
  ),
  piece(
    'piece-more-fuel',
    'if (status <= TRAP && fuel > heads[i * HEAD_WORDS + HEAD.FUEL])',
    'if (status > TRAP && fuel > heads[i * HEAD_WORDS + HEAD.FUEL])',
    'a call may have more fuel left than it had',
  ),
  piece(
    'piece-any-address',
    'address === keys[key + KEY.VALUE_AT]) {',
    'address >= 0) {',
    'what a server says was read is taken for the value that was sent, whatever it is',
  ),
  columns(
    'columns-context-outside',
    'contextAt + contextBytes > bytes)',
    'contextAt > bytes)',
    'a context leads outside of the bytes of its client',
  ),
  columns(
    'columns-key-outside',
    'keyAt + keyBytes > bytes.length) {',
    'keyAt > 2 ** 32) {',
    'a key leads outside of the bytes of its client',
  ),
  columns(
    'columns-value-length',
    'if (!isInside || readU32(bytes, valueAt - 4) !== valueBytes)',
    'if (!isInside)',
    'a value has another length for the kernel than for the check',
  ),
  columns(
    'columns-declared-key',
    'if (accesses[at] >= keys)',
    'if (accesses[at] > 2 ** 31)',
    'a call declares a key that there is not',
  ),
  columns('columns-fuel', 'if (fuel > MOST_PIECE_FUEL)', 'if (fuel > 1e15)', 'a client keeps the device for minutes'),
  columns(
    'columns-answer',
    'if (answer > MOST_PIECE_ANSWER)',
    'if (answer > 2 ** 40)',
    'small columns have the server allocate gigabytes of results',
  ),
  link(
    'link-another-answer',
    "if (asked === undefined || (message.kind !== 'failure' && message.kind !== asked.wants)) {",
    'if (asked === undefined) {',
    'an answer of another kind is taken for that of a block',
  ),
  link(
    'link-any-answer',
    'const asked = this.#waiting.get(message.id);',
    'const asked = this.#waiting.get(message.id) ?? [...this.#waiting.values()][0];',
    'the answer to the block of another is taken',
  ),
  link('link-late-answer', 'this.#late.add(id);', '', 'an answer that comes late ends the connection'),
  connection(
    'server-calls-before-hello',
    "else if (message.kind === 'calls' && this.#isWelcome)",
    "else if (message.kind === 'calls')",
    'who has not greeted has calls run',
  ),
  executor(
    'remote-not-ready',
    'if (left.length === 0) return this.#notReady(piece);',
    '',
    'a kernel that the server has lost is a failure of the device',
  ),
  device(
    'device-not-awaited',
    'if (this.#isAwaited && !this.#isLost) {',
    'if (this.#isLost) {',
    'a server that comes after the indexer is never asked',
  ),
];
