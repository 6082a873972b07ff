/** The parts that the results of several methods have in common, by name. */
import { RECEIPT_STATUSES } from '../../lane/receipt-status.js';
import { EXECUTORS } from '../../lane/statistics.js';
import { CALL_STATUSES, MESSAGE_STATUSES } from '../../lane/types.js';
import { CALL_KINDS } from '../../program/types.js';
import { BOOLEAN, COUNT, list, mapOf, object, oneOf, orNull, ref, type Schema, TEXT } from './schema.js';

const pattern = (text: string, description: string): Schema => ({ type: 'string', pattern: text, description });

const MESSAGE = {
  protostone: COUNT,
  shadowVout: COUNT,
  status: oneOf(...MESSAGE_STATUSES),
  target: orNull(ref('Id')),
  error: orNull(TEXT),
  fuelUsed: COUNT,
  data: ref('PlainHex'),
  dataBytes: COUNT,
  calls: list(ref('Call')),
  callTotal: COUNT,
  abort: orNull(TEXT),
  logs: list(ref('Log')),
  logTotal: COUNT,
};

const RECEIPT = {
  lane: oneOf('parallel'),
  height: COUNT,
  index: COUNT,
  txid: ref('Txid'),
  undone: orNull(TEXT),
  messages: list(ref('Message')),
  fuel: COUNT,
  reads: list(ref('PlainHex')),
  readTotal: COUNT,
  readHash: orNull(ref('PlainHex')),
  writes: list(ref('PlainHex')),
  writeTotal: COUNT,
  writeHash: orNull(ref('PlainHex')),
  colour: COUNT,
  executor: oneOf(...EXECUTORS),
  repaired: BOOLEAN,
  predicted: BOOLEAN,
  mispredicted: BOOLEAN,
  status: oneOf(...RECEIPT_STATUSES),
  error: orNull(TEXT),
};

const CHANGES = {
  storage: list(
    object({
      contract: ref('Id'),
      key: ref('PlainHex'),
      before: orNull(ref('PlainHex')),
      after: orNull(ref('PlainHex')),
    }),
  ),
  balances: list(object({ holder: ref('Id'), asset: ref('Id'), before: ref('Amount'), after: ref('Amount') })),
  created: list(
    object({
      id: ref('Id'),
      codeHash: orNull(ref('PlainHex')),
      codeBytes: orNull(COUNT),
      cloneOf: orNull(ref('Id')),
    }),
  ),
  sequence: orNull(object({ before: ref('Amount'), after: ref('Amount') })),
  sheets: list(object({ outpoint: ref('Outpoint'), before: ref('Sheet'), after: ref('Sheet') })),
};

const RUN = object({
  steps: list(
    object({
      protostone: COUNT,
      frame: COUNT,
      depth: COUNT,
      call: TEXT,
      given: mapOf(TEXT),
      result: orNull(TEXT),
      fuel: COUNT,
      fuelUsed: COUNT,
      stop: orNull(TEXT),
    }),
  ),
  stepTotal: COUNT,
  messages: list(object({ protostone: COUNT, transfers: list(ref('Transfer')), data: ref('PlainHex') })),
  changes: object(CHANGES),
});

const WAITS = object({
  after: list(
    object({
      index: COUNT,
      txid: ref('Txid'),
      spends: BOOLEAN,
      keys: list(object({ key: ref('PlainHex'), earlier: TEXT, later: TEXT })),
      keyTotal: COUNT,
    }),
  ),
  afterTotal: COUNT,
  complete: BOOLEAN,
});

