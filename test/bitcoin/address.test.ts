import { address as codec, networks } from 'bitcoinjs-lib';
import { expect, it } from 'vitest';
import { scriptOfAddress } from '../../src/bitcoin/address.js';
import { toHex } from '../../src/util/bytes.js';

const program = (length: number) => new Uint8Array(length).fill(7);
const hex = (address: string, network: string): string => {
  const script = scriptOfAddress(address, network);
  return typeof script === 'string' ? script : toHex(script);
};

it('addresses of every kind and network are the scripts that the protocol says', () => {
  // BIP 173, BIP 350 and the first mainnet coinbase.
  expect(hex('BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', 'mainnet')).toBe(
    '0014751e76e8199196d454941c45d1b3a323f1433bd6',
  );
  expect(hex('bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0', 'mainnet')).toBe(
    '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  );
  expect(hex('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'mainnet')).toBe(
    '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
  );
  for (const [network, codes] of [
    ['mainnet', networks.bitcoin],
    ['testnet', networks.testnet],
    ['testnet4', networks.testnet],
    ['signet', networks.testnet],
    ['regtest', networks.regtest],
  ] as const) {
    for (const [version, length] of [
      [0, 20],
      [0, 32],
      [1, 32],
      [1, 2],
      [16, 40],
    ] as const) {
      const address = codec.toBech32(program(length), version, codes.bech32);
      const head = version === 0 ? '00' : toHex(Uint8Array.of(0x50 + version));
      expect(hex(address, network)).toBe(head + toHex(Uint8Array.of(length)) + '07'.repeat(length));
    }
    const hash = '07'.repeat(20);
    expect(hex(codec.toBase58Check(program(20), codes.scriptHash), network)).toBe(`a914${hash}87`);
    expect(hex(codec.toBase58Check(program(20), codes.pubKeyHash), network)).toBe(`76a914${hash}88ac`);
  }
});

it('what is no address of the network is told what is wrong with it', () => {
  const bad: readonly (readonly [address: string, what: RegExp])[] = [
    ['bcrt1qqurswpc8qurswpc8qurswpc8qurswpc8dxm0gk', /another network than mainnet: it begins with bcrt1/],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', /another network/],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5', /checksum/],
    // Version 0 in Bech32m, version 1 in Bech32.
    ['bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd', /checksum/],
    ['bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx', /checksum|program/],
    [codec.toBech32(program(21), 0, 'bc'), /no witness program/],
    [codec.toBech32(program(41), 3, 'bc'), /no witness program/],
    ['mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', /another network.*version is 111/],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', /checksum/],
    ['', /checksum/],
    ['x'.repeat(91), /90 characters/],
    ['Ünicode', /checksum/],
  ];
  for (const [address, what] of bad) expect(hex(address, 'mainnet'), address).toMatch(what);
  expect(scriptOfAddress('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'othernet')).toMatch(/not known/);
});
