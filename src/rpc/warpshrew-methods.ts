/** The methods of the parallel lane. Amounts are decimal strings, byte strings hex. */
import { StoreError } from '../errors/errors.js';
import { keyBytes, sheetKey, storagePrefix } from '../lane/keys.js';
import { graphOfStored } from '../plan/block-graph.js';
import { reportStored } from '../plan/report.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import { proofToJson } from '../store/proof/json.js';
import { proveKey } from '../store/proof/prove-key.js';
import { receiptJson } from '../trace/receipt-json.js';
import { bytesEqual, concatBytes, toDisplayHash, toHex } from '../util/bytes.js';
import type { RpcBackend } from './backend.js';
import { indexedHeight, notStored, storedHeight } from './heights.js';
import { ofKept } from './kept.js';
import type { Method } from './method.js';
import { receiptOf } from './receipt-of.js';

export const WARPSHREW_METHODS: Readonly<Record<string, Method>> = {
  warpshrew_getreceipt: {
    usage: 'warpshrew_getreceipt [txid]',
    isStored: true,
    run(params, backend) {
      return receiptJson(receiptOf(params.count(1, 1), backend));
    },
  },
  warpshrew_getplan: {
    usage: 'warpshrew_getplan [height?]',
    async run(params, backend) {
      const height = indexedHeight(params.count(0, 1), 0, backend);
      const { found } = await ofOneBlock(backend, height, () => reportStored(backend.store, height));
      return found;
    },
  },
  warpshrew_getgraph: {
    usage: 'warpshrew_getgraph [height?]',
    async run(params, backend) {
      const height = indexedHeight(params.count(0, 1), 0, backend);
      const { found, hash } = await ofOneBlock(backend, height, () => graphOfStored(backend.store, height));
      return { ...found, hash: `0x${toDisplayHash(hash)}` };
    },
  },
  warpshrew_getroots: {
    usage: 'warpshrew_getroots [height?]',
    isStored: true,
    run(params, backend) {
      const record = backend.store.blockRecord(indexedHeight(params.count(0, 1), 0, backend));
      if (record === undefined) throw notStored(indexedHeight(params, 0, backend));
      const { height, hash, roots } = record;
      const hex = (root: string | undefined): string | null => (root === undefined ? null : `0x${root}`);
      return {
        height,
        hash: `0x${toDisplayHash(hash)}`,
        stateRoot: hex(roots?.state),
        standardRoot: hex(roots?.standard),
        laneRoot: hex(roots?.lane),
      };
    },
  },
  warpshrew_getstorage: {
    usage: 'warpshrew_getstorage [id, keyHex, height?]',
    async run(params, backend) {
      const id = params.count(2, 3).id(0);
      const key = concatBytes(keyBytes(storagePrefix(id)), params.hex(1, 'keyHex'));
      const height = indexedHeight(params, 2, backend);
      const value = await ofKept(backend.store, height, () => backend.store.getAt('P', key, height));
      return value === undefined ? null : `0x${toHex(value)}`;
    },
  },
  warpshrew_getsheet: {
    usage: 'warpshrew_getsheet [outpoint, height?]',
    async run(params, backend) {
      const { txid, vout } = params.count(1, 2).outpoint(0);
      const height = indexedHeight(params, 1, backend);
      const key = keyBytes(sheetKey(txid, vout));
      const bytes = await ofKept(backend.store, height, () => backend.store.getAt('P', key, height));
      const entries = decodeSheet(bytes).entries();
      return Object.fromEntries(entries.map(({ id, amount }) => [formatId(id), amount.toString()]));
    },
  },
  warpshrew_getvalue: {
    usage: 'warpshrew_getvalue [namespace, keyHex, height?]',
    async run(params, backend) {
      const namespace = params.count(2, 3).namespace(0);
      const key = params.hex(1, 'keyHex');
      const height = storedHeight(params, 2, backend);
      const { store } = backend;
      const read = async () => ({ value: await ofKept(store, height, () => store.getAt(namespace, key, height)) });
      const {
        found: { value },
        hash,
      } = await ofOneBlock(backend, height, read);
      return { height, hash: `0x${toDisplayHash(hash)}`, value: value === undefined ? null : `0x${toHex(value)}` };
    },
  },
  warpshrew_getproof: {
    usage: 'warpshrew_getproof [namespace, keyHex, height?]',
    async run(params, backend, client) {
      const namespace = params.count(2, 3).namespace(0);
      const key = params.hex(1, 'keyHex');
      const height = params.height(2);
      // Where the tip is meant it is that of the moment in which the proof is made.
      storedHeight(params, 2, backend);
      const { store } = backend;
      const made = backend.prove?.(namespace, key, height, client) ?? proveKey(store, namespace, key, height);
      return proofToJson(await made);
    },
  },
};

/**
 * What `read` finds about block `height`, and the hash of the block. Throws RpcError BLOCK_NOT_INDEXED if it finds
 * nothing, StoreError STORE_REORG_UNDER_WAY if the block was undone meanwhile.
 */
async function ofOneBlock<T>(
  { store }: Pick<RpcBackend, 'store'>,
  height: number,
  read: () => Promise<T | undefined>,
): Promise<{ readonly found: T; readonly hash: Uint8Array }> {
  const hash = store.blockHash(height);
  const found = await read();
  if (!bytesEqual(hash, store.blockHash(height))) {
    const hint = 'The chain was reorganised at this height. Ask again.';
    throw new StoreError('STORE_REORG_UNDER_WAY', 'the block was undone meanwhile', { facts: { height }, hint });
  }
  if (hash === undefined || found === undefined) throw notStored(height);
  return { found, hash };
}
