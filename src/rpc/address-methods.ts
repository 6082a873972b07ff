/** The methods that list by address or script, in a database with `--index addresses`. */
import { scriptOfAddress } from '../bitcoin/address.js';
import { isUnspendable } from '../store/address-block.js';
import { MOVE_PLACE_BYTES, OUTPUT_PLACE_BYTES } from '../store/address-lists.js';
import type { StoreReader } from '../store/reader.js';
import { sha256 } from '../util/sha256.js';
import { RpcError } from './errors.js';
import { ListOptions } from './list-options.js';
import { page } from './list-page.js';
import type { Method } from './method.js';

/** Longest part of an address that an error repeats. */
const SHOWN = 100;

const OUTPUTS =
  'warpshrew_listoutputs [{address?, script?, scriptHash?, unspent?, reverse?, height?, limit?, cursor?}]';
const HISTORY = 'warpshrew_listhistory [{address?, script?, scriptHash?, reverse?, height?, limit?, cursor?}]';
const ASSETS = 'warpshrew_listassets [{address?, script?, scriptHash?, height?, limit?, cursor?}]';

/** Options of which one says which script. */
const OF_SCRIPT = ['address', 'script', 'scriptHash'];

const isPlaceOf =
  (bytes: number) =>
  ({ length }: Uint8Array): boolean =>
    length === bytes;

export const ADDRESS_METHODS: Readonly<Record<string, Method>> = {
  warpshrew_listoutputs: {
    usage: OUTPUTS,
    takesObject: true,
    run(params, backend, client) {
      const options = new ListOptions(params.count(1, 1), 0, OUTPUTS, [...OF_SCRIPT, 'unspent', 'reverse']);
      const script = scriptHash(options, backend.store, OUTPUTS);
      const of = { script, unspent: options.flag('unspent'), reverse: options.flag('reverse') };
      return page({ name: 'outputs', of, options, isPlace: isPlaceOf(OUTPUT_PLACE_BYTES) }, backend, client);
    },
  },
  warpshrew_listhistory: {
    usage: HISTORY,
    takesObject: true,
    run(params, backend, client) {
      const options = new ListOptions(params.count(1, 1), 0, HISTORY, [...OF_SCRIPT, 'reverse']);
      const of = { script: scriptHash(options, backend.store, HISTORY), reverse: options.flag('reverse') };
      return page({ name: 'history', of, options, isPlace: isPlaceOf(MOVE_PLACE_BYTES) }, backend, client);
    },
  },
  warpshrew_listassets: {
    usage: ASSETS,
    takesObject: true,
    run(params, backend, client) {
      const options = new ListOptions(params.count(1, 1), 0, ASSETS, OF_SCRIPT);
      const of = { script: scriptHash(options, backend.store, ASSETS) };
      return page({ name: 'assets', of, options, isPlace: isPlaceOf(OUTPUT_PLACE_BYTES) }, backend, client);
    },
  },
};

/** SHA-256 of the script that is asked for. Throws RpcError, also where the database has no index of it. */
function scriptHash(options: ListOptions, store: StoreReader, usage: string): Uint8Array {
  if (!store.keepsAddresses) {
    const hint = 'Index the chain into a new folder with --index addresses.';
    throw new RpcError('RPC_NO_INDEX', 'The database has no index by address', hint);
  }
  const { network } = store.identity();
  const ofAddress = options.of('address', (value) => scriptOf(value.text(0, 'address'), network));
  const script = options.of('script', (value) => value.hex(0, 'script'));
  const hash = options.of('scriptHash', (value) => value.hash(0, 'scriptHash'));
  if ([ofAddress, script, hash].filter((one) => one !== undefined).length !== 1) {
    const what = 'Invalid params: not one of address, script and scriptHash';
    throw new RpcError('RPC_WRONG_TYPE', what, `Call it as ${usage}.`);
  }
  if (hash !== undefined) return hash;
  const bytes = ofAddress ?? script ?? new Uint8Array(0);
  if (!isUnspendable(bytes, 0, bytes.length)) return sha256(bytes);
  const what = 'Invalid params: outputs of this script can never be spent';
  const hint = 'Scripts that begin with OP_RETURN or have more than 10,000 bytes are not in the index.';
  throw new RpcError('RPC_BAD_SCRIPT', what, hint);
}

function scriptOf(address: string, network: string): Uint8Array {
  const script = scriptOfAddress(address, network);
  if (typeof script !== 'string') return script;
  const what = `Invalid params: no address: ${address.slice(0, SHOWN)}: ${script}`;
  throw new RpcError('RPC_BAD_ADDRESS', what, `Give an address of ${network}, or the script in hex.`);
}
