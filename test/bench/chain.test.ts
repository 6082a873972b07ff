import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { BlockFilesSource } from '../../src/chain/block-files.js';
import { writeBlockFiles } from '../../src/testing/chains/block-files.js';
import { syntheticChain, Template } from '../../src/testing/chains/synthetic-chain.js';
import { toHex } from '../../src/util/bytes.js';
import { CHAIN, ROOT, temporaryFolder } from '../helpers/cli.js';

/** The largest blocks of the bundled chain. */
const largest = [...openSource(CHAIN).blocks()].sort((a, b) => b.raw.length - a.raw.length).slice(0, 2);

test('a chain written into block files is read from there, over all of their ends', async () => {
  const folder = temporaryFolder();
  const chain = [...syntheticChain([new Template(largest[0].raw)], 9)];
  const written = writeBlockFiles(folder, chain, 3 * chain[1].raw.length);
  expect(written.files).toBeGreaterThan(3);
  expect(written.bytes).toBe(chain.reduce((sum, { raw }) => sum + raw.length, 0));
  expect(written.blocks.map(({ raw }) => toHex(raw))).toEqual(chain.map(({ raw }) => toHex(raw)));
  const source = await BlockFilesSource.open({ folder, network: 'regtest' });
  onTestFinished(() => source.close());
  expect(await source.tip()).toEqual({ height: 9, hash: chain[9].hash });
  const read: string[] = [];
  for await (const { raw } of source.blocks(0, 9, new AbortController().signal)) read.push(toHex(raw));
  expect(read).toEqual(chain.map(({ raw }) => toHex(raw)));
});

test('the benchmark of the sources indexes one chain from both to one root, and tells of every part', async () => {
  const templates = temporaryFolder();
  writeFileSync(join(templates, 'a.bin'), largest[0].raw);
  writeFileSync(join(templates, 'b.hex'), toHex(largest[1].raw));
  const args = [join(ROOT, 'bench', 'chain.mjs'), '--templates', templates, '--count', '3', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const report: unknown = JSON.parse(stdout);
  const phase = expect.any(Number);
  const indexed = {
    timesBare: phase,
    stateRoot: expect.stringMatching(/^[0-9a-f]{64}$/),
    msPerBlock: { fetch: phase, parse: phase, scan: phase, standard: phase, commit: phase, wait: phase },
  };
  expect(report).toMatchObject({
    blocks: 4,
    files: 1,
    rows: [
      { way: 'files, source alone', msPerBlock: { fetch: phase, parse: phase } },
      { way: 'rpc, source alone', msPerBlock: { fetch: phase, parse: phase } },
      { way: 'module alone', medianMs: phase, msPerBlock: { fetch: phase, standard: phase, handOver: phase } },
      { way: 'files, indexed', ...indexed },
      { way: 'rpc, indexed', ...indexed },
    ],
  });
});
