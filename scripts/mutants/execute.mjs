// Running a block: plan, versions, validate and repair, dry runs, the kernel's outcomes, workers.
import { inFile } from './in-file.mjs';

const ENGINE = 'test/execute/engine.test.ts';
const REPAIR = 'test/execute/repair.test.ts';
const graph = inFile('src/plan/conflict-graph.ts', 'test/plan/plan.test.ts');
const sets = inFile('src/plan/access-sets.ts', 'test/plan/plan.test.ts');
const colouring = inFile('src/plan/colouring.ts', 'test/plan/plan.test.ts');
const dsatur = inFile('src/plan/dsatur.ts', 'test/plan/bound.test.ts');
const versions = inFile('src/execute/run/versions.ts', 'test/execute/versions.test.ts', REPAIR);
const validate = inFile('src/execute/run/validate.ts', ENGINE, REPAIR);
const schedule = inFile('src/execute/run/schedule.ts', ENGINE, REPAIR);
const gpuBlock = inFile('src/execute/run/gpu-block.ts', 'test/execute/gpu-merge.test.ts', ENGINE);
const engine = inFile('src/execute/engine.ts', ENGINE, REPAIR);
const RANGES = 'test/execute/known-ranges.test.ts';
const ranges = inFile('src/execute/tasks/known-ranges.ts', RANGES);
const stored = inFile('src/store/stored-state.ts', 'test/execute/stored-reads.test.ts');

