/** What Bitcoin's regtest network begins with (chain parameters of the reference client). */
import { concatBytes, fromHex, u32Bytes } from '../util/bytes.js';
import { merkleRoot, sha256d } from './hash.js';
import { type BlockFrame, heightScript } from './serialise.js';

export const REGTEST = {
  bits: 0x207fffff,
  halvingInterval: 150,
  coinbaseMaturity: 100,
  genesisTime: 1_296_688_602,
  maximumWeight: 4_000_000,
} as const;

const FIRST_SUBSIDY = 5_000_000_000n;
const GENESIS_NONCE = 2;

/** The genesis block shared by mainnet's coinbase text and regtest's header, as every node knows it. */
const GENESIS_COINBASE = fromHex(
  '0100000001000000000000000000000000000000000000000000000000' +
    '0000000000000000ffffffff4d04ffff001d0104455468652054696d6573' +
    '2030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272' +
    '696e6b206f66207365636f6e64206261696c6f757420666f722062616e' +
    '6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1' +
    'a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4' +
    'f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000',
);

/** Block 0; its hash is in wire order. */
export function regtestGenesis(): { readonly raw: Uint8Array; readonly hash: Uint8Array } {
  const root = merkleRoot([sha256d(GENESIS_COINBASE)]).root;
  const header = concatBytes(
    ...[u32Bytes(1), new Uint8Array(32), root],
    ...[REGTEST.genesisTime, REGTEST.bits, GENESIS_NONCE].map(u32Bytes),
  );
  return { raw: concatBytes(header, Uint8Array.of(1), GENESIS_COINBASE), hash: sha256d(header) };
}

/** What block `height` pays in satoshi: 50 bitcoin, halved every 150 blocks. */
export function regtestSubsidy(height: number): bigint {
  return FIRST_SUBSIDY >> BigInt(Math.floor(height / REGTEST.halvingInterval));
}

/** A block that is to be mined. */
export interface NextBlock {
  /** Hash of the block before it, wire order. */
  readonly previous: Uint8Array;
  readonly height: number;
  /** Seconds. */
  readonly time: number;
  /** Script that the coinbase pays. */
  readonly reward: Uint8Array;
  /** Satoshi beside the subsidy. */
  readonly fees: bigint;
  /** What tells its coinbase from others of that height: 75 bytes at most. */
  readonly mark: Uint8Array;
}

/** What the block says beside its transactions. */
export function regtestFrame({ previous, height, time, reward, fees, mark }: NextBlock): BlockFrame {
  return {
    previous,
    time,
    bits: REGTEST.bits,
    script: concatBytes(heightScript(height), Uint8Array.of(mark.length), mark),
    outputs: [{ value: regtestSubsidy(height) + fees, script: reward }],
  };
}
