import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.js';
import { applyDockerfile, type Stage } from './dockerfile.js';
import { linkProductionPackages, Run, rpc } from './stranger.js';

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-container-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The RUN lines of the Dockerfile: what they leave behind is taken from here, where it is built and installed
 * already.
 */
function run(line: string, { root, workdir }: Stage): void {
  const app = join(root, workdir);
  if (line === 'npm ci --no-audit --no-fund') {
    expect(existsSync(join(app, 'package-lock.json'))).toBe(true);
  } else if (line === 'npm run build && npm prune --omit=dev && rm -r dist/testing') {
    for (const source of ['src', 'wasm', 'kernels', 'fixtures', 'scripts'])
      expect(existsSync(join(app, source)), source).toBe(true);
    expect(existsSync(join(app, 'dist')), 'a dist/ of the context').toBe(false);
    cpSync(join(ROOT, 'dist'), join(app, 'dist'), { recursive: true });
    rmSync(join(app, 'dist/testing'), { recursive: true });
    linkProductionPackages(join(app, 'node_modules'));
  } else if (line === 'mkdir /data && chown node:node /data') {
    mkdirSync(join(root, 'data'));
  } else {
    throw new Error(`the layout test does not know RUN ${line}: teach it`);
  }
}

test('the image, laid out by its COPY lines, holds the program, indexes by its own command, and answers', async () => {
  const image = applyDockerfile(ROOT, folder, run);
  const inside = (path: string): string => (path.startsWith('/') ? join(image.root, path) : path);
  const command = image.entrypoint.map(inside);
  const work = join(folder, 'work');
  mkdirSync(join(work, 'tmp'), { recursive: true });
  // The program in it is the one that `installed.test.ts` runs: the same files, the same packages.
  const program = join(image.root, image.workdir, 'dist');
  const files = (dir: string): string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  const shipped = files(join(ROOT, 'dist')).filter((name) => !/^(testing|\.build\.json$)/.test(name));
  expect(files(program).filter((name) => name !== '.build.json')).toEqual(shipped);
  expect(command.slice(-1)).toEqual([join(program, 'cli.js')]);

  // As it runs by itself: its own command and settings, and its health check.
  expect(image.command).toEqual(['index']);
  const environment = {
    ...image.environment,
    WARPSHREW_DB: inside(image.environment.WARPSHREW_DB),
    WARPSHREW_HOST: '127.0.0.1',
    WARPSHREW_PORT: '0',
    WARPSHREW_LOG_FORMAT: 'json',
    WARPSHREW_FIXTURE: join(image.root, image.workdir, 'dist/chains/regtest'),
  };
  expect(image.environment.WARPSHREW_HOST).toBe('0.0.0.0');
  const index = new Run({ command, cwd: work, dist: '', environment }, image.command);
  try {
    const port = (await index.says(/http:\/\/127\.0\.0\.1:(\d+)/))[1];
    const [type, ...check] = image.healthcheck;
    expect(type).toBe('node');
    execFileSync(process.execPath, check, { env: { ...environment, WARPSHREW_PORT: port } });
    await expect.poll(() => rpc(`http://127.0.0.1:${port}`, 'metashrew_height')).toMatch(/^[1-9]\d*$/);
    expect(await rpc(`http://127.0.0.1:${port}`, 'metashrew_view', 'tipheight', '0x', 'latest')).toMatch(/^0x/);
    index.interrupt();
    expect(await index.ended, index.text).toBe(0);
  } finally {
    index.kill();
  }
});
