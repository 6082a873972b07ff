import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files of `test/` that take ten seconds or more on two quiet cores, longest first. */
const LONGEST = [
  'gpu/programs',
  'node/follow-node',
  'store/kill',
  'gpu/suite',
  'cli/foreign-folder',
  'explorer/browser',
  'docs/readme',
  'service/snapshots',
  'cli/start',
  'service/preview',
  'package/installed',
  'service/service',
  'bench/blocks',
  'cli/call',
  'execute/differential',
  'service/failing-modules',
  'cli/reindex',
  'simulate/rerun',
  'replay/resume',
  'replay/other-nodes',
  'cli/output',
  'cli/serve',
  'cli/diff',
  'cli/db',
  'cli/bad-input',
  'service/sink',
  'service/node-trouble',
  'cli/trace',
  'docs/examples',
  'execute/auto-learns',
  'stream/follow-stream',
  'gpu/fuzz-kernel',
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
