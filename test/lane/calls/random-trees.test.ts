// Random call trees: the lane against a model that knows nothing of it, and every policy against the sequential one.
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../../src/bitcoin/types.js';
import type { LaneEngine } from '../../../src/execute/engine.js';
import type { LaneOutcome } from '../../../src/lane/types.js';
import { formatId, idFromBytes, parseId } from '../../../src/protocol/alkane-id.js';
import type { AlkaneId } from '../../../src/protocol/types.js';
import { comparable } from '../../../src/selftest/fuzz/fuzz.js';
import { type ActorStep, type Asset, actorInputs, RandomTrees } from '../../../src/selftest/inputs/actor-script.js';
import { Prng } from '../../../src/selftest/inputs/prng.js';
import { fromBinaryString, readU128, U128_MAX } from '../../../src/util/bytes.js';
import { makeEngine, sortedWrites, sourceOf } from '../../execute/engines.js';
import { FakeGpu } from '../../execute/fake-gpu.js';
import { openGpu } from '../../execute/open-gpu.js';
import { call, envelope, makeBlock, makeTx, World } from '../world.js';
import { ACTOR, numbers } from './actor.js';
import { Model, type ModelBlock, type ModelEnd } from './model.js';

const gpu = await openGpu();
const SEED = process.env.SEED ?? 'trees';
const COIN = parseId('9:9');
const RICH = parseId('9:8');
const WITNESSES = [envelope(ACTOR)];

interface Made {
  readonly tx: Transaction;
  readonly hasEnvelope: boolean;
  readonly incoming: readonly Asset[];
  readonly messages: readonly { readonly target: AlkaneId; readonly steps: readonly ActorStep[] }[];
}

/** A world of actors in the lane and in the model. */
class Twins {
  readonly world = new World();
  readonly model = new Model();

  constructor(contracts: number) {
    const { state } = this.model;
    for (let i = 1; i <= contracts; i++) {
      const id = this.world.deploy(ACTOR);
      state.contracts.add(id);
      state.sequence++;
      this.#give(COIN, parseId(id), 10n);
    }
    this.#give(RICH, parseId('2:1'), U128_MAX);
  }

