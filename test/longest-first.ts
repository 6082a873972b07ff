import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files of `test/` that take ten seconds or more on two quiet cores, longest first. */
const LONGEST = [
  'gpu/programs',
  'node/follow-node',
  'gpu/suite',
  'execute/differential',
  'store/kill',
  'replay/resume',
  'docs/readme',
  'cli/start',
  'package/container',
  'package/installed',
  'service/failing-modules',
  'scripts/build',
  'gpu/fuzz-kernel',
  'service/service',
  'gpu/host-functions',
  'cli/output',
  'standard/view-pool',
  'bench/blocks',
  'service/node-trouble',
  'cli/bad-input',
  'cli/call',
  'simulate/rerun',
  'cli/trace',
  'simulate/mined',
  'docs/examples',
  'gpu/intrinsics',
  'replay/policies',
  'cli/db',
  'store/state-tree',
  'replay/other-nodes',
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
