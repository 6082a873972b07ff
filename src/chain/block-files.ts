import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { type ErrorFacts, InputError } from '../errors/errors.js';
import { bytesEqual, toDisplayHash, toHex } from '../util/bytes.js';
import { BestChain } from './best-chain.js';
import { BlkFolder } from './blk-folder.js';
import { assertKey } from './blk-key.js';
import { scanFile } from './blk-scan.js';
import { BlockCopies } from './block-copies.js';
import { HEADER_LENGTH, streamBlocks } from './block-stream.js';
import { Changes } from './changes.js';
import { type Clock, REAL_CLOCK } from './clock.js';
import { type BlockPlace, HeaderIndex } from './header-index.js';
import { NETWORKS, type Network } from './networks.js';
import type { NodeSource } from './node-source.js';
import type { ChainBlock, ChainSource, ChainTip } from './source.js';

export interface BlockFilesOptions {
  /** A node's folder `blocks`. */
  readonly folder: string;
  /**
   * The node that writes the files, or one of the same chain: it says which chain is best, and provides the blocks that
   * the files lack. Without it the chain with the most work in the files is the best. Closed with the source. It need
   * not be reachable yet.
   */
  readonly node?: NodeSource;
  /** If not given, taken from the first bytes of the files, or from the node. */
  readonly network?: Network;
  /** Replaces the network's magic, for a custom signet without a node. */
  readonly magic?: Uint8Array;
  readonly concurrency?: number;
  /** Bound of the bytes held by {@link BlockFilesSource.blocks}. */
  readonly maxBytes?: number;
  /** Bound of their number. */
  readonly maxBlocks?: number;
  /** Minimum milliseconds between two searches for new blocks in the files. */
  readonly refreshMs?: number;
  readonly pollMs?: number;
  readonly clock?: Clock;
  /** Called with what the user should see once. */
  log?(message: string, facts: ErrorFacts): void;
}

/** For status and metrics. */
export interface BlockFilesStatistics {
  readonly files: number;
  /** Distinct blocks found in them, including stale ones. */
  readonly indexed: number;
  /** Bytes between blocks that belong to none. */
  readonly skippedBytes: number;
  readonly readFromFiles: number;
  /** Of those, blocks whose first copy is damaged or gone. */
  readonly otherCopies: number;
  /** Blocks read from the node because the files lack them. */
  readonly readFromNode: number;
  /** Of those, blocks whose place in the files was unreadable or held something else. */
  readonly unreadable: number;
  /** Of those, blocks with an intact header that are not valid. */
  readonly damaged: number;
}

interface FileState {
  readonly size: number;
  readonly modifiedMs: number;
  readonly end: number;
}

const HASH_BATCH = 500;
/** Delivered blocks remembered: more than an indexer takes ahead of the block that it refuses. */
const MOST_GIVEN = 200;

