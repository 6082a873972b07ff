// What a process or a thread is started with is bundled: the program loads some fifty files instead of some three
// hundred, which is a third of a start. All bundles share their chunks, and a bundle takes nothing that is not in one,
// so that no module is twice in one thread. Whoever imports a module of dist/ gets the module itself, and what that
// imports. A comment above each module in a bundle names its source.
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/** Below `src/`, without the ending. */
export const ENTRIES = [
  'cli/main',
  'dev/origin-worker',
  'execute/threads/worker',
  'harness/index',
  'harness/worker',
  'pipeline/reader-worker',
  'selftest/bench/pool-worker',
  'service/engine-worker',
  'service/publish-worker',
  'service/sink-worker',
  'service/snapshot-worker',
  'simulate/worker',
  'standard/secondary-worker',
  'standard/worker',
  'store/receipts-thread',
  'store/rows-thread',
  'store/tree/hash-thread',
  'tasks/cpu/worker',
];
/** Below `dist/`. What one of these is called tells its content. */
export const CHUNKS = 'chunks/';
/** It finds other files from where it lies: one folder below `dist/`, bundled or not. */
const FINDS_OTHERS = 'src/util/shipped.ts';

/** The bundles of the project at `root`: their sources, and what to write, `path` relative to `dist/`. */
export async function bundle(root) {
  const out = join(root, 'dist');
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
    outbase: 'src',
    outdir: out,
    chunkNames: `${CHUNKS}[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // Errors say the name of their class.
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    write: false,
  });
  for (const [path, { inputs }] of Object.entries(metafile.outputs)) {
    if (FINDS_OTHERS in inputs && dirname(dirname(path)) !== 'dist') throw new Error(`${path} holds ${FINDS_OTHERS}`);
  }
  return {
    sources: new Set(Object.keys(metafile.inputs)),
    files: outputFiles.map(({ path, contents }) => ({ path: relative(out, path), contents })),
  };
}
