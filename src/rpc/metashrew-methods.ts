/** The methods that every Metashrew host has. Every result is a string. */
import { toDisplayHash, toHex } from '../util/bytes.js';
import type { RpcBackend } from './backend.js';
import { RpcError } from './errors.js';
import { storedHeight } from './heights.js';
import { ofKept } from './kept.js';
import type { Method } from './method.js';

/** Longest name that an error repeats. */
const SHOWN = 60;

/** On an empty store views run as at height 0. */
function orTip(height: number | undefined, { store }: RpcBackend): number {
  return height ?? store.tip()?.height ?? 0;
}

export const METASHREW_METHODS: Readonly<Record<string, Method>> = {
  metashrew_height: {
    usage: 'metashrew_height []',
    isStored: true,
    run: (_, { store }) => String(store.tip()?.height ?? 0),
  },
  metashrew_getblockhash: {
    usage: 'metashrew_getblockhash [height?]',
    isStored: true,
    run(params, backend) {
      const height = orTip(params.count(0, 1).height(0), backend);
      const hash = backend.store.blockHash(height);
      if (hash !== undefined) return `0x${toDisplayHash(hash)}`;
      const message = `Storage error: Block hash not found for height ${height}`;
      throw new RpcError('BLOCK_NOT_INDEXED', message, 'Ask metashrew_height for the last indexed height.');
    },
  },
  metashrew_stateroot: {
    usage: 'metashrew_stateroot [height?]',
    isStored: true,
    run(params, backend) {
      const height = orTip(params.count(0, 1).height(0), backend);
      const roots = backend.store.roots(height);
      if (roots !== undefined) return `0x${roots.standard}`;
      if (backend.store.blockHash(height) !== undefined) throw withoutRoot(height);
      const message = `Storage error: State root not found for height ${height}`;
      throw new RpcError('BLOCK_NOT_INDEXED', message, 'Ask metashrew_height for the last indexed height.');
    },
  },
  metashrew_view: {
    usage: 'metashrew_view [view, inputHex, height?]',
    async run(params, backend, client) {
      const name = params.count(2, 3).text(0, 'view');
      const input = params.hex(1, 'inputHex');
      const height = orTip(params.height(2), backend);
      return `0x${toHex(await ofKept(backend.store, height, () => backend.view(name, input, height, client)))}`;
    },
  },
  metashrew_preview: {
    usage: 'metashrew_preview [blockHex, view, inputHex, height?]',
    async run(params, backend, client) {
      params.count(3, 4);
      const { preview } = backend;
      if (preview === undefined) {
        throw new RpcError(
          'RPC_NOT_SUPPORTED',
          'This server cannot preview blocks',
          'Use metashrew_view on indexed blocks.',
        );
      }
      const block = params.block(0);
      const name = params.text(1, 'view');
      const input = params.hex(2, 'inputHex');
      const height = orTip(params.heightBefore(3), backend);
      const answer = await ofKept(backend.store, height, () => preview(block, name, input, height, client));
      return `0x${toHex(answer)}`;
    },
  },
  metashrew_prefixroot: {
    usage: 'metashrew_prefixroot [name, height?]',
    async run(params, backend, client) {
      const name = params.count(1, 2).text(0, 'name');
      const height = storedHeight(params, 1, backend);
      const root = await ofKept(backend.store, height, async () => backend.prefixRoot?.(name, height, client));
      if (root !== undefined) return `0x${root}`;
      const message = `Storage error: Prefix root ${name.slice(0, SHOWN)} not found for height ${height}`;
      throw new RpcError('PREFIX_NOT_FOUND', message, 'The operator names prefixes with --prefixroot NAME:0xHEX.');
    },
  },
  metashrew_snapshot: {
    usage: 'metashrew_snapshot []',
    async run(params, { store, snapshots }) {
      params.count(0, 0);
      const status = await snapshots?.();
      const height = store.tip()?.height;
      // A string that holds JSON, with the members that existing hosts give.
      return JSON.stringify({
        enabled: true,
        current_height: height === undefined ? 0 : height + 1,
        indexed_height: height ?? 0,
        total_entries: 0,
        storage_size_bytes: status?.databaseBytes ?? null,
        sync_mode: status?.enabled ? 'Snapshot' : status?.restoredHeight === undefined ? 'Normal' : 'Repo',
        snapshots_created: status?.made ?? 0,
        snapshots_applied: status?.restoredHeight === undefined ? 0 : 1,
        last_snapshot_height: status?.lastHeight ?? status?.restoredHeight ?? null,
        blocks_synced_normally: status?.blocksIndexed ?? 0,
        blocks_synced_from_snapshots: status?.restoredHeight === undefined ? 0 : status.restoredHeight + 1,
      });
    },
  },
};

function withoutRoot(height: number): RpcError {
  const message = `Storage error: No state root was computed for height ${height}`;
  return new RpcError('ROOT_NOT_COMPUTED', message, 'Ask for a height that has one: blocks were stored together here.');
}
