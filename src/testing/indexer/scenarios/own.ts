/** The project's own contracts that call each other (wasm/calls/), which lie in every build. */
import { gzipSync } from 'node:zlib';
import type { AlkaneId } from '../../../protocol/types.js';
import { type ActorStep, actorInputs, RandomTrees } from '../../../selftest/inputs/actor-script.js';
import { Prng } from '../../../selftest/inputs/prng.js';
import type { Build } from '../../contracts/builds.js';
import { id } from '../../regtest/messages.js';
import type { Ruled, Stage } from '../sides/stage.js';
import { withoutMaximum } from '../sides/without-maximum.js';
import { CREATE, call, create, FAILS, FUEL, inputsOfIds, numbersOf, type Scenario } from './play.js';

const UPGRADE = 36_863;
const MESSAGES_OF_A_CHAIN = 12;

const INTRINSIC: Ruled = {
  rule: '6.1',
  why: 'the pool imports __u128_mul_div, which an Alkanes indexer does not have',
};
const DEPTH: Ruled = { rule: '9.3', why: '32 frames below the message; an indexer counts checkpoints, 24 frames here' };

const ENVELOPE: Ruled = {
  rule: '3.5',
  why: 'a transaction creates once from its envelope; an indexer as often as it is asked',
  perhaps: true,
  error: 'the envelope is used',
};
const NOTHING: Ruled = {
  rule: '2.4',
  why: 'an edict moves at most what is there; some indexers then put what the contract keeps on the pointer as well',
  perhaps: true,
};
const FAILED_FIRST: Ruled = { rule: '5.1', why: 'a failed message leaves its fuel; in an indexer it takes all' };

/** `own`: the builds of dist/wasm; `chains`: how many chains of random call trees. */
export function ownScenarios(own: ReadonlyMap<string, Build>, hasIndexer: boolean, chains: number): Scenario[] {
  const wasm = (name: string): Uint8Array => {
    const build = own.get(name);
    if (build === undefined) throw new RangeError(`the build of ${name} is missing: npm run build`);
    return withoutMaximum(build.wasm);
  };
  return [
    { name: 'own: factory and pools', play: (stage) => pools(stage, wasm, hasIndexer) },
    { name: 'own: proxy', play: (stage) => proxy(stage, wasm) },
    { name: 'own: re-entrant pair', play: (stage) => reentrantPair(stage, wasm) },
    { name: 'own: recursion', play: (stage) => recursion(stage, wasm) },
    { name: 'own: deeper than an indexer goes', play: (stage) => tooDeep(stage, wasm) },
    { name: 'own: two messages', play: (stage) => twoMessages(stage, wasm, false) },
    { name: 'own: two messages, the first one fails', play: (stage) => twoMessages(stage, wasm, true) },
    { name: 'own: two creations from one envelope', play: (stage) => twoCreations(stage, wasm) },
    { name: 'own: an edict of what is not there', play: (stage) => nothingThere(stage, wasm) },
    { name: 'own: gas burner', play: (stage) => burner(stage, wasm) },
    ...Array.from({ length: chains }, (_, number) => ({
      name: `own: call trees ${number}`,
      play: (stage: Stage) => trees(stage, wasm, number),
    })),
  ];
}

type WasmOf = (name: string) => Uint8Array;

/** A token that anybody can have of, `amount` at a time. */
async function token(stage: Stage, wasm: WasmOf, amount: number): Promise<AlkaneId> {
  const created = await create(stage, 'create a token', wasm('mint'), [0, 100, amount]);
  await call(stage, 'mint', created, [77]);
  return created;
}

async function pools(stage: Stage, wasm: WasmOf, hasIndexer: boolean): Promise<void> {
  const [a, b, c] = [
    await token(stage, wasm, 5_000_000),
    await token(stage, wasm, 5_000_000),
    await token(stage, wasm, 5_000_000),
  ];
  const code = await create(stage, 'create the pool code', wasm('pool'), [0], CREATE, {
    ...(hasIndexer && { differs: INTRINSIC }),
  });
  if (hasIndexer) return;
  const factory = await create(stage, 'create the factory', wasm('factory'), [0, code.tx, 3]);
  const made: AlkaneId[] = [];
  for (const [x, y] of [
    [a, b],
    [b, c],
  ]) {
    const pool = id(2, numbersOf(await call(stage, 'create a pool', factory, [1, ...inputsOfIds(x, y)]))[0]);
    const give = [x, y].map((asset) => [asset, 1_000_000n] as const);
    await call(stage, 'add liquidity', pool, [1], { give });
    made.push(pool);
  }
  const path = inputsOfIds(...made);
  await call(stage, 'trade over two pools', factory, [2, 2, ...path], { give: [[a, 10_000n]] });
  await call(stage, 'trade back', factory, [2, 2, ...inputsOfIds(...made.reverse())], { give: [[c, 5_000n]] });
  await call(stage, 'trade what the pool does not have', factory, [2, 1, ...path.slice(0, 2)], {
    give: [[c, 5_000n]],
    ...FAILS,
  });
}

async function proxy(stage: Stage, wasm: WasmOf): Promise<void> {
  const first = await token(stage, wasm, 70);
  const second = await create(stage, 'create other code', wasm('recursion'), [0]);
  const proxied = await create(stage, 'create the proxy', wasm('proxy'), [0, ...inputsOfIds(first)]);
  await call(stage, 'call through it before it is set up', proxied, [77], FAILS);
  // Opcode 0 is the proxy's own; the token's configuration stays the token's.
  await call(stage, 'take the code away', proxied, [UPGRADE, ...inputsOfIds(second)]);
  await call(stage, 'recursion through the proxy', proxied, [1, 3], { give: [[first, 7n]] });
  await call(stage, 'static recursion through the proxy', proxied, [2, 2]);
}

