/** Small blocks made by hand, byte by byte, so that every part can be spoilt. */
import { merkleRoot, sha256d } from '../../src/bitcoin/hash.js';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import { concatBytes, fromHex, u32Bytes, u64Bytes } from '../../src/util/bytes.js';

export interface TxParts {
  readonly inputs?: readonly {
    readonly prevTxid?: Uint8Array;
    readonly prevVout?: number;
    readonly script?: Uint8Array;
    readonly witness?: readonly Uint8Array[];
  }[];
  readonly outputs?: readonly { readonly value?: bigint; readonly script?: Uint8Array }[];
}

const sized = (bytes: Uint8Array): Uint8Array => concatBytes(size(bytes.length), bytes);

/** A compact size in shortest form. */
export function size(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value < 0x10000) return Uint8Array.of(0xfd, value & 0xff, value >> 8);
  return concatBytes(Uint8Array.of(0xfe), u32Bytes(value));
}

export function serialise({ inputs = [{}], outputs = [{}] }: TxParts): Uint8Array {
  const segwit = inputs.some(({ witness }) => witness !== undefined);
  const ins = inputs.map(({ prevTxid = new Uint8Array(32).fill(7), prevVout = 0, script = new Uint8Array(0) }) =>
    concatBytes(prevTxid, u32Bytes(prevVout), sized(script), u32Bytes(0xffffffff)),
  );
  const outs = outputs.map(({ value = 546n, script = Uint8Array.of(0x51) }) =>
    concatBytes(u64Bytes(value), sized(script)),
  );
  const witnesses = inputs.map(({ witness = [] }) => concatBytes(size(witness.length), ...witness.map(sized)));
  return concatBytes(
    u32Bytes(2),
    ...(segwit ? [Uint8Array.of(0, 1)] : []),
    size(ins.length),
    ...ins,
    size(outs.length),
    ...outs,
    ...(segwit ? witnesses : []),
    u32Bytes(0),
  );
}

/** Script of a coinbase at height 1 to 16, padded to the least length. */
export const COINBASE_SCRIPT = fromHex('5100');
const RESERVED = new Uint8Array(32);
const COMMITMENT = fromHex('6a24aa21a9ed');

export function coinbase(
  options: { commitment?: Uint8Array; witness?: readonly Uint8Array[]; script?: Uint8Array } = {},
) {
  const { commitment, witness = commitment && [RESERVED], script = COINBASE_SCRIPT } = options;
  const outputs = commitment ? [{}, { value: 0n, script: concatBytes(COMMITMENT, commitment) }] : [{}];
  return serialise({ inputs: [{ prevTxid: new Uint8Array(32), prevVout: 0xffffffff, script, witness }], outputs });
}

/** The commitment of a block whose other transactions are `transactions`. */
export function commitmentOf(transactions: readonly Uint8Array[]): Uint8Array {
  const wtxids = [new Uint8Array(32), ...transactions.map((raw) => sha256d(raw))];
  return sha256d(merkleRoot(wtxids).root, RESERVED);
}

export interface BlockParts {
  readonly version?: number;
  readonly previousHash?: Uint8Array;
  readonly bits?: number;
  /** Instead of the true root. */
  readonly merkleRoot?: Uint8Array;
  /** Search a nonce that meets regtest's target (or, if false, one that does not). */
  readonly meetsTarget?: boolean;
}

export function block(transactions: readonly Uint8Array[], parts: BlockParts = {}): Uint8Array {
  const { version = 4, previousHash = new Uint8Array(32), bits = 0x207fffff, meetsTarget = true } = parts;
  const root = parts.merkleRoot ?? merkleRoot(transactions.map((raw) => parseTransaction(raw).txid)).root;
  const header = concatBytes(u32Bytes(version), previousHash, root, u32Bytes(0), u32Bytes(bits), u32Bytes(0));
  // Regtest's target is half of all hashes: its top bit decides.
  for (let nonce = 0; sha256d(header)[31] < 0x80 !== meetsTarget; nonce++) header.set(u32Bytes(nonce), 76);
  return concatBytes(header, size(transactions.length), ...transactions);
}
