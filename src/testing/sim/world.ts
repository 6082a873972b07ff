import { REGTEST } from '../../bitcoin/regtest.js';
import { FuzzBlocks } from '../../selftest/fuzz/fuzz-blocks.js';
import { builtPrograms } from '../../util/built-wasm.js';
import { bytesEqual, EMPTY_BYTES, toBinaryString, toHex } from '../../util/bytes.js';
import { RegtestChain } from '../regtest/regtest-chain.js';
import { Disk } from './disk.js';
import { MemoryDatabase } from './memory-database.js';
import { rawBlock } from './raw-block.js';
import { openStore, SimIndexer } from './sim-indexer.js';

/** A block of the tree of all chains of a world. */
export interface WorldBlock {
  readonly height: number;
  readonly hash: Uint8Array;
  readonly raw: Uint8Array;
  readonly parent: WorldBlock | undefined;
  /** Which child of its parent it is. */
  readonly branch: number;
  /** What a fresh index of the chain up to this block holds; empty below the start block. */
  readonly reference: Disk;
  readonly children: Map<number, WorldBlock>;
}

/** Programs that the random blocks deploy and call: without those that check signatures, which take too long. */
const PROGRAMS = ['probe', 'mint', 'amm'] as const;
const MAX_TXS = 6;
/** Ways a block can be followed by another one. */
export const BRANCHES = 3;

/** A tree of valid regtest blocks with lane transactions that depend on the state of their branch; grows when asked. */
export class World {
  readonly genesis: WorldBlock;
  readonly #byHash = new Map<string, WorldBlock>();
  readonly #makers: readonly FuzzBlocks[];

  private constructor(
    readonly seed: string,
    /** First block that is indexed. */
    readonly start: number,
    /** What a fresh index holds before its first block. */
    readonly empty: Disk,
    reference: Disk,
  ) {
    const built = builtPrograms();
    const programs = new Map(PROGRAMS.map((name) => [name, built[name]]));
    this.#makers = Array.from({ length: BRANCHES }, (_, k) => new FuzzBlocks(`${seed}/${k}`, programs, MAX_TXS));
    const { hash, raw } = new RegtestChain().blocks[0];
    this.genesis = { height: 0, hash, raw, parent: undefined, branch: 0, reference, children: new Map() };
    this.#add(this.genesis);
  }

  static async make(seed: string, start: number): Promise<World> {
    const { hash, raw } = new RegtestChain().blocks[0];
    const empty = new Disk();
    openStore(new MemoryDatabase(empty));
    return new World(seed, start, empty, start === 0 ? await indexed(empty, raw, hash, 0) : empty);
  }

  /** The block that follows `parent` on `branch`. */
  async child(parent: WorldBlock, branch: number): Promise<WorldBlock> {
    const known = parent.children.get(branch);
    if (known !== undefined) return known;
    const height = parent.height + 1;
    const store = openStore(new MemoryDatabase(new Disk(parent.reference)));
    const state = new Map<string, Uint8Array>();
    for (const [key, value] of store.entriesAt('P', EMPTY_BYTES)) state.set(toBinaryString(key), value);
    const { transactions } = this.#makers[branch].next(height, state);
    // Not of the time of another child, so that two children are never the same block.
    const { hash, raw } = rawBlock(parent.hash, height, REGTEST.genesisTime + height * 600 + branch, transactions);
    const reference = height < this.start ? parent.reference : await indexed(parent.reference, raw, hash, height);
    const block: WorldBlock = { height, hash, raw, parent, branch, reference, children: new Map() };
    parent.children.set(branch, block);
    this.#add(block);
    return block;
  }

  find(hash: Uint8Array): WorldBlock | undefined {
    return this.#byHash.get(toHex(hash));
  }

  #add(block: WorldBlock): void {
    this.#byHash.set(toHex(block.hash), block);
  }
}

async function indexed(before: Disk, raw: Uint8Array, hash: Uint8Array, height: number): Promise<Disk> {
  const disk = new Disk(before);
  const indexer = new SimIndexer(openStore(new MemoryDatabase(disk)));
  await indexer.index({ height, hash, raw });
  if (!bytesEqual(indexer.tip()?.hash, hash)) throw new Error('a block of the simulator has another hash');
  return disk;
}

/** The ancestor of `block` at `height`, or itself; undefined above it. */
export function ancestorAt(block: WorldBlock, height: number): WorldBlock | undefined {
  let at: WorldBlock | undefined = block;
  while (at !== undefined && at.height > height) at = at.parent;
  return at?.height === height ? at : undefined;
}

/** Height of the last block that both chains have. */
export function forkHeight(a: WorldBlock, b: WorldBlock): number {
  const height = Math.min(a.height, b.height);
  let one = ancestorAt(a, height);
  let other = ancestorAt(b, height);
  while (one !== undefined && one !== other) {
    one = one.parent;
    other = other?.parent;
  }
  return one?.height ?? -1;
}
