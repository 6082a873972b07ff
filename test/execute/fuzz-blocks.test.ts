import { beforeAll, expect, it } from 'vitest';
import { runSequential } from '../../src/execute/sequential.js';
import { DRY_RUN_RULES } from '../../src/lane/policy.js';
import { scanBlock } from '../../src/lane/scan.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { applyWrites, BLOCKS_PER_WORLD, runDifferential } from '../../src/selftest/fuzz/fuzz.js';
import { FuzzBlocks } from '../../src/selftest/fuzz/fuzz-blocks.js';
import { contractsOf } from '../../src/selftest/fuzz/fuzz-calls.js';
import { builtPrograms, PROGRAM_NAMES } from '../../src/util/built-wasm.js';

const WORLDS = 4;
/** Fuel of a signature check: what used more has made one. */
const SIGNATURE_FUEL = 150_000;

/** Messages by program, status and, of programs that check signatures, whether one was checked. */
const seen = new Map<string, number>();

beforeAll(() => {
  const programs = new Map(PROGRAM_NAMES.map((name) => [name, builtPrograms()[name]]));
  const runner = new ProgramRunner();
  for (let world = 0; world < WORLDS; world++) {
    const state = new Map<string, Uint8Array>();
    const blocks = new FuzzBlocks(`coverage ${world}`, programs);
    for (let height = 0; height < BLOCKS_PER_WORLD; height++) {
      const block = blocks.next(height, state);
      const reader = { get: (key: string) => state.get(key) };
      const context = { height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
      for (const outcome of runSequential(scanBlock(block, reader), context, reader, runner)) {
        applyWrites(state, outcome.writes);
        const contracts = new Map(
          contractsOf(state, programs).map(({ id, program }) => [`${id.block}:${id.tx}`, program]),
        );
        for (const { status, target, fuelUsed } of outcome.messages) {
          const program = contracts.get(target ?? '');
          const signed = (program === 'ledger' || program === 'names') && fuelUsed > SIGNATURE_FUEL;
          const key = `${program} ${status}${signed ? ' signed' : ''}`;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
      }
    }
  }
});

/** The generator is worth nothing if it stops making the cases that it is there for. */
it.each([
  ['probe OK', 300],
  ['mint OK', 50],
  ['mint REVERT', 10],
  ['claim OK', 8],
  ['claim REVERT', 10],
  ['amm OK', 25],
  ['amm REVERT', 10],
  ['ledger OK', 15],
  ['ledger OK signed', 20],
  ['ledger REVERT', 10],
  ['ledger REVERT signed', 3],
  ['names OK', 8],
  ['names OK signed', 20],
  ['names REVERT', 10],
  ['names REVERT signed', 5],
])('random blocks have %s at least %i times in 100', (what, least) => {
  expect(seen.get(what) ?? 0).toBeGreaterThanOrEqual(least);
});

it('with extremes they have crowds of protostones, many outputs, long chains, and run alike', async () => {
  const programs = new Map(PROGRAM_NAMES.map((name) => [name, builtPrograms()[name]]));
  const runner = new ProgramRunner();
  const most = { protostones: 0, outputs: 0, chain: 0 };
  for (let world = 0; world < WORLDS; world++) {
    const state = new Map<string, Uint8Array>();
    const blocks = new FuzzBlocks(`extremes ${world}`, programs, undefined, true);
    for (let height = 0; height < BLOCKS_PER_WORLD; height++) {
      const block = blocks.next(height, state);
      const reader = { get: (key: string) => state.get(key) };
      const context = { height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
      const found = scanBlock(block, reader);
      const depths: number[] = [];
      for (const { tx, protostones, parents } of found) {
        const depth = 1 + Math.max(0, ...parents.map((parent) => depths[parent]));
        depths.push(depth);
        most.protostones = Math.max(most.protostones, protostones.length);
        most.outputs = Math.max(most.outputs, tx.outputs.length);
        most.chain = Math.max(most.chain, depth);
      }
      for (const { writes } of runSequential(found, context, reader, runner)) applyWrites(state, writes);
    }
  }
  expect(most.protostones).toBeGreaterThan(100);
  expect(most.outputs).toBeGreaterThan(100);
  expect(most.chain).toBeGreaterThan(50);
  const dryRun = DRY_RUN_RULES;
  const options = { seed: 'extremes', blocks: 2 * BLOCKS_PER_WORLD, extremes: true, dryRun };
  await expect(runDifferential({ ...options, policies: ['cpu', 'auto'] })).resolves.toMatchObject({ blocks: 50 });
});
