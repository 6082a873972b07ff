// Running a block: plan, versions, validate and repair, dry runs, the kernel's outcomes, workers.
import { inFile } from './in-file.mjs';

const ENGINE = 'test/execute/engine.test.ts';
const REPAIR = 'test/execute/repair.test.ts';
const graph = inFile('src/plan/conflict-graph.ts', 'test/plan/plan.test.ts');
const sets = inFile('src/plan/access-sets.ts', 'test/plan/plan.test.ts');
const colouring = inFile('src/plan/colouring.ts', 'test/plan/plan.test.ts');
const dsatur = inFile('src/plan/dsatur.ts', 'test/plan/bound.test.ts');
const KERNEL = ['test/execute/gpu-merge.test.ts', 'test/execute/predict/predicted-kernel.test.ts'];
const rowBatches = inFile('src/execute/rows/row-batches.ts', ENGINE, ...KERNEL);
const overrides = inFile('src/execute/rows/overrides.ts', ENGINE, 'test/execute/rows.test.ts');
const kernelRows = inFile('src/execute/rows/kernel-rows.ts', ENGINE, ...KERNEL);
const kernelResults = inFile('src/execute/tasks/kernel-results.ts', ENGINE, ...KERNEL);
const kernelCalls = inFile('src/execute/rows/kernel-calls.ts', ...KERNEL);
const RANGES = 'test/execute/known-ranges.test.ts';
const ranges = inFile('src/execute/tasks/known-ranges.ts', RANGES);
const stored = inFile('src/store/stored-state.ts', 'test/execute/stored-reads.test.ts');

const ON_THREADS = 'test/execute/kernel-on-threads.test.ts';
const rowTable = inFile('src/execute/rows/row-table.ts', ON_THREADS);
const kernelOnThreads = inFile('src/execute/tasks/row-tasks.ts', ON_THREADS);
const LEFT = 'test/execute/left-to-kernel.test.ts';
const leftOnThreads = inFile('src/execute/tasks/row-tasks.ts', LEFT);
const kernelPrograms = inFile('src/execute/choose/kernel-programs.ts', LEFT);
const PARTS = 'test/execute/parts.test.ts';
const written = inFile('src/execute/tasks/written-state.ts', PARTS);
const runPart = inFile('src/execute/rows/run-part.ts', REPAIR, ENGINE);

const LEARNS = 'test/execute/auto-learns.test.ts';
const REHEARSAL = 'test/execute/rehearsal.test.ts';
const decision = inFile('src/execute/choose/decision.ts', LEARNS);
const warmth = inFile('src/execute/choose/pool-warmth.ts', REHEARSAL);
const kindCosts = inFile('src/execute/choose/kind-costs.ts', 'test/execute/block-modes.test.ts', LEARNS);
const rehearsal = inFile('src/execute/threads/rehearsal.ts', REHEARSAL);
const rowQueue = inFile('src/execute/tasks/row-queue.ts', 'test/execute/row-queue.test.ts');
const pool = inFile('src/execute/threads/worker-pool.ts', REHEARSAL);

