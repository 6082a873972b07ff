import { InternalError, StoreError, UsageError } from '../../errors/errors.js';
import { fromHex } from '../../util/bytes.js';
import type { StoreReader } from '../reader.js';
import type { Namespace } from '../types.js';
import { type KeyProof, refutationOf } from './key-proof.js';

/**
 * Proof that `key` of a namespace has its value, or is absent, after block `height`: the tip's if not given. It is
 * verified before it is returned. To be called in the thread that writes the store, if one does. Throws StoreError
 * STORE_EMPTY, STORE_NOT_PROVABLE, STORE_CORRUPT; UsageError USAGE_HEIGHT_NOT_INDEXED.
 */
export function proveKey(store: StoreReader, namespace: Namespace, key: Uint8Array, height?: number): KeyProof {
  const tip = store.tip();
  if (tip === undefined) {
    throw new StoreError('STORE_EMPTY', 'the database has no block yet', { hint: 'Index or replay a chain first.' });
  }
  const at = height ?? tip.height;
  const roots = store.roots(at);
  if (roots === undefined && at <= tip.height && store.blockHash(at) !== undefined) {
    throw new StoreError('STORE_NOT_PROVABLE', 'no state root of that height was computed', {
      facts: { height: at, tip: tip.height },
      hint: 'The block was stored together with later ones (--root-every). Ask for another height.',
    });
  }
  if (at > tip.height || roots === undefined) {
    throw new UsageError('USAGE_HEIGHT_NOT_INDEXED', 'the database has no block of that height', {
      facts: { height: at, tip: tip.height },
    });
  }
  const proof: KeyProof = {
    namespace,
    height: at,
    standardRoot: fromHex(roots.standard),
    laneRoot: fromHex(roots.lane),
    key,
    value: store.getAt(namespace, key, at),
    proof: at === tip.height ? store.prove(namespace, key) : store.proveAt(namespace, key, at),
  };
  const refutation = refutationOf(proof);
  if (refutation === undefined) return proof;
  if (refutation.code !== 'PROOF_WRONG') throw new InternalError(refutation.reason);
  throw new StoreError('STORE_CORRUPT', 'the state tree does not give the recorded root', {
    facts: { height: at, namespace },
    hint: 'Run `warpshrew db check`; restore a snapshot, or index into a new folder.',
  });
}
