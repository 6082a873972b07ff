import { sha256d } from '../bitcoin/hash.js';
import { concatBytes, fromHex } from '../util/bytes.js';

export type Network = 'mainnet' | 'testnet' | 'testnet4' | 'signet' | 'regtest';

interface NetworkFacts {
  readonly network: Network;
  /** What `getblockchaininfo` calls it. */
  readonly chain: string;
  /** The four bytes before each message between nodes, and before each block in their files. */
  readonly magic: Uint8Array;
}

export const NETWORKS: readonly NetworkFacts[] = [
  { network: 'mainnet', chain: 'main', magic: fromHex('f9beb4d9') },
  { network: 'testnet', chain: 'test', magic: fromHex('0b110907') },
  { network: 'testnet4', chain: 'testnet4', magic: fromHex('1c163f28') },
  { network: 'signet', chain: 'signet', magic: fromHex('0a03cf40') },
  { network: 'regtest', chain: 'regtest', magic: fromHex('fabfb5da') },
];

export function networkOfChain(chain: unknown): NetworkFacts | undefined {
  return NETWORKS.find((facts) => facts.chain === chain);
}

/**
 * Magic of a signet by its challenge script (BIP325): the first bytes of the double SHA-256 of the script after its
 * compact size.
 */
export function signetMagic(challenge: Uint8Array): Uint8Array {
  const size =
    challenge.length < 0xfd
      ? Uint8Array.of(challenge.length)
      : Uint8Array.of(0xfd, challenge.length & 0xff, challenge.length >> 8);
  return sha256d(concatBytes(size, challenge)).slice(0, 4);
}
