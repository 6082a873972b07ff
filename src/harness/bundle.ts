/** Tests in TypeScript as modules that Node.js loads: the project's esbuild strips the types and bundles its files. */
import { join } from 'node:path';
import { InputError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import { projectPackage } from './packages.js';
import type { Project } from './project.js';

/** What is used of esbuild. */
interface Esbuild {
  build(options: object): Promise<{ readonly metafile: { readonly outputs: Readonly<Record<string, Output>> } }>;
}

interface Output {
  readonly entryPoint?: string;
}

interface Resolved {
  readonly path: string;
}

interface PluginBuild {
  onResolve(which: { readonly filter: RegExp }, resolve: (found: Resolved) => object): void;
}

/** What tests import of this package is this package, wherever it lies: one registry holds all tests. */
const OWN = { 'warpshrew/test': 'harness/index.js', warpshrew: 'index.js', 'warpshrew/client': 'client/index.js' };

/** A bundled file of tests. */
export interface TestFile {
  /** As in the project. */
  readonly source: string;
  readonly module: string;
}

/** Bundles the tests of a project. Throws InputError CONTRACT_COMPILE with what esbuild says. */
export async function bundleTests(project: Project): Promise<TestFile[]> {
  if (project.tests.length === 0) return [];
  const { build } = (await projectPackage(project.folder, 'esbuild')) as Esbuild;
  const out = join(project.build, 'tests');
  try {
    const { metafile } = await build({
      absWorkingDir: project.folder,
      entryPoints: project.tests,
      outdir: out,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: 'inline',
      metafile: true,
      logLevel: 'silent',
      plugins: [{ name: 'warpshrew', setup: resolveOwn }],
    });
    return Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
      entryPoint === undefined ? [] : [{ source: entryPoint, module: join(project.folder, path) }],
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InputError('CONTRACT_COMPILE', `the tests do not compile: ${why}`, { facts: { folder: project.folder } });
  }
}

function resolveOwn(build: PluginBuild): void {
  build.onResolve({ filter: /^warpshrew(\/(test|client))?$/ }, ({ path }) => ({
    path: shipped(OWN[path as keyof typeof OWN]).href,
    external: true,
  }));
}
