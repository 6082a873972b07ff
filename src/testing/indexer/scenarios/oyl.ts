/** The factory and pools of the Oyl exchange: pools, liquidity, trades over several hops, fees. */
import type { AlkaneId } from '../../../protocol/types.js';
import { id } from '../../regtest/messages.js';
import type { Stage } from '../sides/stage.js';
import { type Catalogue, type KnownBuild, parametersOf } from './catalogue.js';
import { call, create, FAILS, FUEL, type Gifts, type Inputs, inputsOfIds, numbersOf, type Scenario } from './play.js';
import { type AuthTokens, authTokensOf, ownedToken, putAuthTokens } from './tokens.js';

const POOL_LOGIC = id(3, 0xffef);
const FACTORY_LOGIC = id(3, 2);
const FACTORY = id(3, 1);
const BEACON_PROXY = id(3, 0xbeac1);
const BEACON = id(3, 0xbeac0);
const INITIALISE = 0x7fff;
const FORWARD = 0x8fff;
const at = ({ tx }: AlkaneId) => id(4, tx);
const SUPPLY = 1_000_000_000_000n;
const NO_DEADLINE = 0;
const TOKENS = 4;
const HOPS = [2, 3];
/** An envelope that nobody reads, for 50 fuel a byte. */
const PAYING = new Uint8Array(100_000);
const KINDS = ['exact in', 'exact out', 'all in'] as const;
type Kind = (typeof KINDS)[number];

interface Parts {
  readonly factory: KnownBuild;
  readonly pool: KnownBuild;
  readonly auth: AuthTokens;
  readonly owned: KnownBuild;
  readonly beacon: KnownBuild;
  readonly beaconProxy: KnownBuild;
  readonly proxy: KnownBuild;
}

export function oylScenarios(catalogue: Catalogue): Scenario[] {
  const auth = authTokensOf(catalogue);
  const [owned] = catalogue.named(/owned_token/, 'initialize_with_name_symbol', 'burn');
  const [beacon] = catalogue.named(/upgradeable_beacon/, 'implementation', 'forward');
  const [beaconProxy] = catalogue.named(/beacon_proxy/, 'initialize', 'forward');
  const [proxy] = catalogue.named(/upgradeable/, 'upgrade', 'forward');
  if (!auth || !owned || !beacon || !beaconProxy || !proxy) return [];
  const pools = catalogue.named(/pool/, 'init_pool', 'get_reserves', 'pool_details');
  const factories = catalogue.named(/factory/, 'create_new_pool', 'add_liquidity');
  return factories.flatMap((factory) =>
    pools
      .filter((pool) => has(pool, 'get_total_fee') === has(factory, 'set_total_fee_for_pool'))
      .flatMap((pool) => {
        const parts = { factory, pool, auth, owned, beacon, beaconProxy, proxy };
        const names = `${factory.name}, ${pool.name}`;
        return [
          { name: `exchange: ${names}`, play: (stage: Stage) => exchange(stage, parts) },
          { name: `exchange over two pools, paid for: ${names}`, play: (stage: Stage) => paidTrades(stage, parts) },
          ...HOPS.flatMap((hops) =>
            KINDS.map((kind) => ({
              name: `exchange, ${kind} over ${hops} pools: ${names}`,
              play: (stage: Stage) => longTrade(stage, parts, kind, hops),
            })),
          ),
        ];
      }),
  );
}

function has(build: KnownBuild, method: string): boolean {
  return parametersOf(build, method) !== undefined;
}

interface Market {
  /** What the owner of the factory has. */
  readonly key: AlkaneId;
  readonly tokens: readonly AlkaneId[];
  /** Of each token and the next one. */
  readonly pools: readonly AlkaneId[];
}

async function openMarket(stage: Stage, parts: Parts): Promise<Market> {
  const key = await setUp(stage, parts);
  const tokens: AlkaneId[] = [];
  for (let i = 0; i < TOKENS; i++) tokens.push((await ownedToken(stage, parts.owned, SUPPLY)).token);
  const pools: AlkaneId[] = [];
  for (let i = 0; i + 1 < TOKENS; i++) {
    const [x, y] = [tokens[i], tokens[i + 1]];
    const give = both(x, y, 2_000_000n, 3_000_000n);
    const inputs = [1, ...inputsOfIds(x, y), 2_000_000, 3_000_000];
    await call(stage, 'create a pool', at(FACTORY), inputs, { give });
    const found = await call(stage, 'find it', at(FACTORY), [2, ...inputsOfIds(x, y)]);
    const [block = 0n, tx = 0n] = numbersOf(found);
    pools.push({ block, tx });
  }
  return { key, tokens, pools };
}

/** A trade that may need more fuel than the lane's prices leave it. */
async function longTrade(stage: Stage, parts: Parts, kind: Kind, hops: number): Promise<void> {
  const { tokens } = await openMarket(stage, parts);
  await trade(stage, kind, tokens.slice(0, hops + 1), { ends: ['any'], differs: FUEL });
}

/** Trades over two pools in transactions whose bytes give them more fuel, there and back. */
async function paidTrades(stage: Stage, parts: Parts): Promise<void> {
  const { tokens } = await openMarket(stage, parts);
  const path = tokens.slice(0, 3);
  for (const way of [path, [...path].reverse()]) {
    for (const kind of KINDS) await trade(stage, kind, way, { body: PAYING });
  }
}