  #give(asset: AlkaneId, holder: AlkaneId, amount: bigint): void {
    this.world.setBalance(formatId(asset), formatId(holder), amount);
    this.model.state.balances.set(`${formatId(asset)} of ${formatId(holder)}`, amount);
  }

  get actors(): AlkaneId[] {
    return [...this.model.state.contracts].map(parseId);
  }

  draw(random: Prng): Made {
    const trees = new RandomTrees(random, this.actors.slice(0, 6), [COIN, RICH]);
    const count = random.below(4) === 0 ? 2 : 1;
    const messages = Array.from({ length: count }, () => ({ target: this.#target(random), steps: trees.tree() }));
    const hasEnvelope = random.below(4) === 0;
    const incoming = random.below(3) === 0 ? [{ id: COIN, amount: BigInt(1 + random.below(9)) }] : [];
    const given = Object.fromEntries(incoming.map(({ id, amount }) => [formatId(id), amount]));
    const spend = incoming.length > 0 ? [this.world.give(given)] : undefined;
    const protostones = messages.map(({ target, steps }) => ({
      pointer: 0,
      refund: 1,
      message: call(formatId(target), ...actorInputs(steps)),
    }));
    const tx = makeTx({
      ...(spend && { spend }),
      protostones,
      padding: 60_000,
      ...(hasEnvelope && { witnesses: WITNESSES }),
    });
    return { tx, hasEnvelope, incoming, messages };
  }

  #target(random: Prng): AlkaneId {
    const kind = random.below(20);
    if (kind === 0) return { block: 1n, tx: 0n };
    return kind === 1 ? { block: 5n, tx: 1n } : random.pick(this.actors);
  }

  /** Runs a transaction in both; the coinbase is the first of its block. */
  run(made: Made, outcome: LaneOutcome, block: ModelBlock): ModelEnd[] {
    this.model.begin(block, made.hasEnvelope);
    const parcels = new Map<string, bigint>();
    const ends = made.messages.map(({ target, steps }, i) => {
      const end = this.model.message(target, i === 0 ? made.incoming : [], steps);
      const message = outcome.messages[i];
      expect(message.status, JSON.stringify(message)).toBe(end.status);
      if (end.status !== 'OK') return end;
      const { data, dataBytes } = message;
      expect(dataBytes).toBe(16 * end.data.length);
      // A receipt keeps the first bytes.
      expect(numbers(data)).toEqual(end.data.slice(0, data.length / 32));
      for (const [id, amount] of end.parcel) parcels.set(id, (parcels.get(id) ?? 0n) + amount);
      return end;
    });
    expect(this.world.sheet(made.tx, 0)).toEqual(Object.fromEntries(parcels));
    return ends;
  }

  /** The state of the lane is that of the model. */
  compare(): void {
    const { storage, balances, contracts, sequence } = this.model.state;
    const found = { storage: new Map<string, bigint>(), balances: new Map<string, bigint>(), code: new Set<string>() };
    for (const [key, value] of this.world.state) {
      const bytes = fromBinaryString(key);
      if (key.startsWith('store/')) {
        expect(bytes[39]).toBe(0x6b);
        found.storage.set(`${formatId(idFromBytes(bytes, 6))}/${readU128(bytes, 40)}`, readU128(value, 0));
      } else if (key.startsWith('balance/')) {
        const [asset, holder] = [idFromBytes(bytes, 8), idFromBytes(bytes, 40)];
        found.balances.set(`${formatId(asset)} of ${formatId(holder)}`, readU128(value, 0));
      } else if (key.startsWith('code/')) found.code.add(formatId(idFromBytes(bytes, 5)));
    }
    expect(found.storage).toEqual(storage);
    expect(found.balances).toEqual(balances);
    expect(found.code).toEqual(contracts);
    expect(this.world.sequence).toBe(sequence);
  }
}

function blockOf(transactions: readonly Transaction[]): ModelBlock {
  const { raw } = makeBlock(transactions);
  const header = Array.from({ length: 5 }, (_, i) => readU128(raw, 16 * i));
  return { header, coinbaseValue: transactions[0].outputs.reduce((sum, { value }) => sum + value, 0n) };
}

const count = (of: Map<string, number>, name: string): void => void of.set(name, (of.get(name) ?? 0) + 1);

describe(`random call trees (SEED=${SEED})`, () => {
  it('leave what a model of storage, balances, codes and sequence says, one at a time', () => {
    const seen = new Map<string, number>();
    for (let number = 0; number < 24; number++) {
      const twins = new Twins(3);
      for (let block = 0; block < 3; block++) {
        const random = new Prng(SEED, `model ${number} ${block}`);
        const made = Array.from({ length: 5 }, () => twins.draw(random));
        const txs = made.map(({ tx }) => tx);
        const outcomes = twins.world.run(...txs);
        made.forEach((each, i) => {
          for (const end of twins.run(each, outcomes[i], blockOf(txs))) count(seen, end.status);
          for (const { calls } of outcomes[i].messages) {
            for (const { kind, depth, status } of calls) {
              count(seen, kind);
              count(seen, `depth ${Math.min(depth, 3)}, ${status}`);
              if (depth === 32) count(seen, 'deepest');
            }
          }
        });
        twins.compare();
      }
    }
    // The trees are worth nothing if they stop having what they are there for.
    for (const name of ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED'])
      expect(seen.get(name), name).toBeGreaterThan(0);
    for (const name of ['call', 'delegatecall', 'staticcall']) expect(seen.get(name), name).toBeGreaterThan(50);
    for (const status of ['OK', 'REVERT', 'REJECTED'])
      expect(seen.get(`depth 3, ${status}`), status).toBeGreaterThan(0);
    expect(seen.get('deepest')).toBeGreaterThan(0);
  });

  it('are the same under every policy, to the bit: states, receipts, reads and writes', async () => {
    await comparePolicies(8, [
      makeEngine({ policy: 'cpu' }),
      makeEngine({ policy: 'cpu', workers: 1 }),
      makeEngine({ policy: 'gpu', gpu: new FakeGpu() }),
      makeEngine({ policy: 'auto', gpu: new FakeGpu() }),
    ]);
  });

  it.skipIf(gpu === undefined)(
    'are the same with the WGSL kernel at hand, which runs no contract that can call',
    async () => {
      const engine = makeEngine({ policy: 'gpu', gpu, waitForKernels: true });
      const ran = await comparePolicies(3, [engine]);
      expect(ran.gpu).toBe(0);
      await gpu?.close();
    },
  );
});

/** Runs random blocks on `engines` and one at a time; gives how many of the last engine's transactions ran where. */
async function comparePolicies(blocks: number, engines: readonly LaneEngine[]) {
  const twins = new Twins(3);
  const { world, model } = twins;
  const sequential = makeEngine({ policy: 'sequential' });
  const ran = { gpu: 0 };
  for (let number = 0; number < blocks; number++) {
    const random = new Prng(SEED, `policies ${number}`);
    const txs = Array.from({ length: 16 }, () => twins.draw(random).tx);
    const [block, source] = [makeBlock(txs), sourceOf(world)];
    const truth = await sequential.processBlock(block, world.height, source);
    for (const engine of engines) {
      const other = await engine.processBlock(block, world.height, source);
      expect(sortedWrites(other)).toEqual(sortedWrites(truth));
      expect(other.receipts.map(comparable)).toEqual(truth.receipts.map(comparable));
      ran.gpu += other.statistics.executors.gpu;
    }
    world.run(...txs);
    for (const [key, value] of truth.writes) expect(world.state.get(key)).toEqual(value);
    for (const key of world.state.keys()) {
      if (key.startsWith('code/')) model.state.contracts.add(formatId(idFromBytes(fromBinaryString(key), 5)));
    }
  }
  return ran;
}
