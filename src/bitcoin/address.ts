/** Addresses as the scripts that they stand for. */
import { address as codec, networks } from 'bitcoinjs-lib';
import { concatBytes } from '../util/bytes.js';

/** Longest address: bech32 allows 90 characters. */
const MOST_CHARACTERS = 90;

const OP = { dup: 0x76, hash160: 0xa9, equal: 0x87, equalVerify: 0x88, checkSig: 0xac } as const;
/** `OP_1` less one: behind it come the versions of witness programs. */
const OP_VERSIONS = 0x50;
const MOST_VERSION = 16;

interface Codes {
  readonly bech32: string;
  readonly pubKeyHash: number;
  readonly scriptHash: number;
}

const CODES: Readonly<Record<string, Codes>> = {
  mainnet: networks.bitcoin,
  testnet: networks.testnet,
  testnet4: networks.testnet,
  signet: networks.testnet,
  regtest: networks.regtest,
};

/** What the addresses of witness programs of a network begin with. */
export function bech32Prefix(network: string): string {
  return (CODES[network] ?? CODES.regtest).bech32;
}

/**
 * The script that an address of `network` pays to: key and script hashes in Base58Check, witness programs of any
 * version in Bech32 and Bech32m. A text instead says what is wrong with it.
 */
export function scriptOfAddress(text: string, network: string): Uint8Array | string {
  const codes = CODES[network];
  if (codes === undefined) return `addresses of ${network} are not known`;
  if (text.length > MOST_CHARACTERS) return `it has more than ${MOST_CHARACTERS} characters`;
  if (Object.values(CODES).some(({ bech32 }) => text.toLowerCase().startsWith(`${bech32}1`))) {
    return witnessScript(text, codes, network);
  }
  return hashScript(text, codes, network);
}

function witnessScript(text: string, { bech32 }: Codes, network: string): Uint8Array | string {
  const found = attempt(() => codec.fromBech32(text));
  if (found === undefined) return 'its checksum is wrong, or it is no Bech32 of its version';
  const { prefix, version, data } = found;
  if (prefix !== bech32) return `it is of another network than ${network}: it begins with ${prefix}1`;
  const { length } = data;
  const isProgram = version === 0 ? length === 20 || length === 32 : length >= 2 && length <= 40;
  if (!isProgram || version > MOST_VERSION) return 'it is no witness program';
  return concatBytes(Uint8Array.of(version === 0 ? 0 : OP_VERSIONS + version, length), data);
}

function hashScript(text: string, codes: Codes, network: string): Uint8Array | string {
  const found = attempt(() => codec.fromBase58Check(text));
  if (found === undefined) return 'its checksum is wrong, or it is none of Base58Check, Bech32 and Bech32m';
  const { version, hash } = found;
  const { length } = hash;
  if (version === codes.pubKeyHash) {
    return concatBytes(Uint8Array.of(OP.dup, OP.hash160, length), hash, Uint8Array.of(OP.equalVerify, OP.checkSig));
  }
  if (version === codes.scriptHash)
    return concatBytes(Uint8Array.of(OP.hash160, length), hash, Uint8Array.of(OP.equal));
  return `it is of another network than ${network}, or of an unknown kind: its version is ${version}`;
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
