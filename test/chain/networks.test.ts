import { expect, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { genesisOf, NETWORKS } from '../../src/chain/networks.js';
import { concatBytes, fromDisplayHash, u32Bytes } from '../../src/util/bytes.js';

const FIRST_MERKLE_ROOT = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';

/** Merkle root, time, bits and nonce of each block 0. */
const HEADERS: Readonly<Record<string, readonly [string, number, number, number]>> = {
  mainnet: [FIRST_MERKLE_ROOT, 1231006505, 0x1d00ffff, 2083236893],
  testnet: [FIRST_MERKLE_ROOT, 1296688602, 0x1d00ffff, 414098458],
  testnet4: ['7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e', 1714777860, 0x1d00ffff, 393743547],
  signet: [FIRST_MERKLE_ROOT, 1598918400, 0x1e0377ae, 52613770],
  regtest: [FIRST_MERKLE_ROOT, 1296688602, 0x207fffff, 2],
};

test.each(NETWORKS.map(({ network }) => network))('the hash of block 0 of %s is that of its header', (network) => {
  const [root, time, bits, nonce] = HEADERS[network];
  const header = concatBytes(
    u32Bytes(1),
    new Uint8Array(32),
    fromDisplayHash(root),
    u32Bytes(time),
    u32Bytes(bits),
    u32Bytes(nonce),
  );
  expect(genesisOf(network)).toEqual(sha256d(header));
});

test('other networks have no known block 0', () => {
  expect(genesisOf('private')).toBeUndefined();
  expect(genesisOf('constructor')).toBeUndefined();
});