/** The best chain, with its blocks read from a node's block files. */
export class BlockFilesSource implements ChainSource {
  readonly kind = 'files';
  readonly name: string;
  readonly #index = new HeaderIndex();
  readonly #copies: BlockCopies;
  readonly #chain: BestChain;
  readonly #states = new Map<number, FileState>();
  readonly #changes: Changes;
  readonly #closing = new AbortController();
  #refreshing: Promise<void> | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #lastTip: Uint8Array | undefined;
  readonly #warned = new Set<string>();
  /**
   * Hashes (display order) of the blocks given last. The indexer verifies blocks. A block that is requested again may
   * have been refused there, so only such a block is verified here, too.
   */
  readonly #given = new LRUCache<string, true>({ max: MOST_GIVEN });
  #magicConfirmed = false;
  readonly #counts = {
    skippedBytes: 0,
    readFromFiles: 0,
    readFromNode: 0,
    otherCopies: 0,
    unreadable: 0,
    damaged: 0,
  };

  readonly #folder: BlkFolder;
  #magic: Uint8Array;
  readonly #options: BlockFilesOptions;

  private constructor(
    folder: BlkFolder,
    magic: Uint8Array,
    readonly network: Network | undefined,
    options: BlockFilesOptions,
  ) {
    this.#folder = folder;
    this.#magic = magic;
    this.#options = options;

    this.#chain = new BestChain(this.#index);
    this.#copies = new BlockCopies(folder, this.#index, (place) => this.#searchWithin(place));
    this.name = options.node ? `${folder.path}, ${options.node.name}` : folder.path;
    this.#changes = new Changes({
      clock: options.clock ?? REAL_CLOCK,
      pollMs: options.pollMs ?? 1000,
      safetyMs: 0,
      notifier: undefined,
      look: async () => {
        await this.#refresh();
        return !bytesEqual(this.#chain.hashAt(this.#chain.tipHeight), this.#lastTip);
      },
    });
  }

  /**
   * Checks the folder and the first bytes in it; the headers are read when they are first needed, which takes minutes
   * per million blocks. The node is not contacted before then. Throws InputError BLOCK_FILES_UNREADABLE,
   * BLOCK_FILES_XOR, BLOCK_FILES_NETWORK.
   */
  static async open(options: BlockFilesOptions): Promise<BlockFilesSource> {
    const folder = await BlkFolder.open(options.folder);
    await assertKey(folder);
    const first = await firstMagic(folder);
    const wanted = NETWORKS.find(({ network }) => network === options.network);
    const magic = options.magic ?? wanted?.magic ?? first;
    const found = networkOf(first);
    const known = wanted !== undefined || options.magic !== undefined || options.node !== undefined;
    if (known ? found !== undefined && !bytesEqual(found.magic, magic) : found === undefined) {
      throw otherNetwork(folder, first, options.network ?? 'not given');
    }
    return new BlockFilesSource(folder, magic, wanted?.network ?? found?.network, options);
  }

  get statistics(): BlockFilesStatistics {
    return { files: this.#states.size, indexed: this.#index.size, ...this.#counts };
  }

  genesis(): Promise<Uint8Array | undefined> {
    return this.hashAt(0);
  }

  async tip(): Promise<ChainTip> {
    if (this.#options.node) {
      await this.#confirmMagic(this.#options.node);
      return this.#options.node.tip();
    }
    await this.#refresh();
    const height = this.#chain.tipHeight;
    const hash = this.#chain.hashAt(height);
    if (hash === undefined) {
      throw new InputError('BLOCK_FILES_NO_CHAIN', 'the block files do not hold the chain from its first block', {
        facts: { path: this.#folder.path, blocks: this.#index.size, 'xor.dat': this.#folder.key },
        hint:
          this.#index.size === 0
            ? 'No block was found: check the network, and that xor.dat comes from the node that wrote the files.'
            : 'A pruned node lacks its first files: configure a node, too.',
      });
    }
    this.#lastTip = hash;
    return { height, hash };
  }

  async hashAt(height: number): Promise<Uint8Array | undefined> {
    if (this.#options.node) return this.#options.node.hashAt(height);
    if (this.#states.size === 0) await this.#refresh();
    return this.#chain.hashAt(height);
  }

  async *blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    const { node } = this.#options;
    const blocks = streamBlocks({
      from,
      to,
      signal,
      hashes: (height, count, own) => (node ? node.hashes(height, count, own) : this.#hashes(height, count, own)),
      fetch: (hash, height, own) => this.#fetch(hash, height, own),
      batch: HASH_BATCH,
      concurrency: this.#options.concurrency ?? 4,
      maxBytes: this.#options.maxBytes ?? 96 << 20,
      maxBlocks: this.#options.maxBlocks,
      reserve: MAX_BLOCK_LENGTH,
    });
    for await (const block of blocks) {
      this.#given.set(toDisplayHash(block.hash), true);
      yield block;
    }
  }

  changed(ms: number, signal: AbortSignal): Promise<void> {
    return this.#options.node ? this.#options.node.changed(ms, signal) : this.#changes.wait(ms, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#refreshing?.catch(() => undefined);
    await this.#options.node?.close();
  }

  async #hashes(height: number, count: number, signal: AbortSignal): Promise<Uint8Array[]> {
    if (this.#states.size === 0) await unlessAborted(this.#refresh(), signal);
    const hashes: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const hash = this.#chain.hashAt(height + i);
      if (hash === undefined) break;
      hashes.push(hash);
    }
    return hashes;
  }

  async #fetch(hash: Uint8Array, height: number, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#index.find(hash) === undefined) {
      const waited = performance.now() - this.#refreshedAt;
      if (this.#refreshing || waited >= (this.#options.refreshMs ?? 1000)) await unlessAborted(this.#refresh(), signal);
    }
    const id = this.#index.find(hash);
    const { node } = this.#options;
    const facts = { path: this.#folder.path, height, hash: toDisplayHash(hash) };
    const copy = id === undefined ? undefined : await this.#copies.read(id, hash, this.#given.has(facts.hash));
    if (copy?.raw && (copy.damage === undefined || node === undefined)) {
      this.#counts.readFromFiles++;
      if (copy.another) {
        this.#counts.otherCopies++;
        this.#warn('some copies of blocks in the block files are damaged: reading other copies', facts);
      }
      // Damaged, and no node: the indexer reports what is wrong.
      return copy.raw;
    }
    if (id !== undefined) this.#counts.unreadable++;
    if (node && copy?.damage !== undefined) {
      this.#warn('some blocks in the block files are damaged: reading them from the node', {
        ...facts,
        code: copy.damage,
      });
      const block = await this.#fromNode(node, hash, height, signal);
      this.#counts.damaged++;
      return block;
    }
    if (node === undefined) {
      throw new InputError('BLOCK_FILES_MISSING_BLOCK', 'the block files lack a block', {
        facts,
        hint: 'Give a node to read it from, or a whole copy of the files.',
      });
    }
    this.#warn('the block files lack blocks: reading them from the node', facts);
    return this.#fromNode(node, hash, height, signal);
  }

  async #fromNode(node: NodeSource, hash: Uint8Array, height: number, signal: AbortSignal): Promise<Uint8Array> {
    const block = await node.block(hash, height, signal);
    this.#counts.readFromNode++;
    return block;
  }

  /** Takes over the node's magic, once it answers: a custom signet has its own. Throws BLOCK_FILES_NETWORK. */
  async #confirmMagic(node: NodeSource): Promise<void> {
    if (this.#magicConfirmed) return;
    const { magic, network } = await node.info(this.#closing.signal);
    const first = await firstMagic(this.#folder);
    const found = networkOf(first);
    if (found !== undefined && !bytesEqual(found.magic, magic)) throw otherNetwork(this.#folder, first, network);
    this.#magic = magic;
    this.#magicConfirmed = true;
  }

  /** Scans what was written to the files since the last time. One scan at a time; other callers wait for it. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#scan().finally(() => {
      this.#refreshing = undefined;
      this.#refreshedAt = performance.now();
    });
    return this.#refreshing;
  }

  async #scan(): Promise<void> {
    const { signal } = this.#closing;
    if (this.#options.node) await this.#confirmMagic(this.#options.node);
    const files = await this.#folder.files();
    const initial = this.#states.size === 0;
    if (initial)
      this.#options.log?.('reading the headers of the block files', { path: this.#folder.path, files: files.length });
    for (const { number, size, modifiedMs } of files) {
      const state = this.#states.get(number);
      if (state?.size === size && state.modifiedMs === modifiedMs) continue;
      const from = state && state.end <= size ? state.end : 0;
      const end = await this.#scanOne(number, from, size).catch((error: unknown) => {
        // With a node, its blocks replace those of the file; without one, nothing would.
        if (this.#options.node === undefined || !(error instanceof InputError)) throw error;
        this.#warn('a block file cannot be read: reading its blocks from the node', error.facts);
        return from;
      });
      if (signal.aborted) return;
      this.#states.set(number, { size, modifiedMs, end });
    }
    if (this.#options.node === undefined) this.#chain.update();
    if (!initial) return;
    this.#options.log?.('read the headers of the block files', { blocks: this.#index.size });
    if (this.#index.size === 0 && files.some(({ size }) => size > 0)) {
      this.#warn('no block was found in the block files: check the network and xor.dat', {
        path: this.#folder.path,
        'xor.dat': this.#folder.key,
      });
    }
  }

  /** Searches blocks that begin within the place of another one. */
  async #searchWithin({ file, offset, length }: BlockPlace): Promise<void> {
    const size = this.#states.get(file)?.size ?? 0;
    await this.#scanOne(file, offset + HEADER_LENGTH, size, offset + length);
  }

  #scanOne(file: number, from: number, size: number, until = size): Promise<number> {
    return this.#folder.withFile(file, (read) =>
      scanFile({
        read,
        size,
        from,
        until,
        magic: this.#magic,
        signal: this.#closing.signal,
        found: (hash, header, offset, length) => {
          this.#index.add(hash, header, { file, offset, length });
        },
        skipped: (bytes) => {
          this.#counts.skippedBytes += bytes;
        },
      }),
    );
  }

  #warn(message: string, facts: ErrorFacts): void {
    if (!this.#warned.has(message)) this.#options.log?.(message, facts);
    this.#warned.add(message);
  }
}

/** The first bytes of the first file that has any. */
async function firstMagic(folder: BlkFolder): Promise<Uint8Array> {
  const file = (await folder.files()).find(({ size }) => size >= 4);
  return file ? folder.withFile(file.number, (read) => read(0, 4)) : new Uint8Array(0);
}

function networkOf(magic: Uint8Array): (typeof NETWORKS)[number] | undefined {
  return NETWORKS.find((facts) => bytesEqual(facts.magic, magic));
}

function otherNetwork(folder: BlkFolder, first: Uint8Array, network: string): InputError {
  return new InputError('BLOCK_FILES_NETWORK', 'the block files are not those of the network', {
    facts: { path: folder.path, begin: toHex(first), network, 'xor.dat': folder.key },
    hint: 'Check the path and the network; a file xor.dat beside the block files belongs to them.',
  });
}

/** The result of `work`; rejects with the signal's reason as soon as it is aborted, while the work goes on. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
