/** The index of a development chain, in the same process: lane, standard module and store, block by block. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { ProgramError } from '../errors/errors.js';
import { LaneEngine } from '../execute/engine.js';
import type { StateReader } from '../lane/types.js';
import { ProgramRunner } from '../program/runner.js';
import type { RpcBackend } from '../rpc/backend.js';
import { ChangeBell } from '../rpc/change-bell.js';
import { answerTask } from '../simulate/answer.js';
import { HeightState } from '../simulate/height-state.js';
import { Metas } from '../simulate/meta.js';
import type { LaneViewTask, RunLaneView } from '../simulate/protocol.js';
import { StandardModule } from '../standard/module.js';
import { DEFAULT_VIEW_LIMITS, StandardIndexer } from '../standard/standard-indexer.js';
import { Store } from '../store/store.js';
import { StoredState } from '../store/stored-state.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { bytesEqual } from '../util/bytes.js';
import { KeptConflicts } from './contract-conflicts.js';
import type { DevBlock, DevChain } from './dev-chain.js';
import { ForkedReader, ForkedState, TouchedKeys } from './forked-state.js';
import type { ViewOrigin } from './metashrew-origin.js';
import { Origin } from './origin.js';

const FOLDERS = 'warpshrew-dev-';
const RULES = { laneStartHeight: 0, dependent: 'demote' } as const;
const COMPILED_BYTES = 64 << 20;
/** All blocks of a development chain can be undone. */
const KEEP_UNDO = 1_000_000;

export class DevIndex {
  readonly bell = new ChangeBell();
  readonly #touched = new TouchedKeys();
  readonly #runner = new ProgramRunner({ compiledBytes: COMPILED_BYTES });
  readonly #metas = new Metas(this.#runner);

  private constructor(
    readonly chain: DevChain,
    readonly store: Store,
    readonly folder: string,
    readonly views: ViewOrigin | undefined,
    /** Undefined too where only views are forked: the lane begins empty then. */
    readonly origin: Origin | undefined,
    readonly engine: LaneEngine,
    readonly standard: StandardIndexer | undefined,
  ) {}

  /** Over an empty database in a folder of its own, which goes with it. Throws StoreError, ProgramError. */
  static async open(chain: DevChain, views: ViewOrigin | undefined): Promise<DevIndex> {
    const folder = newFolder();
    const moduleBytes = defaultIndexer();
    const { hash: moduleHash } = StandardModule.load(moduleBytes);
    const store = await Store.open(folder, { network: 'regtest', moduleHash, keepUndo: KEEP_UNDO, addresses: true });
    const engine = new LaneEngine({ policy: 'sequential', workers: 0, ...RULES });
    const origin = views instanceof Origin ? views : undefined;
    const standard = views === undefined ? new StandardIndexer({ moduleBytes, storeHandle: store.handle }) : undefined;
    standard?.startViews();
    return new DevIndex(chain, store, folder, views, origin, engine, standard);
  }

  /** Makes the index that of the chain as it is now. Throws what indexing throws. */
  async follow(): Promise<void> {
    const { chain, store } = this;
    let height = store.tip()?.height;
    let undone = false;
    while (
      height !== undefined &&
      height >= chain.first &&
      !bytesEqual(store.blockHash(height), chain.block(height)?.hash)
    ) {
      height--;
      undone = true;
    }
    if (undone && height !== undefined) {
      store.rollback(height);
      this.#touched.undoTo(height);
    }
    for (let next = (height ?? chain.first - 1) + 1; next <= chain.height; next++) {
      const block = chain.block(next);
      if (block !== undefined) await this.#index(block, next < chain.height);
    }
    this.bell.ring();
  }

  /** What JSON-RPC answers from. */
  get backend(): RpcBackend {
    const { chain, store, views, origin, standard } = this;
    const reader = origin === undefined ? store : new ForkedReader(store, origin, this.#touched);
    const stateAt = (height: number): StateReader => this.#stateAfter(new HeightState(store, height), height);
    const conflicts = new KeptConflicts({ chain, store, stateAfter: stateAt, runner: this.#runner, rules: RULES });
    const base = { store, stateAt, runner: this.#runner, metas: this.#metas, ...DEFAULT_VIEW_LIMITS };
    const laneView: RunLaneView = async (kind, request) =>
      answerTask({ kind, request } as LaneViewTask, base) as Awaited<ReturnType<typeof laneView<typeof kind>>>;
    return {
      store: reader,
      laneView,
      conflicts: (id) => conflicts.of(id),
      block: async (height) => chain.block(height)?.raw,
      view: async (name, input, height, client) => {
        if (views !== undefined) return views.view(name, input, height);
        if (standard !== undefined) return standard.view(name, input, height, height, client);
        throw new ProgramError('VIEW_NOT_FOUND', 'there is no module', { facts: { name } });
      },
    };
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.standard?.close();
    await this.store.close();
    await this.views?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #index({ height, raw }: DevBlock, moreFollow: boolean): Promise<void> {
    const { store, engine, standard } = this;
    const block = BlockOffsets.read(raw);
    const run = await standard?.runBlock(raw, height);
    if (run?.error) throw run.error;
    const lane = await engine.processBlock(block, height, {
      reader: this.#stateAfter(new StoredState(store), height - 1),
    });
    // What is deleted of the origin was never here.
    const laneWrites = new Map(
      [...lane.writes].filter(([key, value]) => value !== undefined || new StoredState(store).get(key) !== undefined),
    );
    store.commitBlock(
      {
        ...{ height, hash: block.hash, header: block.header, standardWrites: run?.pairs ?? new Map() },
        ...{ laneWrites, receipts: lane.encodedReceipts ?? lane.receipts, plan: lane.plan, outputs: block },
      },
      { moreFollow },
    );
    if (this.origin !== undefined) this.#touched.add(lane.writes.keys(), height);
  }

  #stateAfter(own: StateReader, height: number): StateReader {
    return this.origin === undefined ? own : new ForkedState(own, this.origin, this.#touched, height);
  }
}

/** A folder that names its process; those of processes that are gone are removed. */
function newFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^warpshrew-dev-(\d+)-\d+$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  for (let n = 0; ; n++) {
    const folder = join(tmpdir(), `${FOLDERS}${process.pid}-${n}`);
    if (existsSync(folder)) continue;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
