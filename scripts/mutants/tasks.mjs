// Batch tasks: what is checked of the kernel, what consensus takes, and what is cut where.
import { inFile } from './in-file.mjs';

const TESTS = 'test/tasks/tasks.test.ts';
const tasks = inFile('src/tasks/tasks.ts', TESTS);
const work = inFile('src/tasks/work/work.ts', TESTS);
const keys = inFile('src/tasks/work/keys.ts', TESTS);
const requests = inFile('src/tasks/work/requests.ts', TESTS);
const cpu = inFile('src/tasks/cpu/run-work.ts', TESTS);

const SERVER = 'test/tasks/server.test.ts';
const connection = inFile('src/tasks/server/connection.ts', SERVER);
const frames = inFile('src/tasks/server/frames.ts', SERVER);
const queue = inFile('src/tasks/server/job-queue.ts', SERVER);
const server = inFile('src/tasks/server/server.ts', SERVER);

const pace = inFile('src/tasks/kernel/pace.ts', TESTS);
const backend = inFile('src/tasks/kernel/backend.ts', TESTS);

export const TASKS = [
  backend(
    'task-segments-at-once',
    'if (flags.length >= inFlight)',
    'if (flags.length >= 1e9)',
    'all segments of a batch are with the device at once, each in memory of its own',
  ),
  pace(
    'task-pace-stays',
    'if (ms > LONGEST_MS) this.#most',
    'if (ms > 1e12) this.#most',
    'submissions that a driver takes for a hang do not become smaller',
  ),
  connection(
    'stranger-drips',
    'this.#isWelcome ? this.#moved : this.#came',
    'this.#moved',
    'a client that greets byte by byte holds its place for hours',
  ),
  connection(
    'server-token-ignored',
    'own !== undefined && !tokensEqual(own, token)',
    'own !== undefined && token.length === 0',
    'any token is the right one',
  ),
  connection(
    'server-job-before-hello',
    "else if (message.kind === 'job' && this.#isWelcome)",
    "else if (message.kind === 'job')",
    'who has not greeted has jobs done',
  ),
  connection(
    'server-greeting-unbounded',
    'this.#isWelcome ? MOST_FRAME : MOST_TOKEN + 2',
    'MOST_FRAME',
    'who has not greeted may have a large frame allocated',
  ),
  frames(
    'server-frame-unbounded',
    'if (bytes > this.owner.most) {',
    'if (bytes > 2 ** 31) {',
    'a frame of any length is allocated',
  ),
  frames(
    'server-frame-not-reserved',
    'if (!this.owner.reserve(bytes)) return false;',
    'this.owner.reserve(bytes);',
    'a frame is allocated although there is no room for it',
  ),
  queue(
    'server-greedy-first',
    'clients.delete(client);\n        if (jobs.length > 0) clients.set(client, jobs);',
    'if (jobs.length === 0) clients.delete(client);',
    'a client with many jobs has all of them done first',
  ),
  server(
    'server-deletes-any-file',
    '?.isSocket() !== true',
    ' === undefined',
    'a server deletes a file that lies where its socket should',
  ),
  server(
    'server-tcp-without-token',
    "if (address.kind === 'tcp' && token === undefined) {",
    "if (address.kind === 'tcp' && token === '') {",
    'a server on TCP serves anybody',
  ),
  tasks(
    'task-answer-unchecked',
    '(again === undefined || agrees(work, chosen, answer, again))',
    'true',
    'what the kernel says of a batch is used although the CPU says otherwise',
  ),
  tasks(
    'task-mutation-believed',
    'if (fits && !answer.mutated) {',
    'if (fits) {',
    'a tree is refused because the kernel alone says that two nodes are equal',
  ),
  work(
    'task-short-answer',
    'if (bytes.length !== unitsOf(work) * unitBytes(work)) return false;',
    '',
    'an answer that is cut short is used',
  ),
  work(
    'task-levels-unchecked',
    'rowsAgree(HASH * 2 ** (work.height - i - 1), units, level, again.levels[i])',
    'true',
    'levels of a tree are not compared',
  ),
  keys(
    'task-hybrid-parity',
    'prefix !== (odd === 1 ? HYBRID_ODD : HYBRID_EVEN)',
    'prefix !== HYBRID_EVEN && prefix !== HYBRID_ODD',
    'a hybrid key of the wrong parity is a key',
  ),
  keys(
    'task-der-lax',
    'if (length > 1 && der[at] === 0 && (der[at + 1] & 0x80) === 0) return undefined;',
    '',
    'a number with a zero too many is strict DER',
  ),
  keys('task-der-negative', '|| (der[at] & 0x80) !== 0', '', 'a negative number is strict DER'),
  requests(
    'task-offsets-back',
    'if (offsets[i] < offsets[i - 1])',
    'if (offsets[i] > bytes.length)',
    'an offset may lie below the one before',
  ),
  cpu(
    'task-zero-scalar',
    'compareBytes(bytes, ORDER) < 0 && compareBytes(bytes, ZERO) !== 0',
    'compareBytes(bytes, ORDER) <= 0',
    'r or s may be 0 or n',
  ),
];
