import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHAIN, cli, lastLine, ROOT, startCli, temporaryFolder } from '../helpers/cli.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** The commands of the README's "Use it", without the comment behind them. */
const commands = [...readme.matchAll(/^node dist\/cli\.js (.*?)(?: {2,}#.*)?$/gm)].map(([, line]) => line.split(' '));

test('every command of the README runs as written, with a real file for each name in capitals', async () => {
  const folder = temporaryFolder();
  const index = JSON.parse(readFileSync(join(CHAIN, 'chain.json'), 'utf8')) as {
    blocks: { offset: number; length: number }[];
  };
  const { offset, length } = index.blocks[120];
  const block = join(folder, '120.bin');
  writeFileSync(block, readFileSync(join(CHAIN, 'blocks.dat')).subarray(offset, offset + length));
  const vectors = JSON.parse(readFileSync(join(ROOT, 'fixtures', 'vectors', 'wire.json'), 'utf8')) as {
    vectors: { tx_hex?: string }[];
  };
  const real: Record<string, string> = {
    'my.db': join(folder, 'my.db'),
    'follow.db': join(folder, 'follow.db'),
    'node.db': join(folder, 'node.db'),
    // Of a node that does not run: it is waited for.
    COOKIE: join(folder, '.cookie'),
    'BLOCK.bin': block,
    TXHEX: vectors.vectors.find((vector) => vector.tx_hex !== undefined)?.tx_hex ?? '',
    'FILE.wasm': join(ROOT, 'dist', 'wasm', 'indexers', 'default.wasm'),
    // The README's numbers are a night's work.
    '100000': '3',
    '2000': '2',
    '5000': '50',
  };
  expect(commands.map(([name]) => name)).toEqual([
    'replay',
    'serve',
    'dump',
    'plan',
    'decode',
    'run-module',
    'fuzz',
    'fuzz-kernel',
    'bench',
    'bench',
    'index',
    'config',
    'index',
  ]);
  for (const words of commands) {
    const args = words.map((word) => real[word] ?? word);
    if (args[0] === 'serve' || args[0] === 'index') {
      const { child, done } = startCli([...args, '--port', '0']);
      await new Promise<void>((resolve) =>
        child[args[0] === 'serve' ? 'stdout' : 'stderr']?.once('data', () => resolve()),
      );
      child.kill('SIGINT');
      expect((await done).status).toBe(0);
      continue;
    }
    // The software driver takes a minute to compile the kernels of the others.
    if (args[0] === 'fuzz') args.push('--programs', 'probe,mint');
    const run = await cli(...args);
    expect(run.status, `${words.join(' ')}\n${run.stderr}`).toBe(0);
    expect(run.stdout.length).toBeGreaterThan(0);
    if (args[0] === 'run-module') expect(lastLine(run)).toHaveProperty('digest');
  }
});
