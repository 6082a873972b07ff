/** Id of an alkane or rune: two numbers, written `block:tx`. */
export interface AlkaneId {
  readonly block: bigint;
  readonly tx: bigint;
}

/** A protostone edict; all fields u128 (alkanes-wire 4). */
export interface ProtostoneEdict {
  readonly id: AlkaneId;
  readonly amount: bigint;
  readonly output: bigint;
}

export interface Protostone {
  /** 0-based position among all protostones of the transaction. */
  readonly index: number;
  /** Virtual output n + 1 + index. */
  readonly shadowVout: number;
  readonly protocolTag: bigint;
  /** Declared count of integers. */
  readonly length: bigint;
  /** undefined: no key 81; otherwise the untrimmed calldata. */
  readonly message: Uint8Array | undefined;
  readonly burn: bigint | undefined;
  /** Cut to 32 bits. */
  readonly pointer: number | undefined;
  readonly refund: number | undefined;
  readonly from: number | undefined;
  readonly edicts: readonly ProtostoneEdict[];
}

export interface Cellpack {
  readonly target: AlkaneId;
  readonly inputs: readonly bigint[];
}

/** The runestone of one transaction as decoded (docs/wire.md, "Runestones"). */
export type RunestoneArtifact =
  | { readonly kind: 'none' }
  | { readonly kind: 'cenotaph'; readonly flaw: string; readonly opReturnVout: number }
  | {
      readonly kind: 'runestone';
      readonly opReturnVout: number;
      readonly payload: Uint8Array;
      readonly edicts: readonly { id: AlkaneId; amount: bigint; output: number }[];
      readonly mint: AlkaneId | undefined;
      readonly pointer: number | undefined;
      /** True if etching fields were taken. */
      readonly etching: boolean;
      /** Values of tag 16383 in order; undefined if there is none. */
      readonly protocol: readonly bigint[] | undefined;
    };

/** Protostones of a transaction: a list, or the reason why the whole transaction is undone. */
export type ProtostonesResult =
  | { readonly ok: true; readonly protostones: readonly Protostone[] }
  | { readonly ok: false; readonly error: string };
