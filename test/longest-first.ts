import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files of `test/` that take some six seconds of processor time or more, longest first. */
const LONGEST = [
  'gpu/programs',
  'gpu/suite',
  'node/follow-node',
  'cli/foreign-folder',
  'explorer/browser',
  'package/installed',
  'docs/readme',
  'bench/blocks',
  'execute/differential',
  'store/kill',
  'cli/start',
  'service/snapshots',
  'service/secondary',
  'harness/new',
  'docs/examples',
  'gpu/fuzz-kernel',
  'program/interpreter',
  'gpu/host-functions',
  'replay/resume',
  'service/failing-modules',
  'service/service',
  'replay/other-nodes',
  'service/preview',
  'store/histories',
  'execute/predict/predicted-rows',
  'store/proof',
  'scripts/build',
  'store/final',
  'simulate/rerun',
  'cli/reindex',
  'cli/call',
  'execute/rows',
  'gpu/intrinsics',
  'stream/follow-stream',
  'service/sink',
  'replay/policies',
  'cli/output',
  'lane/calls/random-trees',
  'follow/pipeline',
  'cli/serve',
  'execute/engine',
  'store/undo',
  'stream/drill',
  'program/put-away',
  'store/tree-hasher',
  'replay/mainnet',
  'standard/rows-read',
  'harness/conflicts',
  'harness/sdk',
  'export/export',
  'cli/db',
  'store/fetch',
  'standard/default-indexer',
  'cli/diff',
  'program/lent-window',
  'service/node-trouble',
  'trace/waits',
  'store/damaged-files',
  'harness/test-command',
  'gpu/large-programs',
  'store/state-tree',
  'execute/auto-learns',
  'cli/bad-input',
  'store/check',
  'dev/dev',
  'scripts/mutants',
  'cli/trace',
  'program/erasure',
  'lane/columns/scan-columns',
  'standard/preview',
  'standard/view-pool',
].map((name) => join(import.meta.dirname, `${name}.test.ts`));

/**
 * Begins the long files first, so that all forks end together. Without it a machine that has not run them before
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
