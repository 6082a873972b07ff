// Builds dist/: everything that is read at run time. Builds beside it first (dist.next-PID) and then moves in, file
// by file, what is new or changed, so that a process that runs from dist/ meanwhile finds its files. A step whose
// inputs are those of the last build is not run again.
//   node scripts/build.mjs [--unchecked] [--root FOLDER]
// --unchecked: types are not checked, which is half of a build's time; the next build without it does so.
// FOLDER: the project, if it is not this one (for tests).
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readStamp, stepState, writeStamp } from './build/stamp.mjs';
import { STEPS } from './build/steps.mjs';
import { moveIn, openNext } from './build/swap.mjs';

const { values } = parseArgs({ options: { root: { type: 'string' }, unchecked: { type: 'boolean', default: false } } });
const { unchecked } = values;
const root = resolve(values.root ?? fileURLToPath(new URL('..', import.meta.url)));
const dist = join(root, 'dist');

const stamp = readStamp(dist);
const states = STEPS.map((step) => stepState(root, dist, step, stamp, unchecked));
if (states.some(({ fresh }) => !fresh)) process.exitCode = await build();

async function build() {
  const next = openNext(root);
  try {
    const stale = states.filter(({ fresh }) => !fresh);
    const statuses = await Promise.all(
      stale.map(({ step }) => step.run(root, join(next.folder, step.name), unchecked)),
    );
    const failed = statuses.find((status) => status !== 0);
    if (failed !== undefined) return failed;
    writeStamp(dist, moveIn(next.folder, dist, states));
    return 0;
  } finally {
    next.remove();
  }
}
