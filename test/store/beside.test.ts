import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openBeside } from '../../src/store/shared-files.js';
import { Store } from '../../src/store/store.js';
import { ROOT } from '../helpers/cli.js';
import { block, bytes, OPTIONS, temporaryFolder } from './helpers.js';

it('a database that another process writes is read as of a whole block, and stays open to it', async () => {
  const dir = temporaryFolder();
  const child = spawn(process.execPath, [join(ROOT, 'bench', 'kill-store-child.mjs'), dir, 'small', '7'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const heights = new Set<number>();
  while (heights.size < 3) {
    const shared = await openBeside(dir).catch((error: unknown) => {
      // It has no block yet.
      if (error instanceof Error && 'code' in error && error.code === 'STORE_EMPTY') return undefined;
      throw error;
    });
    if (shared === undefined) continue;
    const { store } = shared;
    const height = store.tip()?.height ?? -1;
    // Its state gives the recorded root: otherwise it cannot be proved.
    for (const ns of ['S', 'P'] as const) expect(() => store.prove(ns, bytes('key'))).not.toThrow();
    heights.add(height);
    await shared.close();
  }
  expect(child.exitCode).toBeNull();
  expect(readdirSync(dir).filter((name) => name.startsWith('serve-'))).toEqual([]);
});

it('nothing that was stored before it was opened is missing', async () => {
  const dir = temporaryFolder();
  const store = await Store.open(dir, OPTIONS);
  for (let height = 0; height < 5; height++) {
    store.commitBlock(block(height, { a: `${height}` }), { moreFollow: height % 2 === 0 });
    const shared = await openBeside(dir);
    expect(shared.store.tip()?.height).toBe(height);
    expect(shared.store.rawContent()).toEqual(store.rawContent());
    await shared.close();
  }
  await store.close();
});
