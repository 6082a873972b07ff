/**
 * What the server's methods take and give: written by scripts/generate-docs.mjs from docs/openrpc.json. Do not edit.
 */

/** A height: an integer, a decimal string, or "latest"; null: latest. */
export type Height = number | string | null;

/** Bytes, as they are answered. */
export type Hex = string;

/** Bytes, as they may be given. */
export type HexIn = string;

/** Bytes, without 0x. */
export type PlainHex = string;

/** 32 bytes. */
export type Hash = string;

export type RunReason =
  | 'reused'
  | 'kernel'
  | 'batch'
  | 'mispredicted'
  | 'repaired'
  | 'demoted'
  | 'unclean'
  | 'narrow'
  | 'given-up'
  | 'no-kernel'
  | 'kernel-failed'
  | 'paused'
  | 'held-back'
  | 'one-by-one'
  | 'again';

/** A txid as a node prints it. */
export type Txid = string;

/** `txid:vout`. */
export type Outpoint = string;

/** `block:tx` of a contract or asset. */
export type Id = string;

/** A number below 2^128, decimal. */
export type Amount = string;

/** A number below 2^128: a decimal string, or an integer below 2^53. */
export type U128 = Amount | number;

/** Amounts by asset. */
export type Sheet = Readonly<Record<string, Amount>>;

export type Transfer = { readonly id: Id; readonly amount: Amount };

export type Call = {
  readonly depth: number;
  readonly kind: 'call' | 'delegatecall' | 'staticcall';
  readonly target: Id;
  readonly codeHash: PlainHex;
  readonly opcode: Amount | null;
  readonly fuelUsed: number;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED';
  readonly parcel: number;
  readonly transfers: number;
  readonly dataBytes: number;
};

export type Log = { readonly frame: number; readonly text: string; readonly bytes: number };

export type Message = {
  readonly protostone: number;
  readonly shadowVout: number;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD';
  readonly target: Id | null;
  readonly error: string | null;
  readonly fuelUsed: number;
  readonly data: PlainHex;
  readonly dataBytes: number;
  readonly calls: readonly Call[];
  readonly callTotal: number;
  readonly abort: string | null;
  readonly logs: readonly Log[];
  readonly logTotal: number;
};

export type Receipt = {
  readonly lane: 'parallel';
  readonly height: number;
  readonly index: number;
  readonly txid: Txid;
  readonly undone: string | null;
  readonly messages: readonly Message[];
  readonly fuel: number;
  readonly reads: readonly PlainHex[];
  readonly readTotal: number;
  readonly readHash: PlainHex | null;
  readonly writes: readonly PlainHex[];
  readonly writeTotal: number;
  readonly writeHash: PlainHex | null;
  readonly colour: number;
  readonly executor: 'reuse' | 'gpu' | 'cpu' | 'sequential';
  readonly repaired: boolean;
  readonly predicted: boolean;
  readonly mispredicted: boolean;
  readonly reason: RunReason | null;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD' | 'UNDONE' | 'NONE';
  readonly error: string | null;
};

export type Trace = {
  readonly lane: 'parallel';
  readonly height: number;
  readonly index: number;
  readonly txid: Txid;
  readonly undone: string | null;
  readonly messages: readonly Message[];
  readonly fuel: number;
  readonly reads: readonly PlainHex[];
  readonly readTotal: number;
  readonly readHash: PlainHex | null;
  readonly writes: readonly PlainHex[];
  readonly writeTotal: number;
  readonly writeHash: PlainHex | null;
  readonly colour: number;
  readonly executor: 'reuse' | 'gpu' | 'cpu' | 'sequential';
  readonly repaired: boolean;
  readonly predicted: boolean;
  readonly mispredicted: boolean;
  readonly reason: RunReason | null;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD' | 'UNDONE' | 'NONE';
  readonly error: string | null;
  readonly waits: {
    readonly after: readonly ({
      readonly index: number;
      readonly txid: Txid;
      readonly spends: boolean;
      readonly keys: readonly ({ readonly key: PlainHex; readonly earlier: string; readonly later: string })[];
      readonly keyTotal: number;
    })[];
    readonly afterTotal: number;
    readonly complete: boolean;
  };
  readonly run: {
    readonly steps: readonly ({
      readonly protostone: number;
      readonly frame: number;
      readonly depth: number;
      readonly call: string;
      readonly given: Readonly<Record<string, string>>;
      readonly result: string | null;
      readonly fuel: number;
      readonly fuelUsed: number;
      readonly stop: string | null;
    })[];
    readonly stepTotal: number;
    readonly messages: readonly ({
      readonly protostone: number;
      readonly transfers: readonly Transfer[];
      readonly data: PlainHex;
    })[];
    readonly changes: {
      readonly storage: readonly ({
        readonly contract: Id;
        readonly key: PlainHex;
        readonly before: PlainHex | null;
        readonly after: PlainHex | null;
      })[];
      readonly balances: readonly ({
        readonly holder: Id;
        readonly asset: Id;
        readonly before: Amount;
        readonly after: Amount;
      })[];
      readonly created: readonly ({
        readonly id: Id;
        readonly codeHash: PlainHex | null;
        readonly codeBytes: number | null;
        readonly cloneOf: Id | null;
      })[];
      readonly sequence: { readonly before: Amount; readonly after: Amount } | null;
      readonly sheets: readonly ({ readonly outpoint: Outpoint; readonly before: Sheet; readonly after: Sheet })[];
    };
  } | null;
};

