import { sha256d } from '../bitcoin/hash.js';
import { concatBytes, fromDisplayHash, fromHex } from '../util/bytes.js';

export type Network = 'mainnet' | 'testnet' | 'testnet4' | 'signet' | 'regtest';

interface NetworkFacts {
  readonly network: Network;
  /** What `getblockchaininfo` calls it. */
  readonly chain: string;
  /** The four bytes before each message between nodes, and before each block in their files. */
  readonly magic: Uint8Array;
  /** Hash of block 0 (32 bytes, wire order). Every signet has the same one. */
  readonly genesis: Uint8Array;
}

/** What is known of each network, from the chain parameters of the reference client. */
export const NETWORKS: readonly NetworkFacts[] = [
  {
    network: 'mainnet',
    chain: 'main',
    magic: fromHex('f9beb4d9'),
    genesis: fromDisplayHash('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'),
  },
  {
    network: 'testnet',
    chain: 'test',
    magic: fromHex('0b110907'),
    genesis: fromDisplayHash('000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943'),
  },
  {
    network: 'testnet4',
    chain: 'testnet4',
    magic: fromHex('1c163f28'),
    genesis: fromDisplayHash('00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043'),
  },
  {
    network: 'signet',
    chain: 'signet',
    magic: fromHex('0a03cf40'),
    genesis: fromDisplayHash('00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6'),
  },
  {
    network: 'regtest',
    chain: 'regtest',
    magic: fromHex('fabfb5da'),
    genesis: fromDisplayHash('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'),
  },
];

export function networkOfChain(chain: unknown): NetworkFacts | undefined {
  return NETWORKS.find((facts) => facts.chain === chain);
}

/**
 * Hash of the network's block 0 (32 bytes, wire order); undefined for a network that is not one of {@link NETWORKS}.
 */
export function genesisOf(network: string): Uint8Array | undefined {
  return NETWORKS.find((facts) => facts.network === network)?.genesis;
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
