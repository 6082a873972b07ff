/**
 * What the server's methods take and give: written by scripts/generate-docs.mjs from docs/openrpc.json. Do not edit.
 */

import type {
  Amount,
  BlockGraph,
  Hash,
  Height,
  Hex,
  HexIn,
  Id,
  ListedAsset,
  ListedBalance,
  ListedContract,
  ListedHolder,
  ListedKey,
  ListedMove,
  ListedOutput,
  ListedReceipt,
  Outpoint,
  OutpointFate,
  PlainHex,
  Plan,
  Proof,
  Receipt,
  Roots,
  Sheet,
  Simulation,
  SimulationRequest,
  Trace,
  TransactionPlace,
  Txid,
} from './types.js';

/** Every method by name. */
export interface Methods {
  /** The last indexed height, decimal. */
  metashrew_height: {
    readonly params: [];
    readonly result: Amount;
  };
  /** The hash of a block. */
  metashrew_getblockhash: {
    readonly params: [height?: Height];
    readonly result: Hash;
  };
  /** The root of the standard module's state after a block. */
  metashrew_stateroot: {
    readonly params: [height?: Height];
    readonly result: Hash;
  };
  /** Runs a view of the standard module on the state after a block. */
  metashrew_view: {
    readonly params: [view: string, inputHex: HexIn, height?: Height];
    readonly result: Hex;
  };
  /** Runs a view on the state after a block that is never stored. */
  metashrew_preview: {
    readonly params: [blockHex: HexIn, view: string, inputHex: HexIn, height?: Height];
    readonly result: Hex;
  };
  /** The root over the keys of a named prefix after a block. */
  metashrew_prefixroot: {
    readonly params: [name: string, height?: Height];
    readonly result: Hash;
  };
  /** Figures of the host, as JSON in a text. */
  metashrew_snapshot: {
    readonly params: [];
    readonly result: string;
  };
  /** The receipt of a lane transaction. */
  warpshrew_getreceipt: {
    readonly params: [txid: Txid];
    readonly result: Receipt;
  };
  /** How a block was planned. */
  warpshrew_getplan: {
    readonly params: [height?: Height];
    readonly result: Plan;
  };
  /** The conflict graph of a block: which transaction waited for which, and on what key. */
  warpshrew_getgraph: {
    readonly params: [height?: Height];
    readonly result: BlockGraph;
  };
  /** Hash of a block and the roots after it. */
  warpshrew_getroots: {
    readonly params: [height?: Height];
    readonly result: Roots;
  };
  /** A value in a contract's storage; null if the key is absent. */
  warpshrew_getstorage: {
    readonly params: [id: Id, keyHex: HexIn, height?: Height];
    readonly result: Hex | null;
  };
  /** Lane assets on an outpoint. */
  warpshrew_getsheet: {
    readonly params: [outpoint: Outpoint, height?: Height];
    readonly result: Sheet;
  };
  /** The value of a key after a block; null if it is absent. */
  warpshrew_getvalue: {
    readonly params: [namespace: 'S' | 'P', keyHex: HexIn, height?: Height];
    readonly result: { readonly height: number; readonly hash: Hash; readonly value: Hex | null };
  };
  /** The proof that a key has its value, or is absent, after a block. */
  warpshrew_getproof: {
    readonly params: [namespace: 'S' | 'P', keyHex: HexIn, height?: Height];
    readonly result: Proof;
  };
  /** What a lane transaction did and which others it waited for; with steps it runs again. */
  warpshrew_trace: {
    readonly params: [txid: Txid, options?: { readonly steps?: boolean }];
    readonly result: Trace;
  };
  /** Contracts of the lane. */
  warpshrew_listcontracts: {
    readonly params: [options?: {
      readonly id?: Id;
      readonly codeHash?: HexIn;
      readonly cloneOf?: Id;
      readonly from?: Height;
      readonly to?: Height;
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedContract[];
      readonly cursor: string | null;
    };
  };
  /** A contract's storage. */
  warpshrew_liststorage: {
    readonly params: [id: Id, options?: {
      readonly prefix?: HexIn;
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedKey[];
      readonly cursor: string | null;
    };
  };
  /** Who holds an asset. */
  warpshrew_listholders: {
    readonly params: [asset: Id, options?: {
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedHolder[];
      readonly cursor: string | null;
    };
  };
  /** What a contract holds. */
  warpshrew_listbalances: {
    readonly params: [id: Id, options?: {
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedBalance[];
      readonly cursor: string | null;
    };
  };
  /** Receipts by block, contract and status. */
  warpshrew_listreceipts: {
    readonly params: [options?: {
      readonly block?: Height;
      readonly from?: Height;
      readonly to?: Height;
      readonly contract?: Id;
      readonly status?: 'OK' | 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED' | 'STANDARD' | 'UNDONE' | 'NONE';
      readonly reverse?: boolean;
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedReceipt[];
      readonly cursor: string | null;
    };
  };
  /** Outputs of an address or script, and what spent them. */
  warpshrew_listoutputs: {
    readonly params: [options: {
      readonly address?: string;
      readonly script?: HexIn;
      readonly scriptHash?: HexIn;
      readonly unspent?: boolean;
      readonly reverse?: boolean;
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedOutput[];
      readonly cursor: string | null;
    };
  };
  /** Transactions of an address or script. */
  warpshrew_listhistory: {
    readonly params: [options: {
      readonly address?: string;
      readonly script?: HexIn;
      readonly scriptHash?: HexIn;
      readonly reverse?: boolean;
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedMove[];
      readonly cursor: string | null;
    };
  };
  /** Assets of the lane on the unspent outputs of an address or script. */
  warpshrew_listassets: {
    readonly params: [options: {
      readonly address?: string;
      readonly script?: HexIn;
      readonly scriptHash?: HexIn;
      readonly height?: Height;
      readonly limit?: number;
      readonly cursor?: string | null;
    }];
    readonly result: {
      readonly height: number;
      readonly items: readonly ListedAsset[];
      readonly cursor: string | null;
    };
  };
  /** Where a transaction stands; null if there is none with that txid. */
  warpshrew_gettransaction: {
    readonly params: [txid: Txid];
    readonly result: TransactionPlace | null;
  };
  /** What became of an output, and whose it is. */
  warpshrew_getoutpoint: {
    readonly params: [outpoint: Outpoint, height?: Height];
    readonly result: OutpointFate;
  };
  /** Runs a message, or a whole transaction, on the state after a block, and keeps nothing. */
  warpshrew_simulate: {
    readonly params: [request: SimulationRequest];
    readonly result: Simulation;
  };
  /** What a contract says of itself. */
  warpshrew_getmeta: {
    readonly params: [id: Id, height?: Height];
    readonly result: unknown;
  };
  /** Which calls of a contract could have run together, of those that the chain has. */
  warpshrew_getconflicts: {
    readonly params: [id: Id];
    readonly result: {
      readonly from: number | null;
      readonly to: number | null;
      readonly complete: boolean;
      readonly leftOut: number;
      readonly demoted: number;
      readonly predictedFrom: number;
      readonly calls: number;
      readonly parallel: number;
      readonly expected: readonly ({ readonly calls: number; readonly parallel: number })[];
      readonly methods: readonly ({
        readonly target: Id;
        readonly opcode: string;
        readonly calls: number;
        readonly keys: readonly ({
          readonly pattern: string;
          readonly read: number;
          readonly write: number;
          readonly keys: number;
        })[];
        readonly conflicts: number;
        readonly waits: number;
        readonly serialises: {
          readonly key: PlainHex;
          readonly pattern: string;
          readonly share: number;
          readonly predicted: boolean;
        } | null;
        readonly predicted: number;
        readonly kernel: {
          readonly takes: boolean;
          readonly window: number | null;
          readonly reason: string | null;
        } | null;
        readonly undeclared: number;
        readonly undeclaredKeys: readonly string[];
      })[];
    };
  };
  /** This document. */
  'rpc.discover': {
    readonly params: [];
    readonly result: unknown;
  };
}

/** In the order of the document. */
export const METHOD_NAMES = [
  'metashrew_height',
  'metashrew_getblockhash',
  'metashrew_stateroot',
  'metashrew_view',
  'metashrew_preview',
  'metashrew_prefixroot',
  'metashrew_snapshot',
  'warpshrew_getreceipt',
  'warpshrew_getplan',
  'warpshrew_getgraph',
  'warpshrew_getroots',
  'warpshrew_getstorage',
  'warpshrew_getsheet',
  'warpshrew_getvalue',
  'warpshrew_getproof',
  'warpshrew_trace',
  'warpshrew_listcontracts',
  'warpshrew_liststorage',
  'warpshrew_listholders',
  'warpshrew_listbalances',
  'warpshrew_listreceipts',
  'warpshrew_listoutputs',
  'warpshrew_listhistory',
  'warpshrew_listassets',
  'warpshrew_gettransaction',
  'warpshrew_getoutpoint',
  'warpshrew_simulate',
  'warpshrew_getmeta',
  'warpshrew_getconflicts',
  'rpc.discover',
] as const satisfies readonly (keyof Methods)[];
