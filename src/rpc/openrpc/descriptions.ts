/** What each method takes and gives. docs/json-rpc.md says what it means. */
import { RECEIPT_STATUSES } from '../../lane/receipt-status.js';
import { MOST_ITEMS } from '../../listing/page.js';
import { ANY, BOOLEAN, COUNT, list, object, oneOf, orNull, ref, type Schema, SHARE, TEXT } from './schema.js';

/** A parameter: its name, and what it is. */
export interface Parameter {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

export interface Description {
  /** One sentence, without a point at its end. */
  readonly summary: string;
  /** By place. */
  readonly params: readonly Parameter[];
  readonly result: Schema;
}

const needed = (name: string, schema: Schema): Parameter => ({ name, schema, required: true });
const maybe = (name: string, schema: Schema): Parameter => ({ name, schema, required: false });
const HEIGHT = maybe('height', ref('Height'));

/** The options of a listing. */
const options = (own: Readonly<Record<string, Schema>>): Parameter =>
  maybe(
    'options',
    object(
      {},
      {
        ...own,
        height: ref('Height'),
        limit: { type: 'integer', minimum: 1, maximum: MOST_ITEMS },
        cursor: orNull(TEXT),
      },
    ),
  );

/** The options of a listing by address or script, of which one must be given. */
const ofScript = (own: Readonly<Record<string, Schema>>): Parameter => ({
  ...options({ address: TEXT, script: ref('HexIn'), scriptHash: ref('HexIn'), ...own }),
  required: true,
});

const pageOf = (item: string): Schema => object({ height: COUNT, items: list(ref(item)), cursor: orNull(TEXT) });

const CONFLICT_METHOD = object({
  target: ref('Id'),
  opcode: TEXT,
  calls: COUNT,
  keys: list(object({ pattern: TEXT, read: SHARE, write: SHARE, keys: COUNT })),
  conflicts: SHARE,
  waits: SHARE,
  serialises: orNull(object({ key: ref('PlainHex'), pattern: TEXT, share: SHARE, predicted: BOOLEAN })),
  predicted: SHARE,
  kernel: orNull(object({ takes: BOOLEAN, window: orNull(COUNT), reason: orNull(TEXT) })),
  undeclared: SHARE,
  undeclaredKeys: list(TEXT),
});

const CONFLICTS = object({
  from: orNull(COUNT),
  to: orNull(COUNT),
  complete: BOOLEAN,
  leftOut: COUNT,
  demoted: COUNT,
  predictedFrom: COUNT,
  calls: COUNT,
  parallel: SHARE,
  expected: list(object({ calls: COUNT, parallel: SHARE })),
  methods: list(CONFLICT_METHOD),
});

export const DESCRIPTIONS: Readonly<Record<string, Description>> = {
  metashrew_height: { summary: 'The last indexed height, decimal', params: [], result: ref('Amount') },
  metashrew_getblockhash: { summary: 'The hash of a block', params: [HEIGHT], result: ref('Hash') },
  metashrew_stateroot: {
    summary: "The root of the standard module's state after a block",
    params: [HEIGHT],
    result: ref('Hash'),
  },
  metashrew_view: {
    summary: 'Runs a view of the standard module on the state after a block',
    params: [needed('view', TEXT), needed('inputHex', ref('HexIn')), HEIGHT],
    result: ref('Hex'),
  },
  metashrew_preview: {
    summary: 'Runs a view on the state after a block that is never stored',
    params: [needed('blockHex', ref('HexIn')), needed('view', TEXT), needed('inputHex', ref('HexIn')), HEIGHT],
    result: ref('Hex'),
  },
  metashrew_prefixroot: {
    summary: 'The root over the keys of a named prefix after a block',
    params: [needed('name', TEXT), HEIGHT],
    result: ref('Hash'),
  },
  metashrew_snapshot: { summary: 'Figures of the host, as JSON in a text', params: [], result: TEXT },
  warpshrew_getreceipt: {
    summary: 'The receipt of a lane transaction',
    params: [needed('txid', ref('Txid'))],
    result: ref('Receipt'),
  },
  warpshrew_getplan: { summary: 'How a block was planned', params: [HEIGHT], result: ref('Plan') },
  warpshrew_getgraph: {
    summary: 'The conflict graph of a block: which transaction waited for which, and on what key',
    params: [HEIGHT],
    result: ref('BlockGraph'),
  },
  warpshrew_getroots: { summary: 'Hash of a block and the roots after it', params: [HEIGHT], result: ref('Roots') },
  warpshrew_getstorage: {
    summary: "A value in a contract's storage; null if the key is absent",
    params: [needed('id', ref('Id')), needed('keyHex', ref('HexIn')), HEIGHT],
    result: orNull(ref('Hex')),
  },
  warpshrew_getsheet: {
    summary: 'Lane assets on an outpoint',
    params: [needed('outpoint', ref('Outpoint')), HEIGHT],
    result: ref('Sheet'),
  },
  warpshrew_getvalue: {
    summary: 'The value of a key after a block; null if it is absent',
    params: [needed('namespace', oneOf('S', 'P')), needed('keyHex', ref('HexIn')), HEIGHT],
    result: object({ height: COUNT, hash: ref('Hash'), value: orNull(ref('Hex')) }),
  },
  warpshrew_getproof: {
    summary: 'The proof that a key has its value, or is absent, after a block',
    params: [needed('namespace', oneOf('S', 'P')), needed('keyHex', ref('HexIn')), HEIGHT],
    result: ref('Proof'),
  },
  warpshrew_trace: {
    summary: 'What a lane transaction did and which others it waited for; with steps it runs again',
    params: [needed('txid', ref('Txid')), maybe('options', object({}, { steps: BOOLEAN }))],
    result: ref('Trace'),
  },
  warpshrew_listcontracts: {
    summary: 'Contracts of the lane',
    params: [
      options({ id: ref('Id'), codeHash: ref('HexIn'), cloneOf: ref('Id'), from: ref('Height'), to: ref('Height') }),
    ],
    result: pageOf('ListedContract'),
  },
  warpshrew_liststorage: {
    summary: "A contract's storage",
    params: [needed('id', ref('Id')), options({ prefix: ref('HexIn') })],
    result: pageOf('ListedKey'),
  },
  warpshrew_listholders: {
    summary: 'Who holds an asset',
    params: [needed('asset', ref('Id')), options({})],
    result: pageOf('ListedHolder'),
  },
  warpshrew_listbalances: {
    summary: 'What a contract holds',
    params: [needed('id', ref('Id')), options({})],
    result: pageOf('ListedBalance'),
  },
  warpshrew_listreceipts: {
    summary: 'Receipts by block, contract and status',
    params: [
      options({
        block: ref('Height'),
        from: ref('Height'),
        to: ref('Height'),
        contract: ref('Id'),
        status: oneOf(...RECEIPT_STATUSES),
        reverse: BOOLEAN,
      }),
    ],
    result: pageOf('ListedReceipt'),
  },
  warpshrew_listoutputs: {
    summary: 'Outputs of an address or script, and what spent them',
    params: [ofScript({ unspent: BOOLEAN, reverse: BOOLEAN })],
    result: pageOf('ListedOutput'),
  },
  warpshrew_listhistory: {
    summary: 'Transactions of an address or script',
    params: [ofScript({ reverse: BOOLEAN })],
    result: pageOf('ListedMove'),
  },
  warpshrew_listassets: {
    summary: 'Assets of the lane on the unspent outputs of an address or script',
    params: [ofScript({})],
    result: pageOf('ListedAsset'),
  },
  warpshrew_gettransaction: {
    summary: 'Where a transaction stands; null if there is none with that txid',
    params: [needed('txid', ref('Txid'))],
    result: orNull(ref('TransactionPlace')),
  },
  warpshrew_getoutpoint: {
    summary: 'What became of an output, and whose it is',
    params: [needed('outpoint', ref('Outpoint')), HEIGHT],
    result: ref('OutpointFate'),
  },
  warpshrew_simulate: {
    summary: 'Runs a message, or a whole transaction, on the state after a block, and keeps nothing',
    params: [needed('request', ref('SimulationRequest'))],
    result: ref('Simulation'),
  },
  warpshrew_getmeta: {
    summary: 'What a contract says of itself',
    params: [needed('id', ref('Id')), HEIGHT],
    result: ANY,
  },
  warpshrew_getconflicts: {
    summary: 'Which calls of a contract could have run together, of those that the chain has',
    params: [needed('id', ref('Id'))],
    result: CONFLICTS,
  },
  'rpc.discover': { summary: 'This document', params: [], result: ANY },
};