async function reentrantPair(stage: Stage, wasm: WasmOf): Promise<void> {
  const asset = await token(stage, wasm, 1_000);
  for (const safe of [0, 1]) {
    const bank = await create(stage, 'create a bank', wasm('bank'), [0]);
    const others = await create(stage, 'create an honest client', wasm('thief'), [0, ...inputsOfIds(bank), 0]);
    await call(stage, 'deposit of an honest client', others, [1], { give: [[asset, 100n]] });
    const thief = await create(stage, 'create a thief', wasm('thief'), [0, ...inputsOfIds(bank), 2]);
    await call(stage, 'deposit of the thief', thief, [1], { give: [[asset, 10n]] });
    await call(stage, safe ? 'rob a careful bank' : 'rob a bank', thief, [2, ...inputsOfIds(asset), safe], {
      ...(safe === 1 && FAILS),
    });
    await call(stage, 'loot', thief, [3, ...inputsOfIds(asset), 1], { ...(safe === 1 && FAILS) });
  }
}

async function recursion(stage: Stage, wasm: WasmOf): Promise<void> {
  const deep = await create(stage, 'create', wasm('recursion'), [0]);
  for (const depth of [1, 5, 12]) {
    await call(stage, `${depth} frames`, deep, [1, depth]);
    await call(stage, `${depth} static frames`, deep, [2, depth]);
  }
  await call(stage, 'deeper than anybody goes', deep, [1, 80], FAILS);
}

async function tooDeep(stage: Stage, wasm: WasmOf): Promise<void> {
  const deep = await create(stage, 'create', wasm('recursion'), [0]);
  await call(stage, '32 frames', deep, [1, 32], { differs: DEPTH });
}

async function burner(stage: Stage, wasm: WasmOf): Promise<void> {
  const burning = await create(stage, 'create', wasm('burner'), [0]);
  await call(stage, 'some turns', burning, [1, 1_000]);
  await call(stage, 'calls of itself', burning, [4, 3]);
  await call(stage, 'all fuel', burning, [2], FAILS);
  await call(stage, 'all fuel in a call', burning, [3, 100], FAILS);
}

async function twoMessages(stage: Stage, wasm: WasmOf, firstFails: boolean): Promise<void> {
  const coin = await token(stage, wasm, 1_000);
  const actor = await create(stage, 'create an actor', wasm('actor'), []);
  const put = (key: bigint): bigint[] =>
    actorInputs([
      { do: 'put', entry: [key, 5n] },
      { do: 'read', key: 1n },
    ]);
  const first = firstFails ? actorInputs([{ do: 'abort' }]) : put(1n);
  await stage.play({
    name: 'two messages, each with its assets',
    messages: [
      { target: actor, inputs: first, give: [[coin, 3n]] },
      { target: actor, inputs: put(2n), give: [[coin, 4n]] },
    ],
    ...(firstFails && { ends: ['failed', 'OK'], differs: FAILED_FIRST }),
  });
}

async function nothingThere(stage: Stage, wasm: WasmOf): Promise<void> {
  const coin = await token(stage, wasm, 1_000);
  const actor = await create(stage, 'create an actor', wasm('actor'), []);
  await call(stage, 'keep all there is', actor, [], { give: [[coin, 1_000n]] });
  await call(stage, 'an edict of nothing', actor, [], { give: [[coin, 1n]], differs: NOTHING });
}

async function twoCreations(stage: Stage, wasm: WasmOf): Promise<void> {
  const made = { target: CREATE, inputs: [] };
  const body = gzipSync(wasm('actor'));
  await stage.play({
    name: 'two creations',
    messages: [made, made],
    body: new Uint8Array(body),
    ends: ['OK', 'failed'],
    differs: { ...ENVELOPE, perhaps: undefined },
  });
}

/** Random trees of calls between three actors and their clones, with creations, failures, parcels and checkpoints. */
async function trees(stage: Stage, wasm: WasmOf, number: number): Promise<void> {
  const random = new Prng('indexer', `trees ${number}`);
  const coin = await token(stage, wasm, 1_000);
  const actors = [await create(stage, 'create an actor', wasm('actor'), []), id(0, 0), id(0, 0)];
  for (let i = 1; i < actors.length; i++) {
    const created = await call(stage, 'clone the actor', id(5, actors[0].tx), []);
    actors[i] = id(2, BigInt(created.target.slice(2)));
  }
  const draw = new RandomTrees(random, actors, [coin]);
  const body = new Uint8Array(gzipSync(wasm('actor')));
  for (let at = 0; at < MESSAGES_OF_A_CHAIN; at++) {
    const inputs = actorInputs(draw.tree().filter(comparable));
    const give = random.below(3) === 0 ? [[coin, BigInt(1 + random.below(5))] as const] : [];
    await stage.play({
      name: `tree ${at}`,
      messages: [{ target: random.pick([...actors, CREATE]), inputs, give }],
      ...(random.below(3) === 0 && { body }),
      ends: ['any'],
      differs: [ENVELOPE, FUEL],
    });
    if (stage.parted) return;
  }
}

/** What the two sides mean otherwise by a rule that has a scenario of its own. */
function comparable(step: ActorStep): boolean {
  return depthOf(step) < 12 && !callsBuiltIn(step);
}

function callsBuiltIn(step: ActorStep): boolean {
  return (
    step.do === 'call' && ((step.target.block === 800_000_000n && step.target.tx > 1n) || step.steps.some(callsBuiltIn))
  );
}

function depthOf(step: ActorStep): number {
  return step.do === 'call' ? 1 + Math.max(0, ...step.steps.map(depthOf)) : 0;
}
