import type { ResultOf } from '../client/client.js';
import type { AlkaneId } from '../protocol/types.js';
import type { RunLaneView } from '../simulate/protocol.js';
import type { KeyProof } from '../store/proof/key-proof.js';
import type { StoreReader } from '../store/reader.js';
import type { Namespace } from '../store/types.js';

/** What `metashrew_snapshot` tells of a server that makes snapshots, or was started from one. */
export interface SnapshotStatus {
  /** Bytes of the files of the database. */
  readonly databaseBytes: number;
  readonly made: number;
  /** Height of the newest that was made since the start. */
  readonly lastHeight: number | undefined;
  /** Height of the snapshot that the database was restored from at the start. */
  readonly restoredHeight: number | undefined;
  /** Whether snapshots are made. */
  readonly enabled: boolean;
  /** Blocks indexed since the start. */
  readonly blocksIndexed: number;
}

/** The data and views that the server answers with. */
export interface RpcBackend {
  readonly store: StoreReader;
  /**
   * Runs a view of the standard module at a height, without blocking this thread. The backend sets the time limit (the
   * server sets none) and shares its threads between clients. Rejects with a WarpshrewError, `VIEW_NOT_FOUND` if the
   * module has no such view.
   */
  view(name: string, input: Uint8Array, height: number, client: string): Promise<Uint8Array>;
  /**
   * Runs contracts over the lane's state at a height, without blocking this thread; bounded and shared as views are.
   * Without it the methods that need it answer an error.
   */
  readonly laneView?: RunLaneView;
  /**
   * The bytes of a stored block, by its height and hash (wire order); undefined where they are not to be had. Without
   * it no transaction can run again.
   */
  block?(height: number, hash: Uint8Array, client: string): Promise<Uint8Array | undefined>;
  /**
   * Proves a key's value or absence (docs/state-root.md) after block `height`, the tip's if undefined. Without it the
   * store itself is asked: right where no other thread writes it.
   */
  prove?(
    namespace: Namespace,
    key: Uint8Array,
    height: number | undefined,
    client: string,
  ): KeyProof | Promise<KeyProof>;
  /**
   * Runs a view, as {@link view} does, over the state after a block that follows block `height` and is never stored.
   * Without it `metashrew_preview` answers an error.
   */
  preview?(block: Uint8Array, name: string, input: Uint8Array, height: number, client: string): Promise<Uint8Array>;
  /**
   * Which calls of a contract could have run together, of those that the chain has. Without it
   * `warpshrew_getconflicts` answers an error.
   */
  conflicts?(id: AlkaneId, client: string): Promise<ResultOf<'warpshrew_getconflicts'>>;
  /** Without it `metashrew_snapshot` tells of a server that makes none. */
  snapshots?(): Promise<SnapshotStatus>;
  /**
   * Root (hex) over the standard module's keys with the prefix of this name after a stored block; undefined if there is
   * no such name.
   */
  prefixRoot?(name: string, height: number, client: string): Promise<string | undefined>;
}
