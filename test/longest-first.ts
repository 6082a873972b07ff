import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files of `test/` that take ten seconds or more on two quiet cores, longest first. */
const LONGEST = [
  'gpu/programs',
  'store/kill',
  'node/follow-node',
  'service/snapshots',
  'docs/readme',
  'gpu/suite',
  'cli/start',
  'service/sink',
  'replay/resume',
  'cli/reindex',
  'package/installed',
  'service/failing-modules',
  'explorer/browser',
  'cli/foreign-folder',
  'cli/call',
  'service/service',
  'cli/output',
  'replay/other-nodes',
  'service/preview',
  'service/node-trouble',
  'execute/differential',
  'cli/diff',
  'bench/blocks',
  'cli/db',
  'cli/bad-input',
  'package/container',
  'cli/trace',
  'docs/examples',
  'execute/auto-learns',
  'stream/follow-stream',
  'gpu/fuzz-kernel',
  'simulate/rerun',
  'replay/policies',
  'store/undo',
  'store/final',
  'store/damaged-files',
  'gpu/intrinsics',
  'execute/predict/predicted-rows',
  'standard/rows-read',
  'store/tree-hasher',
  'store/addresses',
  'standard/view-pool',
  'scripts/build',
  'scripts/compare-indexer',
  'gpu/bounds',
  'gpu/large-programs',
  'gpu/host-functions',
  'standard/standard-indexer',
  'store/histories',
  'store/fetch',
  'store/state-tree',
  'trace/waits',
].map((name) => join(import.meta.dirname, `${name}.test.ts`));

/**
 * Begins the long files first, so that both forks end together. Without it a machine that has not run them before
 * begins with the largest files, and one fork waits for the other at the end.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = LONGEST.find((file) => !existsSync(file));
    if (gone !== undefined) throw new Error(`${gone} is listed as a long test, but is gone`);
    const place = new Map(LONGEST.map((file, i) => [file, i]));
    const placeOf = ({ moduleId }: TestSpecification): number => place.get(moduleId) ?? LONGEST.length;
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