export const COMPONENTS: Readonly<Record<string, Schema>> = {
  Height: {
    description: 'a height: an integer, a decimal string, or "latest"; null: latest',
    anyOf: [{ type: 'integer', minimum: 0, maximum: 0xffffffff }, TEXT, { type: 'null' }],
  },
  Hex: pattern('^0x([0-9a-f]{2})*$', 'bytes, as they are answered'),
  HexIn: pattern('^(0x)?([0-9a-fA-F]{2})*$', 'bytes, as they may be given'),
  PlainHex: pattern('^([0-9a-f]{2})*$', 'bytes, without 0x'),
  Hash: pattern('^0x[0-9a-f]{64}$', '32 bytes'),
  Txid: pattern('^[0-9a-f]{64}$', 'a txid as a node prints it'),
  Outpoint: pattern('^[0-9a-fA-F]{64}:[0-9]{1,10}$', '`txid:vout`'),
  Id: pattern('^[0-9]{1,39}:[0-9]{1,39}$', '`block:tx` of a contract or asset'),
  Amount: pattern('^[0-9]{1,39}$', 'a number below 2^128, decimal'),
  U128: {
    description: 'a number below 2^128: a decimal string, or an integer below 2^53',
    anyOf: [ref('Amount'), { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }],
  },
  Sheet: { ...mapOf(ref('Amount')), description: 'amounts by asset' },
  Transfer: object({ id: ref('Id'), amount: ref('Amount') }),
  Call: object({
    depth: COUNT,
    kind: oneOf(...CALL_KINDS),
    target: ref('Id'),
    codeHash: ref('PlainHex'),
    opcode: orNull(ref('Amount')),
    fuelUsed: COUNT,
    status: oneOf(...CALL_STATUSES),
    parcel: COUNT,
    transfers: COUNT,
    dataBytes: COUNT,
  }),
  Log: object({ frame: COUNT, text: TEXT, bytes: COUNT }),
  Message: object(MESSAGE),
  Receipt: object(RECEIPT),
  Trace: object({ ...RECEIPT, waits: WAITS, run: orNull(RUN) }),
  Simulation: object({
    height: COUNT,
    txid: ref('Txid'),
    fuelLimit: COUNT,
    fuel: COUNT,
    ...CHANGES,
    undone: orNull(TEXT),
    status: oneOf(...RECEIPT_STATUSES),
    error: orNull(TEXT),
    messages: list(object({ ...MESSAGE, transfers: list(ref('Transfer')) })),
  }),
  SimulationRequest: object(
    {},
    {
      target: ref('Id'),
      inputs: list(ref('U128')),
      incoming: mapOf(ref('U128')),
      height: ref('Height'),
      transaction: ref('HexIn'),
      block: ref('HexIn'),
      protostone: COUNT,
    },
  ),
  Plan: object({
    height: COUNT,
    laneTxs: COUNT,
    demoted: COUNT,
    edges: COUNT,
    colours: COUNT,
    widths: list(COUNT),
    longestChain: COUNT,
    predicted: COUNT,
    mispredicted: COUNT,
    dsatur: COUNT,
    source: oneOf('run', 'receipts'),
    complete: BOOLEAN,
  }),
  Roots: object({
    height: COUNT,
    hash: ref('Hash'),
    stateRoot: orNull(ref('Hash')),
    standardRoot: orNull(ref('Hash')),
    laneRoot: orNull(ref('Hash')),
  }),
  Proof: object({
    format: TEXT,
    namespace: oneOf('S', 'P'),
    height: COUNT,
    standardRoot: ref('Hash'),
    laneRoot: ref('Hash'),
    stateRoot: ref('Hash'),
    root: ref('Hash'),
    key: ref('Hex'),
    value: orNull(ref('Hex')),
    siblings: list(ref('Hash')),
    otherLeaf: orNull(object({ path: ref('Hex'), valueHash: ref('Hash') })),
  }),
  ListedContract: object({
    id: ref('Id'),
    codeHash: ref('PlainHex'),
    cloneOf: orNull(ref('Id')),
    height: COUNT,
    txid: orNull(ref('Txid')),
  }),
  ListedKey: object({ key: ref('Hex'), value: ref('Hex'), bytes: COUNT, height: COUNT }),
  ListedHolder: object({ contract: orNull(ref('Id')), outpoint: orNull(ref('Outpoint')), amount: ref('Amount') }),
  ListedBalance: object({ asset: ref('Id'), amount: ref('Amount') }),
  ListedReceipt: object({
    height: COUNT,
    index: COUNT,
    txid: ref('Txid'),
    status: oneOf(...RECEIPT_STATUSES),
    error: orNull(TEXT),
    fuel: COUNT,
    messages: list(
      object({ target: orNull(ref('Id')), status: oneOf(...MESSAGE_STATUSES), fuelUsed: COUNT, callTotal: COUNT }),
    ),
  }),
  TransactionPlace: object({
    txid: ref('Txid'),
    height: COUNT,
    index: COUNT,
    blockHash: ref('Txid'),
    confirmations: COUNT,
  }),
  OutpointFate: object({
    sheet: orNull(ref('Sheet')),
    height: orNull(COUNT),
    spentHeight: orNull(COUNT),
    spentBy: orNull(ref('Txid')),
  }),
};
