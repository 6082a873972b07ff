import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import { Store } from '../../src/store/store.js';
import { block, OPTIONS, temporaryFolder } from './helpers.js';

const DIST = new URL('../../dist/store/store.js', import.meta.url).href;

/** Commits blocks of half a megabyte that does not compress until a write fails, then says what it can still do. */
const CHILD = `
import { randomBytes, createHash } from 'node:crypto';
const { Store } = await import(${JSON.stringify(DIST)});
const store = await Store.open(process.argv[1], ${JSON.stringify(OPTIONS)});
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const attempt = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
let hash = new Uint8Array(32);
let first = 'done';
let height = 0;
for (; first === 'done' && height < 400; height++) {
  const header = new Uint8Array(80).fill(height);
  header.set(hash, 4);
  const next = new Uint8Array(sha256(sha256(header)));
  first = attempt(() => store.commitBlock({
    height, hash: next, header, receipts: [], laneWrites: new Map(),
    standardWrites: new Map([['k', new Uint8Array(randomBytes(500_000))]]),
    plan: { height, laneTxs: 0, demoted: 0, edges: 0, colours: 0, widths: [], longestChain: 0 },
  }));
  if (first === 'done') hash = next;
}
const tip = store.tip();
const report = {
  first,
  tip: tip.height,
  failedAt: height - 1,
  root: store.roots(tip.height).state,
  value: store.getLatest('S', new TextEncoder().encode('k')).length,
  commit: attempt(() => store.commitBlock({ height: tip.height + 1 })),
  rollback: attempt(() => store.rollback(tip.height - 1)),
};
await store.close();
console.log(JSON.stringify({ ...report, closed: true }));
`;

interface Report {
  readonly first: string;
  readonly tip: number;
  readonly failedAt: number;
  readonly root: string;
  readonly value: number;
  readonly commit: string;
  readonly rollback: string;
  readonly closed: boolean;
}

/** Runs the child under `limits` (shell commands) to its own end. */
function run(dir: string, limits: string): Promise<Report> {
  const command = `${limits} exec "$0" --input-type=module -e "$1" "$2"`;
  const child = spawn('bash', ['-c', command, process.execPath, CHILD, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (status === 0) resolve(JSON.parse(stdout) as Report);
      else reject(new Error(`the child ended with ${status ?? signal}: ${stderr}`));
    });
  });
}

/** What holds after any failed write, and that the store goes on once there is room. */
async function expectWhole(dir: string, report: Report, makeRoom: () => void): Promise<void> {
  expect(report).toMatchObject({
    first: 'STORE_WRITE_FAILED',
    value: 500_000,
    commit: 'STORE_WRITE_FAILED',
    rollback: 'STORE_WRITE_FAILED',
    closed: true,
  });
  expect(report.failedAt).toBeGreaterThan(2);
  expect(report.tip).toBe(report.failedAt - 1);
  makeRoom();
  const found: string[] = [];
  const summary = await checkStore(dir, { violation: ({ code }) => found.push(code) });
  expect(found).toEqual([]);
  expect(summary.heights?.tip).toBe(report.tip);
  expect(summary.stateRoot).toBe(report.root);
  const store = await Store.open(dir, OPTIONS);
  store.commitBlock(block(report.tip + 1, { k: 'after' }));
  store.rollback(report.tip - 1);
  expect(store.tip()?.height).toBe(report.tip - 1);
  await store.close();
}

/** A file system of 12 MiB, if this user may make one. */
function smallFileSystem(): string | undefined {
  const dir = join(temporaryFolder(), 'small');
  mkdirSync(dir);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dir], { stdio: 'ignore' });
    return dir;
  } catch {
    return undefined;
  }
}

describe('a write that fails', () => {
  it('because a file may not grow leaves the store at the last whole block', async () => {
    const dir = join(temporaryFolder(), 'db');
    // In KiB; Node ignores the signal that would come with it.
    await expectWhole(dir, await run(dir, 'ulimit -f 6000;'), () => {});
  });

  it('because the disk is full leaves the store at the last whole block', async (context) => {
    const disk = smallFileSystem();
    if (disk === undefined) return context.skip();
    onTestFinished(() => void execFileSync('umount', ['-l', disk]));
    const filler = join(disk, 'filler');
    execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M', 'count=4'], { stdio: 'ignore' });
    const dir = join(disk, 'db');
    await expectWhole(dir, await run(dir, ''), () => rmSync(filler));
  });
});
