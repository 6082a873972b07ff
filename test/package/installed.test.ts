import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';
import { installNode } from '../node/regtest-node.js';
import { linkProductionPackages, runsForStrangers } from './stranger.js';
import { runTutorial } from './tutorial.js';

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-package-'));
const modules = join(folder, 'node_modules');
const installed = join(modules, 'warpshrew');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  readonly bin: { readonly warpshrew: string };
  readonly exports: Record<string, string | Record<string, string>>;
}
let manifest: Manifest;
let files: string[];

/** As `npm install FILE.tgz` does, but for the network. */
beforeAll(() => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--offline', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components=1']);
  linkProductionPackages(modules);
  manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  const bin = join(modules, '.bin', 'warpshrew');
  mkdirSync(join(modules, '.bin'));
  symlinkSync(join('..', 'warpshrew', manifest.bin.warpshrew), bin);
  chmodSync(bin, 0o755);
  files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
});

test('the package, installed elsewhere, starts, indexes, fuzzes, runs a kernel and answers a view', async () => {
  const bin = join(modules, '.bin', 'warpshrew');
  await runsForStrangers({ command: [bin], cwd: folder, dist: join(installed, 'dist') });
});

test('the package holds what its exports name, no sources, no scripts, and no source map', () => {
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  for (const target of targets) expect(existsSync(join(installed, target)), target).toBe(true);
  expect([...new Set(files.map((file) => file.split('/')[0]))].sort()).toEqual(
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'compose.yaml', 'deploy', 'dist', 'docs', 'package.json', 'sdk'].sort(),
  );
  expect(files.filter((file) => file.endsWith('.map') || file.split('/').some((part) => part.startsWith('.')))).toEqual(
    [],
  );
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    expect(readFileSync(join(installed, file), 'utf8'), file).not.toContain('sourceMappingURL');
  }
});

test('every module that a module of the package imports is in the package', () => {
  const missing = files
    .filter((name) => name.endsWith('.js') || name.endsWith('.d.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(installed, file), 'utf8');
      return [...text.matchAll(/(?:from |import\(|^import )['"](\.{1,2}\/[^'"]+)['"]/gm)].map(([, path]) =>
        join(dirname(file), path),
      );
    })
    .filter((path) => !existsSync(join(installed, path)));
  expect(missing).toEqual([]);
});

/** What a project beside the package brings. */
function linkCompilers(): void {
  for (const name of ['assemblyscript', 'esbuild', 'fast-check']) {
    if (!existsSync(join(modules, name))) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
}

const hasNode = installNode();
if (!hasNode) process.stderr.write('the tutorial is skipped: no Bitcoin node can be installed on this system\n');

test.skipIf(!hasNode)('docs/tutorial.md runs as it stands, but for its ports, on a real node', async () => {
  linkCompilers();
  const fresh = join(folder, 'tutorial');
  mkdirSync(fresh);
  symlinkSync(modules, join(fresh, 'node_modules'));
  await runTutorial(fresh, join(installed, 'docs/tutorial.md'));
});

test('a contract that imports warpshrew/sdk compiles beside the package, and a new project passes its tests', () => {
  linkCompilers();
  const run = (...args: string[]): string =>
    execFileSync(join(modules, '.bin', 'warpshrew'), args, { cwd: folder, encoding: 'utf8' });
  const source = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(installed, 'docs/sdk.md'), 'utf8'))?.[1] ?? '';
  writeFileSync(join(folder, 'counter.ts'), source);
  run('compile', 'counter.ts');
  expect(WebAssembly.validate(readFileSync(join(folder, 'counter.wasm')))).toBe(true);
  run('new', 'my-token');
  expect(run('test', 'my-token', '--no-kernel', '--jobs', '1')).toMatch(/\n8 passed, 0 failed; one by one, in batches/);
});

test('the declarations of the package suffice for a strict TypeScript program', () => {
  symlinkSync(join(ROOT, 'node_modules', '@types'), join(modules, '@types'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, 'use.ts'),
    `import { decodeRunestone, LaneEngine, makePlan, openReader } from 'warpshrew';
import { prepareProgram, startRpcServer, StoreReader, translateProgram } from 'warpshrew';
const engine: LaneEngine = new LaneEngine({ policy: 'cpu', laneStartHeight: 0, dependent: 'demote' });
export const height = async (dir: string): Promise<number | undefined> => {
  const reader = await openReader(dir);
  const backend = { store: reader, view: async () => new Uint8Array() };
  const server = await startRpcServer({ host: '127.0.0.1', port: 0, backend });
  await server.close();
  return reader instanceof StoreReader ? reader.tip()?.height : undefined;
};
export const colours: number = makePlan([]).colouring.count;
const translated = translateProgram(prepareProgram(new Uint8Array()), { bytes: 2048, place: 'private' });
export const text: string = translated.ok ? translated.kernel.wgsl : translated.reason;
export const kind: 'none' | 'runestone' | 'cenotaph' = decodeRunestone([]).kind;
void engine.close();
`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'use.ts'], {
    cwd: folder,
    stdio: 'inherit',
  });
});
