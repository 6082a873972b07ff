import { KeyRing } from '../../src/testing/regtest/keys.js';
import { type BuiltBlock, RegtestChain } from '../../src/testing/regtest/regtest-chain.js';

/** A regtest chain up to height `tip`; branches of different names differ from the block after `fork` on. */
export function branch(tip: number, name = 'main', fork = 0): readonly BuiltBlock[] {
  const chain = new RegtestChain();
  const trunk = new KeyRing('main').lock('p2wpkh');
  const own = new KeyRing(name).lock('p2wpkh');
  while (chain.tipHeight < tip) chain.mine(chain.tipHeight < fork ? trunk : own);
  return chain.blocks;
}
