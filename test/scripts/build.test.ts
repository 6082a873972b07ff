import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';

/** A small project that is built by the project's own build: two modules, and a step that counts how often it runs. */
class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'warpshrew-build-'));

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    const compilerOptions = {
      target: 'ES2022',
      module: 'ES2022',
      moduleResolution: 'bundler',
      lib: ['ES2022'],
      types: [],
      strict: true,
      rootDir: 'src',
      // The compiler's own declarations are most of its work here.
      skipLibCheck: true,
    };
    this.write('package.json', '{"type":"module"}');
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['src'] }));
    this.write('src/lazy.ts', 'export const lazy = 1;\n');
    this.write('src/changing.ts', 'export const changing = 1;\n');
    this.write('kernels/main.wgsl', 'fn main() {}\n');
    this.write(
      'scripts/build-wasm.mjs',
      [
        "import { appendFileSync, mkdirSync } from 'node:fs';",
        'mkdirSync(process.argv[2], { recursive: true });',
        "appendFileSync('runs', 'x');",
        "appendFileSync(process.argv[2] + '/a.wasm', 'a');\n",
      ].join('\n'),
    );
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** Text of a file of the build; undefined if there is none. */
  built(path: string): string | undefined {
    const file = join(this.folder, 'dist', path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** Names the file itself, whatever its content: it changes when the file is replaced. */
  inode(path: string): number {
    return statSync(join(this.folder, 'dist', path)).ino;
  }

  /** Exit status of a build. */
  build(...options: string[]): number | null {
    const args = [join(ROOT, 'scripts/build.mjs'), '--root', this.folder, ...options];
    const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
    expect(readdirSync(this.folder).filter((name) => name.startsWith('dist.next'))).toEqual([]);
    return status;
  }

  get wasmRuns(): number {
    return existsSync(join(this.folder, 'runs')) ? readFileSync(join(this.folder, 'runs'), 'utf8').length : 0;
  }
}

test('a build runs only the steps whose inputs changed, and none at all when all is up to date', () => {
  const project = new Project();
  expect(project.build()).toBe(0);
  expect(project.built('kernels/main.wgsl')).toBe('fn main() {}\n');
  const before = ['lazy.js', 'wasm/a.wasm', '.build.json'].map((file) => project.inode(file));
  expect(project.build()).toBe(0);
  expect(['lazy.js', 'wasm/a.wasm', '.build.json'].map((file) => project.inode(file))).toEqual(before);
  expect(project.wasmRuns).toBe(1);
  project.write('src/changing.ts', 'export const changing = 2;\n');
  expect(project.build()).toBe(0);
  expect(project.built('changing.js')).toContain('changing = 2');
  expect(project.inode('lazy.js')).toBe(before[0]);
  expect(project.wasmRuns).toBe(1);
});

test('npm start, npm test and npm run sim begin with the build that does nothing where all is up to date', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts.build).toBe('node scripts/build.mjs');
  // And end with the program in the place of the shell, which hands no signal on.
  for (const name of ['start', 'test', 'sim']) expect(scripts[name]).toMatch(/ && exec node [^&]+$/);
  expect(scripts.sim).toMatch(/^npm run --silent build && /);
  expect(scripts.start).toMatch(/^npm run --silent build -- --unchecked && /);
  // The types that this build does not check are checked by lint: those of the sources as a build does.
  expect(scripts.test).toMatch(/^node scripts\/build-and-lint\.mjs && /);
  expect(readFileSync(join(ROOT, 'scripts/build-and-lint.mjs'), 'utf8')).toContain(
    "npmRun('build', '--', '--unchecked')",
  );
  expect(scripts.lint).toMatch(/^tsc -p tsconfig\.test\.json --noEmit && tsc -p explorer\/tsconfig\.json && biome /);
  const config = JSON.parse(readFileSync(join(ROOT, 'tsconfig.test.json'), 'utf8')) as Record<string, unknown>;
  expect(config).toMatchObject({ extends: './tsconfig.json', include: expect.arrayContaining(['src']) });
});