async function exchange(stage: Stage, parts: Parts): Promise<void> {
  const { key, tokens, pools } = await openMarket(stage, parts);
  const [a, b, c, d] = tokens;
  await call(stage, 'create a pool again', at(FACTORY), [1, ...inputsOfIds(a, b), 10, 10], {
    give: both(a, b, 10n, 10n),
    ...FAILS,
  });
  await call(stage, 'create a pool with too little', at(FACTORY), [1, ...inputsOfIds(a, d), 10, 10], {
    give: both(a, d, 10n, 10n),
    ...FAILS,
  });
  await call(stage, 'all pools', at(FACTORY), [3]);
  await call(stage, 'number of pools', at(FACTORY), [4]);
  await liquidity(stage, pools[0], a, b);
  await trades(stage, tokens);
  for (const pool of pools)
    for (const opcode of [97, 98, 99, 999]) await call(stage, `ask a pool ${opcode}`, pool, [opcode]);
  await call(stage, 'collect fees by others', at(FACTORY), [10, ...inputsOfIds(pools[0])], FAILS);
  await call(stage, 'collect fees', at(FACTORY), [10, ...inputsOfIds(pools[0])], { give: [[key, 1n]], ends: ['any'] });
  await call(stage, 'set a fee', at(FACTORY), [21, ...inputsOfIds(pools[1]), 7], { give: [[key, 1n]], ends: ['any'] });
  await call(stage, 'trade at that fee', at(FACTORY), [13, 2, ...inputsOfIds(b, c), 5_000, 1, NO_DEADLINE], {
    give: [[b, 5_000n]],
  });
  await call(stage, 'collect fees oneself', pools[0], [10], FAILS);
}

/** Gives the asset that the owner of the factory has. */
async function setUp(stage: Stage, { pool, auth, factory, beacon, beaconProxy, proxy }: Parts): Promise<AlkaneId> {
  await create(stage, 'put the pool', pool.wasm, [50], POOL_LOGIC);
  await putAuthTokens(stage, auth);
  await create(stage, 'put the factory', factory.wasm, [50], FACTORY_LOGIC);
  await create(stage, 'put the proxy of pools', beaconProxy.wasm, [FORWARD], BEACON_PROXY);
  await create(stage, 'create the beacon', beacon.wasm, [INITIALISE, ...inputsOfIds(at(POOL_LOGIC)), 1], BEACON);
  await create(stage, 'create the factory', proxy.wasm, [INITIALISE, ...inputsOfIds(at(FACTORY_LOGIC)), 1], FACTORY);
  const key = id(2, 2);
  const inputs = [0, BEACON_PROXY.tx, ...inputsOfIds(at(BEACON))];
  await call(stage, 'initialise the factory by others', at(FACTORY), inputs, FAILS);
  await call(stage, 'initialise the factory', at(FACTORY), inputs, { give: [[key, 1n]] });
  return key;
}

function both(x: AlkaneId, y: AlkaneId, ofX: bigint, ofY: bigint): Gifts {
  return [
    [x, ofX],
    [y, ofY],
  ];
}

async function liquidity(stage: Stage, pool: AlkaneId, a: AlkaneId, b: AlkaneId): Promise<void> {
  const add = [11, ...inputsOfIds(a, b), 100_000, 200_000, 1, 1, NO_DEADLINE];
  await call(stage, 'add liquidity', at(FACTORY), add, { give: both(a, b, 100_000n, 200_000n) });
  await call(stage, 'add liquidity too late', at(FACTORY), [...add.slice(0, -1), 5], {
    give: both(a, b, 100_000n, 200_000n),
    ...FAILS,
  });
  await call(stage, 'add liquidity to a pool', pool, [1], { give: both(a, b, 2_000n, 3_000n) });
  await call(stage, 'add one asset to a pool', pool, [1], { give: [[a, 2_000n]], ...FAILS });
  const remove = [12, ...inputsOfIds(a, b), 50_000, 1, 1, NO_DEADLINE];
  await call(stage, 'remove liquidity', at(FACTORY), remove, { give: [[pool, 50_000n]] });
  await call(stage, 'remove more than one has', at(FACTORY), remove, { give: [[pool, 10_000n]], ...FAILS });
  await call(stage, 'remove liquidity from a pool', pool, [2], { give: [[pool, 1_000n]] });
}

/** Sends the first token of `path` through the pools to the last one. */
function trade(
  stage: Stage,
  kind: Kind,
  path: readonly AlkaneId[],
  extra: Parameters<typeof call>[4] = {},
): Promise<unknown> {
  const ids = inputsOfIds(...path);
  const inputs: Record<Kind, Inputs> = {
    'exact in': [13, path.length, ...ids, 9_000, 1, NO_DEADLINE],
    'exact out': [14, path.length, ...ids, 700, 9_000, NO_DEADLINE],
    'all in': [29, path.length - 1, ...ids.slice(2), 1, NO_DEADLINE],
  };
  const name = `${kind} over ${path.length - 1}`;
  return call(stage, name, at(FACTORY), inputs[kind], { give: [[path[0], 9_000n]], ...extra });
}

async function trades(stage: Stage, [a, b, , d]: readonly AlkaneId[]): Promise<void> {
  for (const path of [
    [a, b],
    [b, a],
  ]) {
    for (const kind of KINDS) await trade(stage, kind, path);
  }
  const fails = (name: string, path: readonly AlkaneId[], least: number, given: bigint) =>
    call(stage, name, at(FACTORY), [13, path.length, ...inputsOfIds(...path), 1_000, least, NO_DEADLINE], {
      give: [[path[0], given]],
      ...FAILS,
    });
  await fails('a trade with too little out', [a, b], 9_000, 1_000n);
  await fails('a trade without a pool', [a, d], 1, 1_000n);
  await fails('a trade of what was not given', [a, b], 1, 10n);
}
