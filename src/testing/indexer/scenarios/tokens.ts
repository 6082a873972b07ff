/** Auth tokens and owned tokens of the Alkanes standard library. */
import type { AlkaneId } from '../../../protocol/types.js';
import { textInputs } from '../../contracts/arguments.js';
import { id } from '../../regtest/messages.js';
import type { Stage } from '../sides/stage.js';
import { type Catalogue, type KnownBuild, parametersOf } from './catalogue.js';
import { CREATE, call, create, FAILS, inputsOfIds, type Scenario } from './play.js';

/** Where contracts of the standard library look for the code of their auth tokens, older ones at the second. */
const AUTH_TOKENS = id(3, 0xffed);
const OLD_AUTH_TOKENS = id(3, 0xffee);
const GET_SYMBOL = 100;

/** Builds of an auth token: with a name and a symbol as newer contracts make them, and without. */
export interface AuthTokens {
  readonly named: KnownBuild;
  readonly old: KnownBuild | undefined;
}

export function authTokensOf(catalogue: Catalogue): AuthTokens | undefined {
  const builds = catalogue.named(/auth_token/, 'authenticate', 'get_symbol');
  const named = builds.find((build) => parametersOf(build, 'initialize') === 3);
  return named && { named, old: builds.find((build) => parametersOf(build, 'initialize') === 1) };
}

/** Puts the code of auth tokens where others clone it from. */
export async function putAuthTokens(stage: Stage, { named, old }: AuthTokens): Promise<void> {
  await create(stage, 'put the code of auth tokens', named.wasm, [GET_SYMBOL], AUTH_TOKENS);
  if (old === undefined) return;
  await create(stage, 'put the code of old auth tokens', old.wasm, [GET_SYMBOL], OLD_AUTH_TOKENS);
}

/** An owned token of which the purse has all, and its auth token. */
export async function ownedToken(
  stage: Stage,
  owned: KnownBuild,
  amount: bigint,
  target = CREATE,
): Promise<{ readonly token: AlkaneId; readonly auth: AlkaneId }> {
  const end = await create(stage, 'create an owned token', owned.wasm, [0, 2, amount], target);
  const made = stage.lastCalls().find(({ target: of }) => of.startsWith('2:'))?.target;
  return { token: end, auth: id(2, BigInt(made?.slice(2) ?? 0)) };
}

export function tokenScenarios(catalogue: Catalogue): Scenario[] {
  const auths = catalogue.named(/auth_token/, 'initialize', 'authenticate', 'get_symbol');
  const auth = authTokensOf(catalogue);
  if (auth === undefined) return [];
  const owned = catalogue
    .named(/owned_token/, 'mint', 'get_total_supply')
    .filter((build) => parametersOf(build, 'initialize') === 2);
  return [
    ...auths.map((build) => ({
      name: `auth token: ${build.name}`,
      play: (stage: Stage) => authTokens(stage, build),
    })),
    ...owned.map((build) => ({
      name: `owned token: ${build.name}`,
      play: (stage: Stage) => ownedTokens(stage, build, auth),
    })),
  ];
}

async function authTokens(stage: Stage, build: KnownBuild): Promise<void> {
  const names = parametersOf(build, 'initialize') === 3 ? [...textInputs('AUTH'), ...textInputs('A')] : [];
  const token = await create(stage, 'create', build.wasm, [0, ...names, 5]);
  await call(stage, 'authenticate', token, [1], { give: [[token, 2n]], ends: ['any'] });
  await call(stage, 'authenticate without', token, [1], FAILS);
  await call(stage, 'initialise again', token, [0, ...names, 5], FAILS);
  await call(stage, 'name', token, [99]);
  await call(stage, 'symbol', token, [GET_SYMBOL]);
  await call(stage, 'no such opcode', token, [12_345], FAILS);
}

async function ownedTokens(stage: Stage, build: KnownBuild, auth: AuthTokens): Promise<void> {
  await putAuthTokens(stage, auth);
  const { token, auth: key } = await ownedToken(stage, build, 1_000_000n);
  await call(stage, 'mint by the owner', token, [77, 5_000], { give: [[key, 1n]] });
  // The oldest builds let everybody mint.
  const ends = parametersOf(build, 'initialize_with_name_symbol') === undefined ? (['any'] as const) : FAILS.ends;
  await call(stage, 'mint by others', token, [77, 5_000], { ends });
  await call(stage, 'mint with another asset', token, [77, 5_000], { give: [[token, 1n]], ends });
  await call(stage, 'mint all there can be', token, [77, (1n << 128n) - 1n], { give: [[key, 2n]], ends: ['any'] });
  for (const opcode of [99, GET_SYMBOL, 101, 1_000]) await call(stage, `opcode ${opcode}`, token, [opcode]);
  if (parametersOf(build, 'burn') !== undefined) {
    await call(stage, 'burn', token, [88], { give: [[token, 400n]] });
    await call(stage, 'burn something else', token, [88], { give: [[key, 1n]], ...FAILS });
    await call(stage, 'total supply', token, [101]);
  }
  await call(stage, 'initialise again', token, [0, 1, 1], FAILS);
  await call(stage, 'clone', id(5, token.tx), [0, 1, 77]);
  if (parametersOf(build, 'initialize_with_name_symbol') !== undefined) {
    const names = [...textInputs('A name of more than sixteen bytes'), ...textInputs('LONG')];
    await create(stage, 'create with a name', build.wasm, [1, 3, 900, ...names], id(3, 500));
    await call(stage, 'name', id(4, 500), [99]);
  }
  await call(stage, 'what the auth token says', key, [1], { give: [[key, 1n]], ends: ['any'] });
  await call(stage, 'an asset with a call', token, [99], { give: [[token, 10n]] });
  await call(stage, 'two assets with a call', token, [101], { give: [...ids(token, key)], ends: ['any'] });
  await call(stage, 'no such contract', id(2, 900), [77], FAILS);
  await call(stage, 'inputs without an opcode', token, [...inputsOfIds()], { ends: ['any'] });
}

function ids(...all: readonly AlkaneId[]): (readonly [AlkaneId, bigint])[] {
  return all.map((asset) => [asset, 1n] as const);
}
