/** One transaction input. `prevTxid` is in wire order (as serialised). */
export interface TxInput {
  readonly prevTxid: Uint8Array;
  readonly prevVout: number;
  /** Witness items, bottom first; empty if there are none. */
  readonly witness: readonly Uint8Array[];
}

export interface TxOutput {
  /** Satoshi. */
  readonly value: bigint;
  readonly script: Uint8Array;
}

export interface Transaction {
  /** 32 bytes, wire order. */
  readonly txid: Uint8Array;
  /** As serialised in the block, witnesses included. */
  readonly raw: Uint8Array;
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
}

export interface Block {
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  readonly previousHash: Uint8Array;
  /** The 80 header bytes. */
  readonly header: Uint8Array;
  /** Height of the coinbase script (BIP34), or undefined where the script carries none. */
  readonly coinbaseHeight: number | undefined;
  readonly transactions: readonly Transaction[];
  /** The whole block as serialised with witnesses. */
  readonly raw: Uint8Array;
}
