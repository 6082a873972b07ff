// What blocks tell of themselves: for metrics, and at debug.
import { inFile } from './in-file.mjs';

const STATISTICS = 'test/execute/block-statistics.test.ts';

export const FIGURES = [
  inFile('src/lane/notes.ts', STATISTICS)(
    'notes-unbounded',
    'if (notes.list.length < MOST_NOTES) notes',
    'if (notes.list.length < 1e9) notes',
    'a hostile block fills the log with a line for each transaction',
  ),
  inFile('src/execute/tasks/time-sampler.ts', STATISTICS)(
    'every-one-timed',
    'this.#left = TIMED_EVERY - 1;',
    'this.#left = 0;',
    'the clock is read for each transaction',
  ),
  inFile('src/execute/rows/block-kernel.ts', STATISTICS)(
    'segment-time-for-each-call',
    'ms / 1_000 / gpuCalls, gpuCalls);',
    'ms / 1_000 / gpuCalls, 1);',
    'the calls of a segment count as one',
  ),
  inFile('src/service/prometheus.ts', 'test/service/reporting.test.ts')(
    'ranges-not-added-up',
    'count += more;',
    'count = more;',
    'a histogram tells of each range alone, which Prometheus takes for all below it',
  ),
  inFile('src/gpu/device/trial.ts', 'test/gpu/trial.test.ts')(
    'crashing-driver-loaded',
    'if (end.signal !== undefined) {',
    "if (end.signal === 'never') {",
    'a driver that ended the process which tried it is loaded into the one that indexes',
  ),
];