export type Simulation = {
  readonly height: number;
  readonly txid: Txid;
  readonly fuelLimit: number;
  readonly fuel: number;
  readonly storage: readonly ({
    readonly contract: Id;
    readonly key: PlainHex;
    readonly before: PlainHex | null;
    readonly after: PlainHex | null;
  })[];
  readonly balances: readonly ({
    readonly holder: Id;
    readonly asset: Id;
    readonly before: Amount;
    readonly after: Amount;
  })[];
  readonly created: readonly ({
    readonly id: Id;
    readonly codeHash: PlainHex | null;
    readonly codeBytes: number | null;
    readonly cloneOf: Id | null;
  })[];
  readonly sequence: { readonly before: Amount; readonly after: Amount } | null;
  readonly sheets: readonly ({ readonly outpoint: Outpoint; readonly before: Sheet; readonly after: Sheet })[];
  readonly undone: string | null;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD' | 'UNDONE' | 'NONE';
  readonly error: string | null;
  readonly messages: readonly ({
    readonly protostone: number;
    readonly shadowVout: number;
    readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD';
    readonly target: Id | null;
    readonly error: string | null;
    readonly fuelUsed: number;
    readonly data: PlainHex;
    readonly dataBytes: number;
    readonly calls: readonly Call[];
    readonly callTotal: number;
    readonly abort: string | null;
    readonly logs: readonly Log[];
    readonly logTotal: number;
    readonly transfers: readonly Transfer[];
  })[];
};

export type SimulationRequest = {
  readonly target?: Id;
  readonly inputs?: readonly U128[];
  readonly incoming?: Readonly<Record<string, U128>>;
  readonly height?: Height;
  readonly transaction?: HexIn;
  readonly block?: HexIn;
  readonly protostone?: number;
};

export type Plan = {
  readonly height: number;
  readonly laneTxs: number;
  readonly demoted: number;
  readonly edges: number;
  readonly colours: number;
  readonly widths: readonly number[];
  readonly longestChain: number;
  readonly predicted: number;
  readonly mispredicted: number;
  readonly dsatur: number;
  readonly source: 'run' | 'receipts';
  readonly complete: boolean;
};

export type GraphNode = {
  readonly index: number;
  readonly txid: Txid;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD' | 'UNDONE' | 'NONE';
  readonly target: Id | null;
  readonly fuel: number;
  readonly colour: number;
  readonly executor: 'reuse' | 'gpu' | 'cpu' | 'sequential';
  readonly repaired: boolean;
  readonly predicted: boolean;
  readonly mispredicted: boolean;
  readonly demoted: boolean;
};

export type GraphEdge = {
  readonly from: number;
  readonly to: number;
  readonly key: number | null;
  readonly keyTotal: number;
  readonly waited: boolean;
};

export type GraphKey = {
  readonly key: PlainHex;
  readonly readers: number;
  readonly writers: number;
  readonly edges: number;
};

export type BlockGraph = {
  readonly height: number;
  readonly hash: Hash;
  readonly source: 'run' | 'receipts';
  readonly laneTxs: number;
  readonly edgeTotal: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly keys: readonly GraphKey[];
  readonly longest: readonly number[];
  readonly complete: boolean;
};

export type Roots = {
  readonly height: number;
  readonly hash: Hash;
  readonly stateRoot: Hash | null;
  readonly standardRoot: Hash | null;
  readonly laneRoot: Hash | null;
};

export type Proof = {
  readonly format: string;
  readonly namespace: 'S' | 'P';
  readonly height: number;
  readonly standardRoot: Hash;
  readonly laneRoot: Hash;
  readonly stateRoot: Hash;
  readonly root: Hash;
  readonly key: Hex;
  readonly value: Hex | null;
  readonly siblings: readonly Hash[];
  readonly otherLeaf: { readonly path: Hex; readonly valueHash: Hash } | null;
};

export type ListedContract = {
  readonly id: Id;
  readonly codeHash: PlainHex;
  readonly cloneOf: Id | null;
  readonly height: number;
  readonly txid: Txid | null;
};

export type ListedKey = {
  readonly key: Hex;
  readonly value: Hex;
  readonly bytes: number;
  readonly height: number;
};

export type ListedHolder = {
  readonly contract: Id | null;
  readonly outpoint: Outpoint | null;
  readonly amount: Amount;
};

export type ListedBalance = { readonly asset: Id; readonly amount: Amount };

export type ListedReceipt = {
  readonly height: number;
  readonly index: number;
  readonly txid: Txid;
  readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD' | 'UNDONE' | 'NONE';
  readonly error: string | null;
  readonly fuel: number;
  readonly messages: readonly ({
    readonly target: Id | null;
    readonly status: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD';
    readonly fuelUsed: number;
    readonly callTotal: number;
  })[];
};

export type ListedOutput = {
  readonly outpoint: Outpoint;
  readonly amount: Amount;
  readonly height: number;
  readonly index: number;
  readonly spent: {
    readonly height: number;
    readonly index: number;
    readonly txid: Txid;
    readonly vin: number | null;
  } | null;
};

export type ListedMove = {
  readonly txid: Txid;
  readonly height: number;
  readonly index: number;
  readonly received: Amount;
  readonly spent: Amount;
};

export type ListedAsset = { readonly asset: Id; readonly amount: Amount; readonly outputs: number };

export type TransactionPlace = {
  readonly txid: Txid;
  readonly height: number;
  readonly index: number;
  readonly blockHash: Txid;
  readonly confirmations: number;
};

export type OutpointFate = {
  readonly sheet: Sheet | null;
  readonly height: number | null;
  readonly spentHeight: number | null;
  readonly spentBy: Txid | null;
  readonly scriptHash: PlainHex | null;
  readonly amount: Amount | null;
};
