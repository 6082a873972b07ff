import type { MessageStatus } from '../../../lane/types.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { call, type Stone } from '../messages.js';
import { type Actors, created, minted } from './actors.js';
import type { World } from './world.js';

const FEE_THOUSANDTHS = 3;
const UPGRADE = 36_863;
/** What comes in goes to output 1 if the message fails. */
const REFUND: Stone = { refund: 1 };
/** How often the thief asks for its deposit. */
const TIMES = 2;

const numbers = (...ids: AlkaneId[]): bigint[] => ids.flatMap(({ block, tx }) => [block, tx]);

/** The project's own contracts that call each other: a factory and its pools, a proxy, a bank and its thief. */
export function callContractsStage(world: World, { assets }: Actors): void {
  const factory = poolsAndFactory(world, assets);
  proxy(world, factory, assets[0]);
  for (const isSafe of [false, true]) robbery(world, assets[0], isSafe);
}

/** Messages, each with the status that it is expected to have. */
function send({ director }: World, kind: string, ...messages: (readonly [Stone, MessageStatus])[]) {
  return director.send({
    kind,
    outputs: 2,
    stones: messages.map(([stone]) => stone),
    expect: messages.map(([, status]) => status),
  });
}

/** A message that mints for message `to` of the same transaction. */
const funds = (asset: AlkaneId, amount: bigint, to: number) => [minted(asset, amount, to, 2), 'OK'] as const;

/** Two pools of a factory, trades over both; gives the factory. */
function poolsAndFactory(world: World, [a, b, c]: readonly AlkaneId[]): AlkaneId {
  const { director, programs } = world;
  const code = created(world, programs.calls.pool, [0]);
  const factory = created(world, programs.calls.factory, [0, code.tx, FEE_THOUSANDTHS]);
  const pools = [
    [a, b],
    [b, c],
  ].map(([first, second]) => {
    send(world, 'a factory makes a pool', [call(factory, [1, ...numbers(first, second)]), 'OK']);
    const pool = { block: 2n, tx: director.nextSequence++ };
    const supply = [funds(first, 1_000_000n, 2), funds(second, 2_000_000n, 2), [call(pool, [1]), 'OK'] as const];
    send(world, 'liquidity of a pool that calls', ...supply);
    return pool;
  });
  const trade = (route: readonly AlkaneId[]): Stone => call(factory, [2, route.length, ...numbers(...route)], REFUND);
  send(world, 'a trade over two pools', funds(a, 10_000n, 1), [trade(pools), 'OK']);
  send(world, 'a trade that fails in a pool', funds(c, 10_000n, 1), [trade([pools[0], pools[0]]), 'REVERT']);
  return factory;
}

function proxy(world: World, factory: AlkaneId, asset: AlkaneId): void {
  const { programs } = world;
  const target = created(world, programs.calls.proxy, [0, ...numbers(factory)]);
  const recursion = created(world, programs.calls.recursion);
  send(world, 'a proxy', [call(target, [3]), 'REVERT']);
  send(world, 'a proxy takes other code', [call(target, [UPGRADE, ...numbers(recursion)]), 'OK']);
  send(world, 'a proxy', funds(asset, 5n, 1), [call(target, [1, 3], REFUND), 'OK']);
}

/** A bank that has more than the thief's deposit, which asks for it once more as it is paid. */
function robbery(world: World, asset: AlkaneId, isSafe: boolean): void {
  const { programs } = world;
  const bank = created(world, programs.calls.bank, [0]);
  const thief = created(world, programs.calls.thief, [0, ...numbers(bank), TIMES]);
  const bring = (to: AlkaneId, amount: bigint) =>
    send(world, 'deposit at a bank', funds(asset, amount, 1), [call(to, [1]), 'OK']);
  bring(bank, 100n);
  bring(thief, 10n);
  const kind = isSafe ? 'a robbery that its checkpoint stops' : 'a robbery';
  send(world, kind, [call(thief, [2, ...numbers(asset), isSafe ? 1 : 0]), isSafe ? 'REVERT' : 'OK']);
}
