// Batch tasks: what is checked of the kernel, what consensus takes, and what is cut where.
import { inFile } from './in-file.mjs';

const TESTS = 'test/tasks/tasks.test.ts';
const tasks = inFile('src/tasks/tasks.ts', TESTS);
const work = inFile('src/tasks/work/work.ts', TESTS);
const keys = inFile('src/tasks/work/keys.ts', TESTS);
const requests = inFile('src/tasks/work/requests.ts', TESTS);
const cpu = inFile('src/tasks/cpu/run-work.ts', TESTS);

export const TASKS = [
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
