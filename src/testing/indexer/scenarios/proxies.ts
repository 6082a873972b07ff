/** Upgradeable proxies, beacons and their proxies, and the proxy that its owner makes call. */
import { concatBytes, u128Bytes } from '../../../util/bytes.js';
import { id } from '../../regtest/messages.js';
import type { Stage } from '../sides/stage.js';
import type { Catalogue, KnownBuild } from './catalogue.js';
import { call, create, FAILS, inputsOfIds, type Scenario } from './play.js';
import { type AuthTokens, authTokensOf, ownedToken, putAuthTokens } from './tokens.js';

const INITIALISE = 0x7fff;
const UPGRADE = 0x7ffe;
const IMPLEMENTATION = 0x7ffd;
const FORWARD = 0x8fff;
/** Where the implementations are. */
const FIRST = id(3, 600);
const SECOND = id(3, 601);
const PROXY = id(3, 602);
const BEACON = id(3, 603);
const at = ({ tx }: { readonly tx: bigint }) => id(4, tx);

export function proxyScenarios(catalogue: Catalogue): Scenario[] {
  const auth = authTokensOf(catalogue);
  const [owned] = catalogue.named(/owned_token/, 'initialize_with_name_symbol', 'burn');
  const [logic] = catalogue.named(/std_test/, 'set_claimable_fees');
  if (auth === undefined || owned === undefined) return [];
  const parts: Parts = { auth, owned, logic: logic ?? owned };
  const proxies = catalogue.named(/upgradeable/, 'upgrade');
  const beacons = catalogue.named(/upgradeable_beacon/, 'implementation', 'upgrade_to');
  const beaconProxies = catalogue.named(/beacon_proxy/, 'initialize');
  const callers = catalogue.named(/std_proxy/, 'call_witness', 'delegatecall_inputs');
  return [
    ...proxies.map((build) => ({
      name: `upgradeable proxy: ${build.name}`,
      play: (stage: Stage) => upgradeable(stage, build, parts),
    })),
    ...beacons.map((build, i) => ({
      name: `beacon and proxy: ${build.name}`,
      play: (stage: Stage) => beacon(stage, build, beaconProxies[i % beaconProxies.length], parts),
    })),
    ...callers.map((build) => ({ name: `proxy: ${build.name}`, play: (stage: Stage) => caller(stage, build, parts) })),
  ];
}

interface Parts {
  readonly auth: AuthTokens;
  readonly owned: KnownBuild;
  readonly logic: KnownBuild;
}

async function implementations(stage: Stage, { auth, owned, logic }: Parts): Promise<void> {
  await putAuthTokens(stage, auth);
  await create(stage, 'put the first implementation', owned.wasm, [99], FIRST);
  await create(stage, 'put the second implementation', logic.wasm, [99], SECOND);
}

async function upgradeable(stage: Stage, build: KnownBuild, parts: Parts): Promise<void> {
  await implementations(stage, parts);
  await create(stage, 'create the proxy', build.wasm, [INITIALISE, ...inputsOfIds(at(FIRST)), 3], PROXY);
  const proxy = at(PROXY);
  const key = id(2, 1);
  await call(stage, 'initialise again', proxy, [INITIALISE, ...inputsOfIds(at(FIRST)), 3], FAILS);
  await call(stage, 'initialise what is behind it', proxy, [0, 4, 10_000], { ends: ['any'] });
  await call(stage, 'supply through it', proxy, [101]);
  await call(stage, 'name through it', proxy, [99]);
  await call(stage, 'mint through it', proxy, [77, 50], { give: [[key, 1n]], ends: ['any'] });
  await call(stage, 'upgrade by others', proxy, [UPGRADE, ...inputsOfIds(at(SECOND))], FAILS);
  await call(stage, 'upgrade', proxy, [UPGRADE, ...inputsOfIds(at(SECOND))], { give: [[key, 1n]] });
  await call(stage, 'storage of the second implementation', proxy, [104, 77], { ends: ['any'] });
  await call(stage, 'read it', proxy, [103], { ends: ['any'] });
  await call(stage, 'call of itself through it', proxy, [2], { ends: ['any'] });
  await call(stage, 'upgrade to nothing', proxy, [UPGRADE, 4, 9_999], { give: [[key, 1n]] });
  await call(stage, 'call nothing through it', proxy, [103], FAILS);
}

async function beacon(stage: Stage, build: KnownBuild, of: KnownBuild, parts: Parts): Promise<void> {
  await implementations(stage, parts);
  await create(stage, 'create the beacon', build.wasm, [INITIALISE, ...inputsOfIds(at(FIRST)), 3], BEACON);
  const key = id(2, 1);
  await create(stage, 'create a proxy', of.wasm, [INITIALISE, ...inputsOfIds(at(BEACON))], PROXY);
  const proxy = at(PROXY);
  await call(stage, 'which implementation', at(BEACON), [IMPLEMENTATION]);
  await call(stage, 'initialise what is behind it', proxy, [0, 4, 10_000], { ends: ['any'] });
  await call(stage, 'supply through it', proxy, [101]);
  await call(stage, 'another proxy', id(6, PROXY.tx), [INITIALISE, ...inputsOfIds(at(BEACON))]);
  await call(stage, 'upgrade by others', at(BEACON), [UPGRADE, ...inputsOfIds(at(SECOND))], FAILS);
  await call(stage, 'upgrade', at(BEACON), [UPGRADE, ...inputsOfIds(at(SECOND))], { give: [[key, 1n]] });
  await call(stage, 'storage of the second implementation', proxy, [104, 5], { ends: ['any'] });
  await call(stage, 'read it', proxy, [103], { ends: ['any'] });
  await call(stage, 'forward', proxy, [FORWARD], { give: [[key, 1n]], ends: ['any'] });
}

async function caller(stage: Stage, build: KnownBuild, parts: Parts): Promise<void> {
  await implementations(stage, parts);
  const { token } = await ownedToken(stage, parts.owned, 10_000n);
  const proxy = await create(stage, 'create the proxy', build.wasm, [0]);
  const give = [
    [proxy, 1n],
    [token, 20n],
  ] as const;
  const cellpack = (...numbers: readonly bigint[]) => concatBytes(...numbers.map((number) => u128Bytes(number)));
  const supply = cellpack(token.block, token.tx, 101n);
  for (const opcode of [1, 2]) {
    const message = { target: proxy, inputs: [opcode, 0], give };
    const name = `call of the witness, opcode ${opcode}`;
    // The oldest builds read the witness in another form.
    await stage.play({ name, messages: [message], body: supply, ends: ['any'] });
    await stage.play({
      name: `the same by others, opcode ${opcode}`,
      messages: [{ ...message, give: [] }],
      body: supply,
      ...FAILS,
    });
  }
  // The inputs are the cellpack, their opcode its block: 3:n is created, 4:n runs on the proxy's storage.
  const message = { target: proxy, inputs: [4, FIRST.tx, 101], give: [[proxy, 1n]] as const };
  await stage.play({ name: 'delegated inputs', messages: [message], ends: ['any'] });
}