test('an unchecked build writes the same without a look at the types, and the next checked build looks', () => {
  const project = new Project();
  project.write('src/changing.ts', 'export const changing: string = 3;\n');
  expect(project.build('--unchecked')).toBe(0);
  expect(project.built('changing.js')).toContain('changing = 3');
  const stamp = project.inode('.build.json');
  expect(project.build('--unchecked')).toBe(0);
  expect(project.inode('.build.json')).toBe(stamp);
  expect(project.build()).not.toBe(0);
  project.write('src/changing.ts', 'export const changing = 3;\n');
  expect(project.build()).toBe(0);
  const checked = project.inode('.build.json');
  expect(project.build('--unchecked')).toBe(0);
  expect(project.inode('.build.json')).toBe(checked);
});

test('what was changed or removed in dist/ is built again, and what no step writes goes', () => {
  const project = new Project();
  project.build();
  project.write('dist/wasm/a.wasm', 'changed');
  project.write('dist/old/gone.js', '');
  rmSync(join(project.folder, 'dist/kernels/main.wgsl'));
  expect(project.build()).toBe(0);
  expect(project.built('wasm/a.wasm')).toBe('a');
  expect(project.built('kernels/main.wgsl')).toBe('fn main() {}\n');
  expect(existsSync(join(project.folder, 'dist/old'))).toBe(false);
});

test('chunks that a process may be about to load stay until the build after the next', () => {
  const project = new Project();
  const old = 'chunks/lazy-OLD.js';
  project.write('src/chunks/lazy-OLD.ts', 'export const old = 1;\n');
  project.build('--unchecked');
  rmSync(join(project.folder, 'src/chunks/lazy-OLD.ts'));
  project.write('src/chunks/lazy-NEW.ts', 'export const old = 2;\n');
  project.build('--unchecked');
  expect([project.built(old), project.built('chunks/lazy-NEW.js')]).toEqual([
    expect.stringContaining('old = 1'),
    expect.stringContaining('old = 2'),
  ]);
  project.write('src/lazy.ts', 'export const lazy = 2;\n');
  project.build('--unchecked');
  expect(project.built(old)).toBeUndefined();
});

test('a build that fails, or was killed before, leaves dist/ as it was', () => {
  const project = new Project();
  project.build();
  // No process has this number.
  project.write('dist.next-99999999/typescript/half.js', '');
  project.write('src/changing.ts', 'export const changing: string = 3;\n');
  expect(project.build()).not.toBe(0);
  expect(project.built('changing.js')).toContain('changing = 1');
  expect(project.built('half.js')).toBeUndefined();
});

/** Imports a module of dist/ anew all the time, and says how often it did and how often it failed. */
const RUNNING = `
let done = 0, failed = 0;
process.on('message', () => { process.send({ done, failed }); });
for (;;) {
  try { await import('./dist/lazy.js?' + done); } catch { failed++; }
  done++;
  await new Promise((resolve) => setTimeout(resolve, 1));
}
`;

function ask(child: ChildProcess): Promise<{ done: number; failed: number }> {
  return new Promise((resolve) => {
    child.once('message', (answer) => resolve(answer as { done: number; failed: number }));
    child.send('?');
  });
}

test('a process that runs from dist/ finds its modules while another build moves in', async () => {
  const project = new Project();
  project.build();
  project.write('running.mjs', RUNNING);
  const child = spawn(process.execPath, ['running.mjs'], {
    cwd: project.folder,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(async () => (await ask(child)).done).toBeGreaterThan(0);
  const before = await ask(child);
  for (const value of [2, 3]) {
    project.write('src/lazy.ts', `export const lazy = ${value};\n`);
    expect(project.build()).toBe(0);
  }
  const after = await ask(child);
  expect(after.done).toBeGreaterThan(before.done);
  expect(after.failed).toBe(0);
});

test('two builds at the same time leave a whole dist/', async () => {
  const project = new Project();
  const builds = [0, 1].map(() =>
    spawn(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--root', project.folder], { stdio: 'ignore' }),
  );
  await Promise.all(builds.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  const copy = join(project.folder, 'copy');
  cpSync(join(project.folder, 'dist'), copy, { recursive: true });
  expect(project.build()).toBe(0);
  expect(readdirSync(copy, { recursive: true }).sort()).toEqual(
    readdirSync(join(project.folder, 'dist'), { recursive: true }).sort(),
  );
});
