/** Every build of a folder: created by one of its methods, then each of them called, with inputs of plausible kinds. */
import { inputsFor, type MetaMethod } from '../../contracts/arguments.js';
import { id } from '../../regtest/messages.js';
import type { Stage } from '../sides/stage.js';
import type { Catalogue, KnownBuild } from './catalogue.js';
import { call, create, FUEL, type Gifts, NO_BUILT_IN, type Scenario, TOO_MUCH } from './play.js';
import { type AuthTokens, authTokensOf, ownedToken, putAuthTokens } from './tokens.js';

/** Methods that initialise, by custom, come first. */
const INITIALISING = [0n, 0x7fffn];
/** More methods than any contract of the public repositories has. */
const MOST_METHODS = 64;
const GIVEN = 2_000n;
const ANY = { ends: ['any'] as const, differs: [FUEL, NO_BUILT_IN, TOO_MUCH] };

export function opcodeScenarios(catalogue: Catalogue): Scenario[] {
  const auth = authTokensOf(catalogue);
  const [owned] = catalogue.named(/owned_token/, 'initialize_with_name_symbol', 'burn');
  if (auth === undefined || owned === undefined) return [];
  return catalogue.all.map((build) => ({
    name: `opcodes: ${build.name}`,
    play: (stage: Stage) => opcodes(stage, build, auth, owned),
  }));
}

async function opcodes(stage: Stage, build: KnownBuild, auth: AuthTokens, owned: KnownBuild): Promise<void> {
  await putAuthTokens(stage, auth);
  // The inputs name 2:1 and 2:2 as ids.
  const { token, auth: key } = await ownedToken(stage, owned, 1_000_000n);
  // Only what the purse has: an edict of what is not there has a scenario of its own.
  const gifts = (): Gifts =>
    [[token, GIVEN] as const, [key, 1n] as const].filter(([asset, amount]) => stage.held(asset) >= amount);
  const rank = ({ opcode }: MetaMethod): number => (INITIALISING.includes(opcode) ? 0 : 1);
  const methods = [...build.methods].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_METHODS);
  let made = id(0, 0);
  for (const method of methods) {
    made = await create(stage, `create by ${method.name}`, build.wasm, inputsFor(method), undefined, {
      give: gifts(),
      ...ANY,
    });
    if (stage.lastStatus === 'OK') break;
  }
  if (stage.lastStatus !== 'OK') return;
  for (const method of methods) {
    await call(stage, `${method.name}`, made, inputsFor(method), {
      give: method.opcode % 2n === 0n ? gifts() : [],
      ...ANY,
    });
  }
}