export const EXECUTE = [
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
  versions(
    'old-writes-stay',
    'if (!writes.has(key)) this.#remove(key, position);',
    '',
    'writes of a first run stay visible after a repair that does not write them',
  ),
  versions(
    'sees-own-write',
    'lowerBound(versions.positions, position) - 1;',
    'lowerBound(versions.positions, position + 1) - 1;',
    'a transaction sees its own writes of a run before',
  ),
  versions(
    'version-appended',
    'const replaces = versions.positions[at] === position ? 1 : 0;',
    'const replaces = 0;',
    'a second run leaves two versions of one writer',
  ),
  versions(
    'written-before-self',
    'versions.positions[0] < position;',
    'versions.positions[0] <= position;',
    'a key that only the transaction itself wrote counts as written before it',
  ),
  validate(
    'never-invalid',
    'if (!bytesEqual(seen, versions.get(key, position))) return false;',
    '',
    'a stale read is not found',
  ),
  validate(
    'absent-reads-ignored',
    'if (!bytesEqual(seen, versions.get(key, position))) return false;',
    'if (seen !== undefined && !bytesEqual(seen, versions.get(key, position))) return false;',
    'a key that was absent and is there now is not found',
  ),
  validate(
    'repair-unseen',
    'versions.put(position, repaired.writes);',
    '',
    'those behind a repaired transaction do not see what it wrote',
  ),
  validate('repair-uncounted', 'onRerun(position, repaired);', '', 'repairs are not counted'),
  schedule(
    'asked-dry-run-reused',
    "policy !== 'gpu' && !dryRun.askedDryRun && readsAreCurrent",
    "policy !== 'gpu' && readsAreCurrent",
    'the dry run of a program that skipped work in it is taken as its result',
  ),
  schedule(
    'stale-dry-run-reused',
    '!dryRun.askedDryRun && readsAreCurrent(dryRun.outcome, position, versions)',
    '!dryRun.askedDryRun',
    'stale dry runs are reused and only repaired later',
  ),
  schedule(
    'writes-not-kept',
    'this.inputs.versions.put(position, result.outcome.writes);',
    '',
    'later colours do not see the writes of earlier ones',
  ),
  schedule(
    'no-overrides',
    'if (versions.isWrittenBefore(key, position)) overrides.set',
    'if (versions.isWrittenBefore(key, 0)) overrides.set',
    'workers are not told what the block has written',
  ),
  schedule(
    'violations-uncounted',
    "if (finished.why === 'access-violation') statistics.accessViolations++;",
    '',
    'access violations are not counted',
  ),
  schedule(
    'gpu-failure-drops-colour',
    'for (const { gpu } of segment.colours) await this.#cpuColour(gpu);',
    '',
    'a batch that the kernel lost is left to the repair',
  ),
  gpuBlock(
    'violation-accepted',
    "if (status === 'ACCESS_VIOLATION') return { kind: 'handed-back', why: 'access-violation' };",
    '',
    'a run that touched an undeclared key counts',
  ),
  gpuBlock(
    'stale-seen-accepted',
    'if (!bytesEqual(seen ?? undefined, call.peekStorage(key))) return false;',
    '',
    'a kernel run that saw a stale value counts',
  ),
  gpuBlock(
    'context-not-compared',
    'bytesEqual(call.context, contextBytes(own, number))',
    'true',
    'a kernel run with another context than the transaction has counts',
  ),
  gpuBlock(
    'fuel-not-compared',
    'call.fuel === callFuel(own, number) &&',
    '',
    'a kernel run with other fuel than the transaction has left counts',
    {
      why: 'equal contexts are one message, and what those before it without a run used follows from their targets',
    },
  ),
  gpuBlock(
    'confirm-any-result',
    'dry === undefined || !bytesEqual(outcomes.result(number), dry.result)',
    'dry === undefined',
    'a dry run is confirmed although the kernel returned other bytes',
  ),
  gpuBlock(
    'confirm-any-read',
    'if (!sameValue(outcomes.seen(number, k), dryRead(own, place.call, k))) return undefined;',
    '',
    'a dry run is confirmed although the kernel saw other values',
  ),
  gpuBlock(
    'confirm-despite-predecessors',
    'if (!alone && !readsAreCurrent(outcome, position, this.versions)) return undefined;',
    '',
    'a dry run is confirmed although something that it read before the call has changed',
  ),
  engine(
    'demoted-planned',
    'transactions.flatMap((_, position) => (isDemoted[position] ? [] : [position]))',
    'transactions.map((_, position) => position)',
    'dependent transactions are dry-run although their assets are not known',
  ),
  inFile('src/execute/run/merge-writes.ts', ENGINE)(
    'no-op-deletions',
    'if (value === undefined && !isThere(key)) writes.delete(key);',
    ';',
    'a block deletes keys that never existed',
  ),
  inFile('src/execute/analyse/dry-run.ts', ENGINE)(
    'declared-dropped',
    'return declared.length === 0 ? touched : [...touched, ...declared];',
    'return touched;',
    'declared keys do not order transactions',
  ),
  inFile('src/execute/tasks/block-tasks.ts', ENGINE)(
    'asked-forgotten',
    'askedDryRun ||= end.askedDryRun;',
    'askedDryRun = end.askedDryRun;',
    'a program asked whether it is a dry run, and the message after it did not',
    { tests: [REPAIR] },
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
    'last?.rows !== undefined && hasPrefix(bytes, start, end, last.prefixBytes) ? last.rows : undefined;',
    'last?.rows;',
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
  inFile('src/execute/threads/collect.ts', 'test/execute/collect.test.ts')(
    'given-up-kept',
    'found = undefined;',
    '',
    'what workers found of a block that is given up stays in memory while it runs again',
  ),
  inFile('src/execute/tasks/block-weight.ts', 'test/execute/large-blocks.test.ts')(
    'piece-beyond-left',
    'return Math.min(this.#left,',
    'return Math.min(this.#bytes,',
    'a piece of a block takes as much as if it were the first',
  ),
  inFile('src/lane/types.ts', 'test/execute/worker-codec.test.ts', 'test/lane/receipt.test.ts')(
    'status-shifted',
    "['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED', 'STANDARD']",
    "['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED']",
    'a status has no code on its way from a worker',
  ),
];
