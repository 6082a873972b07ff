import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, temporaryFolder } from '../helpers/cli.js';
import { freePort, installNode, nodePrograms } from './regtest-node.js';

const installed = installNode();
if (!installed) process.stderr.write('the tutorial is skipped: no Bitcoin node can be installed on this system\n');

it.skipIf(!installed)('docs/tutorial.md runs as it stands, but for its ports, on a real node', async () => {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'warpshrew'));
  symlinkSync(join(ROOT, 'node_modules', 'assemblyscript'), join(folder, 'node_modules', 'assemblyscript'));
  // What the installation puts there.
  const shims = {
    warpshrew: `exec "${process.execPath}" "${join(ROOT, 'dist', 'cli.js')}" "$@"`,
    // The blocks of this chain are new, but a node that has no peers does not believe it.
    bitcoind: `exec "${join(nodePrograms(), 'bitcoind')}" -maxtipage=2000000000 -softwareexpiry=0 "$@"`,
  };
  for (const [name, body] of Object.entries(shims)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const page = readFileSync(join(ROOT, 'docs', 'tutorial.md'), 'utf8');
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
  writeFileSync(join(folder, 'token.ts'), blocks.find(({ language }) => language === 'ts')?.text ?? '');
  const ports = [String(await freePort()), String(await freePort())];
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text.replaceAll('18443', ports[0]).replaceAll('8080', ports[1]));
  expect(commands.length).toBeGreaterThan(6);
  const script = ['set -euo pipefail', "trap 'kill $(jobs -p); wait' EXIT", ...commands].join('\n');
  const PATH = [bin, nodePrograms(), process.env.PATH].join(':');
  const child = spawn('bash', ['-c', script], { cwd: folder, env: { ...process.env, PATH } });
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
});
