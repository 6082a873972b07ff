import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { freePort, nodePrograms } from '../node/regtest-node.js';

/** A file of the tutorial stands behind its name; commands are shells'. */
const BLOCK = /(?:`([\w./-]+)`[^`]*:\n\n)?^```(\w+)\n(.*?)^```$/gms;

/** Runs the tutorial at `page` in `folder`, where the package is installed, and looks at what comes of it. */
export async function runTutorial(folder: string, page: string): Promise<void> {
  const blocks = [...readFileSync(page, 'utf8').matchAll(BLOCK)].map(([, name, language, text]) => ({
    ...{ name, language, text },
  }));
  const files = blocks.filter(({ language }) => language === 'ts');
  expect(files.map(({ name }) => name)).toEqual(['token.ts', 'contracts/board.ts', 'tests/board.test.ts']);
  for (const { name, text } of files) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  // The blocks of this chain are new, but a node that has no peers does not believe it.
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const node = join(bin, 'bitcoind');
  const options = '-maxtipage=2000000000 -softwareexpiry=0';
  writeFileSync(node, `#!/bin/sh\nexec "${join(nodePrograms(), 'bitcoind')}" ${options} "$@"\n`);
  chmodSync(node, 0o755);
  const ports = [String(await freePort()), String(await freePort())];
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text.replaceAll('18443', ports[0]).replaceAll('8080', ports[1]));
  expect(commands.length).toBeGreaterThan(8);
  const script = ['set -euo pipefail', "trap 'kill $(jobs -p); wait' EXIT", ...commands].join('\n');
  const PATH = [bin, join(folder, 'node_modules', '.bin'), nodePrograms(), process.env.PATH].join(':');
  // Nothing of this machine but its programs: no GPU driver that the tests were started with, either.
  const child = spawn('bash', ['-c', script], { cwd: folder, env: { PATH, HOME: folder } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  expect(status, said).toBe(0);
  for (const contract of ['2:1', '2:2', '2:3']) expect(said).toMatch(new RegExp(`^OK {2}contract ${contract},`, 'm'));
  expect(readFileSync(join(folder, 'minted.txt'), 'utf8')).toContain('0x02000000');
  const { result } = JSON.parse(readFileSync(join(folder, 'balances.json'), 'utf8')) as {
    result: { items: { asset: string; amount: string }[] };
  };
  // 1,000 of the first and 500 of the second; the swap of 1,000 more gave ⌊500 · 997 / 1997⌋ for them.
  expect(result.items.map((item) => JSON.stringify(item)).join()).toMatch(/2000.*251/);
}
