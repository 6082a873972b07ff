// `warpshrew plan`: what a block's transactions touch, which of them would read predicted values, and what orders them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { CostModel } from '../../src/execute/choose/cost-model.js';
import { encodeCosts } from '../../src/execute/choose/cost-record.js';
import { planRows } from '../../src/execute/rows/plan-rows.js';
import { COST_FILE, CostFile } from '../../src/pipeline/cost-file.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { makeEngine, message, sourceOf } from '../execute/engines.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { builtProgram, call, makeBlock, makeTx, World } from '../lane/world.js';

/** The block of the bundled chain in which all mint of one counter. */
const MINTS = 116;
/** That in which pools are made and used. */
const POOLS = 118;

it('plan counts the transactions that would read predicted values, and marks each of them', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'block.bin');
  const db = await bundledDatabase(MINTS - 1);
  for (const { raw } of openSource(CHAIN).blocks(MINTS, MINTS)) writeFileSync(file, raw);
  const text = (await cli('plan', file, '--db', db)).stdout.split('\n');
  expect(text).toContain('predicted     150');
  expect(text).toContain('edges         0');
  expect(text.filter((line) => /^tx .* colour 1, predicted$/.test(line))).toHaveLength(150);
  const plan = JSON.parse((await cli('plan', file, '--db', db, '--json')).stdout) as {
    readonly predicted: number;
    readonly txs: readonly { readonly predicted: boolean; readonly reads: string[]; readonly writes: string[] }[];
  };
  expect(plan).toMatchObject({ height: MINTS, laneTxs: 151, predicted: 150, colours: 1, widths: [151] });
  expect(plan).not.toHaveProperty('mispredicted');
  expect(plan.txs.map(({ predicted }) => predicted)).toEqual([false, ...new Array<boolean>(150).fill(true)]);
  for (const { reads, writes } of plan.txs) expect([reads, writes]).toEqual([[...reads].sort(), [...writes].sort()]);
});

it('plan --explain says what auto would run each batch on, and what it goes by', async () => {
  const folder = temporaryFolder();
  const [file, db] = [join(folder, 'block.bin'), join(folder, 'db')];
  await cli('replay', CHAIN, '--db', db, '--policy', 'sequential', '--to', String(MINTS - 1));
  for (const { raw } of openSource(CHAIN).blocks(MINTS, MINTS)) writeFileSync(file, raw);
  const explain = async (): Promise<string> => (await cli('plan', file, '--db', db, '--explain')).stdout;
  expect(await explain()).toMatch(/costs of {6}nothing: no record of costs is there\n/);
  const costs = new CostModel();
  const { hash } = prepareProgram(builtProgram('mint'));
  costs.ranAlone(hash, 1, 5);
  new CostFile(db).write(encodeCosts('a machine', { kernel: costs }));
  const text = await explain();
  expect(text).toContain('costs of      a machine\n');
  expect(text).toMatch(/batch 1, 151 wide\n/);
  expect(text).toMatch(new RegExp(`program ${hash.slice(0, 16)}: \\d+ reused, 150 run by kernel \\(threads \\d+ µs, `));
  const { explained } = JSON.parse((await cli('plan', file, '--db', db, '--explain', '--json')).stdout) as {
    explained: { measured: string; batches: readonly { width: number }[] };
  };
  expect(explained).toMatchObject({ measured: 'a machine', batches: [{ width: 151 }] });
  writeFileSync(join(db, COST_FILE), 'nonsense');
  expect(await explain()).toContain('the record of costs is not used, it is damaged\n');
});

it('plan names what each transaction calls, and for which key, or whose output, it waits', async () => {
  const folder = temporaryFolder();
  const db = join(folder, 'db');
  const fileOf = (height: number): string => {
    const file = join(folder, `${height}.bin`);
    for (const { raw } of openSource(CHAIN).blocks(height, height)) writeFileSync(file, raw);
    return file;
  };
  await cli('replay', CHAIN, '--db', db, '--policy', 'sequential', '--to', String(POOLS - 1));
  const pools = fileOf(POOLS);
  const key = Buffer.from('pool/\x01').toString('hex').padEnd(42, '0');
  const text = (await cli('plan', pools, '--db', db)).stdout;
  const lines = [
    'tx 5 [0-9a-f]{64} colour 3',
    'calls 2:2, opcode 3',
    `after tx 4, for storage of 2:2: 0x${key}`,
    'read  code 2:2',
    'read  sheet [0-9a-f]{64}:284',
    `read  storage of 2:2: 0x${key}`,
  ];
  expect(text).toMatch(new RegExp(lines.join('\\n {2}')));
  const { txs } = JSON.parse((await cli('plan', pools, '--db', db, '--json')).stdout) as {
    txs: { calls: unknown; after: { index: number; spends: boolean; keys: string[]; keyTotal: number }[] }[];
  };
  expect(txs[4].calls).toEqual([{ target: '2:2', opcode: '3' }]);
  expect(txs[4].after).toEqual([{ index: 4, spends: false, keys: [expect.stringMatching(`${key}$`)], keyTotal: 1 }]);
  const chains = (await cli('plan', fileOf(130))).stdout;
  expect(chains.match(/^ {2}after tx \d+, of which it spends an output$/gm)?.length).toBeGreaterThanOrEqual(24);
});

it('plan orders the rows of a block as an engine with workers that has seen no block before', async () => {
  const world = new World();
  const [mint, probe] = [world.deploy(builtProgram('mint'), 0, 1_000, 7), world.deploy()];
  const parent = message(call(probe, 15));
  const child = makeTx({
    spend: [{ txid: parent.txid, vout: 0 }],
    protostones: [{ pointer: 0, refund: 0, message: call(mint, 77) }],
  });
  const others = Array.from({ length: 60 }, (_, i) =>
    message(i % 3 === 0 ? call(mint, 77) : i % 3 === 1 ? call(probe, 4, i % 5) : call(probe, 5, 9, i)),
  );
  const block = BlockOffsets.read(makeBlock([parent, ...others, child]).raw);
  const engine = makeEngine({ policy: 'cpu', workers: 2 });
  const { plan: ran, statistics } = await engine.processBlock(block, world.height, sourceOf(world));
  const context = { height: world.height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
  const planned = await planRows(block, context, { get: (key) => world.state.get(key) });
  expect(planned.plan.colouring.widths).toEqual(ran.widths);
  expect(planned.plan.graph.edges).toBe(ran.edges);
  expect(planned.columns.count - planned.rows.length).toBe(1);
  expect(planned.isPredicted.reduce((sum, is) => sum + is, 0)).toBe(statistics.predicted);
  expect(statistics.predicted).toBe(19);
});
