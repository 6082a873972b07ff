// Texts of contracts, traces and runs of mined transactions.
import { inFile } from './in-file.mjs';

const TEXTS = 'test/lane/texts.test.ts';
const STEPS = 'test/simulate/steps.test.ts';
const texts = inFile('src/lane/texts.ts', TEXTS);
const abort = inFile('src/program/abort-text.ts', TEXTS);
const bytes = inFile('src/lane/receipt-bytes.ts', TEXTS);
const waits = inFile('src/trace/waits.ts', 'test/trace/waits.test.ts');
const earlier = inFile('src/simulate/earlier.ts', STEPS);
const rerun = inFile('src/simulate/rerun.ts', STEPS);
const steps = inFile('src/simulate/steps.ts', STEPS);
const trace = inFile('src/trace/trace.ts', 'test/trace/trace.test.ts');

export const TRACE = [
  texts('text-frame-lost', 'frame: this.tree?.frame ?? 0,', 'frame: 0,', 'every text is of the message’s own frame'),
  texts('text-unbounded', 'if (this.logs.length === RECEIPT_LOGS) return;', '', 'a message keeps all texts'),
  texts(
    'text-room-of-each',
    'earlier.reduce((left, one) => left - of(one), most);',
    'most;',
    'each message has all of the room',
  ),
  abort('abort-text-longer', 'bytes.subarray(0, 2 * units)', 'bytes', 'a message of abort is not cut'),
  abort(
    'abort-text-broken',
    "whole.replace(/\\p{Surrogate}/gu, '\\ufffd')",
    'whole',
    'a text of abort may hold half a character',
  ),
  bytes(
    'text-flag-lost',
    '(bytes[at + EXECUTOR_AT + 1] & HAS_TEXTS) | flagsOf(how)',
    'flagsOf(how)',
    'how it was run takes the texts away',
  ),
  waits('wait-readers-stay', '        access.readers = [];\n', '', 'readers before the last writer count'),
  waits('wait-writes-only', '(reads || readers.length === 0)', 'reads', 'a writer behind a writer does not follow it'),
  waits('wait-farthest', 'sort((a, b) => b - a)', 'sort((a, b) => a - b)', 'the farthest come first'),
  earlier(
    'earlier-one-step',
    '    for (const key of reads) wanted.add(key);\n',
    '',
    'what an earlier one read decides nothing',
  ),
  earlier(
    'earlier-cut',
    'if (!listsAll(each) || entries > MOST_ENTRIES)',
    'if (entries > MOST_ENTRIES)',
    'cut receipts tell',
  ),
  rerun(
    'rerun-unchecked',
    '  checkSame(stored, driven);\n',
    '',
    'another receipt than the stored one is a trace as well',
  ),
  steps(
    'step-fuel-of-stop',
    "stop === 'out-of-fuel' ? 0 : frame.fuelLeft",
    'frame.fuelLeft',
    'a lack of fuel used less',
  ),
  steps('step-unbounded', 'this.steps.length === MOST_STEPS || ', '', 'all host calls are kept'),
  trace(
    'trace-any-block',
    ' || !bytesEqual(sha256d(block.subarray(0, HEADER_LENGTH)), hash)',
    '',
    'the bytes of another block are taken',
  ),
];
