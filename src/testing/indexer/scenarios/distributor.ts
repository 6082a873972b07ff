/** The merkle distributor: a leaf names the address of output 0 and an amount; the witness carries leaf and proof. */
import { createHash } from 'node:crypto';
import { address, networks } from 'bitcoinjs-lib';
import { concatBytes, readU128, u32Bytes, u128Bytes } from '../../../util/bytes.js';
import { id } from '../../regtest/messages.js';
import type { Stage } from '../sides/stage.js';
import type { Catalogue, KnownBuild } from './catalogue.js';
import { call, create, FAILS, inputsOfIds, type Scenario } from './play.js';
import { type AuthTokens, authTokensOf, ownedToken, putAuthTokens } from './tokens.js';

const LEAVES = 5;
const LAST_HEIGHT = 1_000;

export function distributorScenarios(catalogue: Catalogue): Scenario[] {
  const auth = authTokensOf(catalogue);
  const [owned] = catalogue.named(/owned_token/, 'initialize_with_name_symbol', 'burn');
  if (auth === undefined || owned === undefined) return [];
  return catalogue.named(/merkle_distributor/, 'claim', 'auth_cleanup').map((build) => ({
    name: `distributor: ${build.name}`,
    play: (stage: Stage) => distributor(stage, build, owned, auth),
  }));
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32Bytes(bytes.length), bytes);

function parent(a: Uint8Array, b: Uint8Array): Uint8Array {
  return sha256(Buffer.compare(a, b) <= 0 ? concatBytes(a, b) : concatBytes(b, a));
}

/** Root and proofs; an odd node goes up as it is. */
function treeOf(leaves: readonly Uint8Array[]): { readonly root: Uint8Array; readonly proofs: Uint8Array[][] } {
  const proofs: Uint8Array[][] = leaves.map(() => []);
  let level = leaves.map((leaf, i) => ({ hash: sha256(leaf), under: [i] }));
  while (level.length > 1) {
    const next: typeof level = [];
    for (let i = 0; i < level.length; i += 2) {
      const [a, b] = [level[i], level.at(i + 1)];
      if (b === undefined) next.push(a);
      else {
        for (const leaf of a.under) proofs[leaf].push(b.hash);
        for (const leaf of b.under) proofs[leaf].push(a.hash);
        next.push({ hash: parent(a.hash, b.hash), under: [...a.under, ...b.under] });
      }
    }
    level = next;
  }
  return { root: level[0].hash, proofs };
}

async function distributor(stage: Stage, build: KnownBuild, owned: KnownBuild, auth: AuthTokens): Promise<void> {
  await putAuthTokens(stage, auth);
  const { token } = await ownedToken(stage, owned, 1_000_000n);
  const network = build.name.includes('mainnet') ? networks.bitcoin : networks.regtest;
  const mine = address.fromOutputScript(stage.chain.script, network);
  const leaves = Array.from({ length: LEAVES }, (_, i) => {
    const name = i === LEAVES - 1 ? 'bcrt1qsomebodyelse' : mine;
    return concatBytes(sized(new TextEncoder().encode(name)), u128Bytes(BigInt(100 + i)));
  });
  const { root, proofs } = treeOf(leaves);
  const proofOf = (leaf: number): Uint8Array =>
    concatBytes(sized(leaves[leaf]), u32Bytes(proofs[leaf].length), ...proofs[leaf].map(sized));
  const initialise = [0, ...inputsOfIds(token), 400, LAST_HEIGHT, readU128(root, 0), readU128(root, 16)];
  const made = await create(stage, 'create', build.wasm, initialise, undefined, { give: [[token, 500n]] });
  const claim = (name: string, body: Uint8Array, ends: 'OK' | 'failed') =>
    stage.play({ name, messages: [{ target: made, inputs: [1] }], body, ends: [ends] });
  await claim('claim', proofOf(0), 'OK');
  await claim('claim again', proofOf(0), 'failed');
  await claim('claim of another leaf', proofOf(3), 'OK');
  await claim('claim of somebody else', proofOf(LEAVES - 1), 'failed');
  const wrong = proofOf(1);
  wrong[wrong.length - 1] ^= 1;
  await claim('claim with a wrong proof', wrong, 'failed');
  await claim('claim with nonsense', Uint8Array.of(1, 2, 3), 'failed');
  await call(stage, 'claim without a witness', made, [1], FAILS);
  await call(stage, 'donate', made, [51], { give: [[token, 50n]] });
  await call(stage, 'forward', made, [50], { give: [[token, 50n]] });
  await call(stage, 'clean up by others', made, [2, ...inputsOfIds(token)], FAILS);
  await call(stage, 'clean up', made, [2, ...inputsOfIds(token)], { give: [[made, 1n]] });
  await claim('claim from nothing', proofOf(2), 'failed');
  await call(stage, 'no such opcode', id(2, 1), [3_333], FAILS);
}