export const EXECUTE = [
  decision(
    'cold-threads',
    '(isReady && warmth.isWarmFor(block))',
    'isReady',
    'auto runs a block on threads that have run nothing like it',
  ),
  warmth(
    'part-of-rehearsal',
    'const isWhole = progress.ended >= this.#threads;',
    'const isWhole = progress.ended > 0;',
    'a rehearsal that one thread has ended counts for all',
  ),
  kindCosts(
    'few-runs-believed',
    'return count > 0 && count < FEW_RUNS ? FEW_EXCESS : 0;',
    'return 0;',
    'the first measurements in parallel count although code was compiled meanwhile',
  ),
  kindCosts(
    'disturbed-counts',
    'disturbed ? Math.min(us, known) : us',
    'us',
    'what a block took beside threads that rehearse counts as any other measurement',
  ),
  rehearsal(
    'crowded-rehearsal',
    'if (isWorking && this.#isCrowded) isWorking = this.#leave();',
    '',
    'a thread that rehearses does not make room for the engine',
  ),
  pool(
    'rehearsal-goes-on',
    '  begin(block: BeginBlock): void {\n    this.#rehearsal?.stop();',
    '  begin(block: BeginBlock): void {',
    'a block waits until a rehearsal has come to its end',
  ),
  rowQueue(
    'nobody-helped',
    'for (let i = 0; i < this.#parts; i++) if (this.#takeOf(',
    'for (let i = 0; i < 1; i++) if (this.#takeOf(',
    'a thread that has done with its own rows leaves those of slower ones to them',
  ),
  rowQueue(
    'room-for-each',
    'if (Atomics.sub(this.#words, 0, bytes) < bytes)',
    'if (this.#words[0] < bytes)',
    'every thread may keep as much of a batch as all of them together',
  ),
  rowTable(
    'given-up-record-kept',
    'if ((list[at + AT.flags] & GIVEN_UP) !== 0)',
    'if (words.length === 0)',
    'what a thread says of a row that the kernel gave up takes the place of its record',
  ),
  leftOnThreads(
    'left-run-counts',
    '      flags = ASKED;',
    '      flags = 0;',
    'the dry run of a program whose whole runs are left to the kernel counts',
  ),
  kernelPrograms(
    'left-though-failed',
    'const others = calls - Math.min(free, taken);',
    'const others = calls - free;',
    'programs whose calls the kernel gives up are left to it',
  ),
  kernelPrograms(
    'left-though-shared',
    'return asked >= rows - others && stale + steady <= others;',
    'return asked >= rows - others;',
    'auto leaves programs to the kernel whose calls share keys',
  ),
  kernelOnThreads(
    'not-taken-on-thread',
    'if (run.run(row) && results.wasTaken)',
    'if (run.run(row))',
    'a thread takes a row of which the kernel says what does not count',
  ),
  written(
    'oldest-part-first',
    'for (let i = this.#layers.length - 1; i >= 0; i--)',
    'for (let i = 0; i < this.#layers.length; i++)',
    'of what two parts of a block have written the older one is read',
  ),
  graph(
    'no-edge-from-readers',
    'for (let node = readerHead[key]; node !== NONE; node = readerNext[node]) join(readerTx[node]);',
    '',
    'a writer does not wait for the readers before it',
  ),
  graph(
    'no-edge-to-readers',
    'join(lastWriter[reads.values[at]]);',
    '{}',
    'a reader does not wait for the writer before it',
  ),
  graph(
    'no-edge-between-writers',
    'if (readerHead[key] === NONE) join(lastWriter[key]);',
    '',
    'a writer does not wait for the writer before it',
  ),
  graph(
    'last-writer-stands',
    'lastWriter[key] = j;',
    'if (lastWriter[key] === NONE) lastWriter[key] = j;',
    'edges come from the first writer of a key',
  ),
  graph('edge-twice', 'joined[i] === j) return;', 'joined[i] === -2) return;', 'an edge is counted once per key'),
  sets(
    'key-twice',
    'if (last[id] === row) return;',
    '',
    'a key that a transaction names twice stands in its row twice',
  ),
  colouring(
    'colour-of-last',
    'largest = Math.max(largest, colours[predecessors.values[at]]);',
    'largest = colours[predecessors.values[at]];',
    'a colour is one above that of the last predecessor only',
  ),
  colouring(
    'widths-shifted',
    'colours[j] = largest + 1;',
    'colours[j] = largest + (largest === 0 ? 1 : 0);',
    'conflicting transactions share a colour',
  ),
  dsatur(
    'bound-too-low',
    'largest = Math.max(largest, own.size + reader);',
    'largest = Math.max(largest, own.size);',
    'the bound for very large graphs leaves the reader out',
  ),
  rowBatches(
    'stale-dry-run-reused',
    'if (this.#runsAgain(row) || !this.#isCurrent(row)) again.push(row);',
    'if (this.#runsAgain(row)) again.push(row);',
    'stale dry runs are reused and only repaired later',
  ),
  rowBatches(
    'writes-not-kept',
    'for (const node of gpu) this.#keep(rows[node]);',
    '',
    'later colours do not see what the kernel wrote in earlier ones',
  ),
  rowBatches(
    'gpu-failure-drops-colour',
    'else if (running !== undefined) for (const { gpu } of segment.colours) await this.#onThreads(gpu, true);',
    '',
    'a batch that the kernel lost is left to the repair',
  ),
  rowBatches(
    'left-by-kernel-not-run',
    'await this.#runStale([...left]);',
    '',
    'what the kernel has given up is left to its turn',
  ),
  rowBatches(
    'kernel-left-to-turns',
    'const isLast = first + segment.colours.length >= last;',
    'const isLast = true;',
    'what the kernel has found is not known to the batches behind it',
  ),
  kernelRows(
    'given-up-left-to-turns',
    "if (status === 'PUNT' || status === 'ACCESS_VIOLATION') return false;",
    '',
    'calls that the kernel gave up are neither counted nor run by threads',
  ),
  kernelResults(
    'given-up-taken-as-end',
    "return status !== 'PUNT' && status !== 'ACCESS_VIOLATION';",
    'return true;',
    'a call that the kernel gave up counts as failed',
    { why: 'no such outcome gets there: `take` and `keepsForTurns` sort them out before' },
  ),
  overrides(
    'no-overrides',
    'if (version !== NO_VERSION) put(key, versions.start(version), versions.end(version));',
    '',
    'who runs again is not told what the block has written',
  ),
  kernelRows(
    'violations-uncounted',
    "else if (status === 'ACCESS_VIOLATION') statistics.accessViolations++;",
    "else if (status === 'ACCESS_VIOLATION') return false;",
    'access violations are not counted',
  ),
  kernelRows(
    'violation-accepted',
    "else if (status === 'ACCESS_VIOLATION') statistics.accessViolations++;\n",
    '',
    'a run that touched an undeclared key counts',
  ),
  kernelRows(
    'kernel-values-stay',
    '      this.#overridden.restore();\n',
    '',
    'the state keeps what one row of the kernel was to see, or another',
  ),
  kernelRows(
    'kernel-seen-as-before',
    'const isOverridden = this.#overridden.has(key);',
    'const isOverridden = false;',
    'what a row of the kernel has seen of earlier ones is recorded as the value before the block',
  ),
  kernelRows(
    'cpu-writes-untold',
    'for (const node of cpu) this.#publishRow(rows[node], place);',
    '',
    'the kernel is not told what the CPU has written',
  ),
  kernelResults(
    'stale-seen-accepted',
    'if (seen !== undefined && !this.#reads(state, k, seen)) return;',
    'if (seen !== undefined) this.#reads(state, k, seen);',
    'a kernel run that saw a stale value counts',
  ),
  kernelResults(
    'context-not-compared',
    '    if (state.contextBytes !== context.length) return false;\n' +
      '    state.writeContext(this.#roomFor(context.length), 0);\n    return this.#hasInRoom(context);\n',
    '    return true;\n',
    'a kernel run with another context than the transaction has counts',
  ),
  kernelResults(
    'fuel-not-compared',
    ' || fuel !== callFuel(this.calls, this.#call)',
    '',
    'a kernel run with other fuel than the transaction has counts',
  ),
  kernelCalls(
    'predicted-key-shared',
    'return this.#addKey(key, predictions.start(prediction), predictions.end(prediction));',
    'this.#sharedOf[key] ||= this.#addKey(key, predictions.start(prediction), predictions.end(prediction)) + 1;',
    'calls share one predicted value in the kernel',
  ),
  kernelCalls(
    'predicted-unknown-to-kernel',
    'if (predictions !== undefined && prediction !== NO_PREDICTION) {',
    'if (predictions !== undefined && prediction === Number.NaN) {',
    'the kernel reads the value before the block where another is predicted',
  ),
  kernelCalls(
    'accesses-unsorted',
    'sortAccesses(this.#accesses.list, first, count);',
    '',
    'the keys of a call are not in the order in which the kernel looks for them',
    { tests: ['test/execute/kernel-calls.test.ts'] },
  ),
  runPart(
    'demoted-planned',
    'if (!isDependent(columns, range, row)) rows[found++] = row;',
    'rows[found++] = row;',
    'dependent transactions are dry-run although their assets are not known',
  ),
  inFile('src/execute/run/merge-writes.ts', ENGINE)(
    'no-op-deletions',
    'if (value === undefined && !isThere(key)) writes.delete(key);',
    ';',
    'a block deletes keys that never existed',
  ),
  inFile('src/execute/rows/row-table.ts', ENGINE)(
    'declared-dropped',
    'writeOffsets[i + 1] = writeOffsets[i] + list[at + AT.writes] + list[at + AT.declaredWrites];',
    'writeOffsets[i + 1] = writeOffsets[i] + list[at + AT.writes];',
    'declared keys do not order transactions',
  ),
  inFile('src/execute/tasks/row-tasks.ts', REPAIR)(
    'asked-forgotten',
    'asked ||= end.askedDryRun;',
    'asked = end.askedDryRun;',
    'a program asked whether it is a dry run, and the message after it did not',
  ),
  inFile('src/execute/tasks/caching-reader.ts', ENGINE)(
    'cached-absence',
    'if (known !== undefined || this.#known.has(key)) return known;',
    'if (known !== undefined) return known;',
    'an absent key is read again',
    {
      why: 'the state before the block does not change, so a second read gives the same: slower, never another answer',
    },
  ),
  ranges(
    'range-of-another',
    'if (this.#last !== undefined && key.startsWith(this.#last.prefix)) return this.#last;',
    'if (this.#last !== undefined) return this.#last;',
    'a key that is there is absent, since another part of the state that is known does not have it',
  ),
  ranges(
    'range-too-large-empty',
    'const rows = this.#base.allUnder?.(part.prefix, part.reads, this.#mostBytes - this.#bytes);',
    'const rows = this.#base.allUnder?.(part.prefix, part.reads, this.#mostBytes - this.#bytes) ?? new Map();',
    'the keys of a part of the state that is too large to be read as a whole are absent',
  ),
  ranges(
    'ranges-unbounded',
    'for (const [row, value] of rows) this.#bytes += entryWeight(row, value);',
    '',
    'parts that were read as a whole take memory without a bound',
  ),
  ranges(
    'range-of-another-as-bytes',
    'const isIn = last !== undefined && hasPrefix(bytes, start, end, last.prefixBytes);',
    'const isIn = last !== undefined;',
    'a key that is given as bytes is looked for among the rows of another part of the state',
  ),
  stored(
    'range-one-more',
    'if (rows.size === most || left < 0) return undefined;',
    'if (rows.size > most || left < 0) return undefined;',
    'a part of the state with one row more than asked for is walked through',
  ),
  stored(
    'range-cut',
    'if (rows.size === most || left < 0) return undefined;',
    'if (rows.size === most || left < 0) break;',
    'of a part of the state that is too large, the rows that were not read are absent',
  ),
  stored(
    'range-of-standard-lane',
    "this.store.entriesAt('P', fromBinaryString(prefix))",
    "this.store.entriesAt('S', fromBinaryString(prefix))",
    'a part of the state is read from the other lane',
  ),
  inFile('src/execute/tasks/caching-reader.ts', RANGES, ENGINE)(
    'learned-despite-range',
    'if (this.#ranges.missed(key) === undefined) this.#remember(key, value);',
    'this.#remember(key, value);',
    'what workers read of one contract is remembered key by key, however much it is',
  ),
  inFile('src/execute/tasks/block-weight.ts', 'test/execute/large-blocks.test.ts')(
    'piece-beyond-left',
    'return Math.min(this.#left,',
    'return Math.min(this.#bytes,',
    'a piece of a block takes as much as if it were the first',
  ),
  inFile('src/lane/types.ts', 'test/execute/rows.test.ts')(
    'status-shifted',
    "['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED', 'STANDARD']",
    "['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED']",
    'a status has no code in a receipt',
  ),
];
