/** The chain as the server's events tell it: its newest blocks, and how fast they come. */
import { useEffect, useState } from 'preact/hooks';
import { rpc } from './rpc.js';

export interface ChainBlock {
  readonly height: number;
  readonly hash: string;
  readonly previous: string;
  readonly stateRoot: string | null;
  /** Lane transactions. */
  readonly receipts: number;
}

export interface ChainView {
  /** The newest first. */
  readonly blocks: readonly ChainBlock[];
  readonly tip: number | undefined;
  /** Whether events arrive. */
  readonly isLive: boolean;
  /** The last time that blocks were undone: all above `height`, and how many were shown of them. */
  readonly undone: { readonly height: number; readonly blocks: number } | undefined;
  /** Changes whenever blocks were undone, or may have been while no events came. */
  readonly undoings: number;
  /** Blocks that came in each of the last seconds, the newest last. */
  readonly speed: readonly number[];
}

/** Blocks that are shown, and seconds of speed. */
const SHOWN = 30;
const SECONDS = 120;
/** Pages are drawn again at most so often, however fast blocks come. */
const DRAW_MS = 200;
const RETRY_MS = 2_000;

class Chain {
  #view: ChainView = {
    blocks: [],
    tip: undefined,
    isLive: false,
    undone: undefined,
    undoings: 0,
    speed: new Array<number>(SECONDS).fill(0),
  };
  #events: EventSource | undefined;
  /** Blocks up to this height were there before: they say nothing of the speed. */
  #old = 0;
  #speed: number[] = new Array<number>(SECONDS).fill(0);
  #drawing: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<(view: ChainView) => void>();

  constructor() {
    void this.#open();
    document.addEventListener('visibilitychange', () => {
      // A browser has few connections for one server: pages that nobody sees hold none.
      if (document.hidden) this.#close();
      else void this.#open();
    });
    setInterval(() => {
      if (document.hidden) return;
      this.#speed = [...this.#speed.slice(1), 0];
      this.#draw({});
    }, 1_000);
  }

  get view(): ChainView {
    return this.#view;
  }

  /** Calls `listener` when something changed; gives what ends that. */
  listen(listener: (view: ChainView) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #open(): Promise<void> {
    if (this.#events !== undefined) return;
    let from: number;
    try {
      this.#old = Number(await rpc.call('metashrew_height'));
      from = await lowestIndexed(this.#old);
    } catch {
      setTimeout(() => void this.#open(), RETRY_MS);
      return;
    }
    if (this.#events !== undefined || document.hidden) return;
    const events = new EventSource(`/events?from=${from}`);
    this.#events = events;
    this.#draw({ blocks: [] });
    // What is shown was asked for before: the blocks of it may be undone, and no event tells of that any more.
    events.onopen = () => this.#draw({ isLive: true, undoings: this.#view.undoings + 1 });
    events.onerror = () => this.#draw({ isLive: false });
    events.addEventListener('block', (event) => this.#block(JSON.parse(event.data) as ChainBlock));
    events.addEventListener('undone', (event) => this.#undo((JSON.parse(event.data) as { height: number }).height));
  }

  #close(): void {
    this.#events?.close();
    this.#events = undefined;
    this.#draw({ isLive: false });
  }

  #block(block: ChainBlock): void {
    if (block.height > this.#old) this.#speed[SECONDS - 1]++;
    const below = this.#view.blocks.filter(({ height }) => height < block.height);
    this.#draw({ blocks: [block, ...below].slice(0, SHOWN), tip: block.height });
  }

  #undo(height: number): void {
    this.#old = Math.min(this.#old, height);
    const { blocks: before, undoings } = this.#view;
    const blocks = before.filter((block) => block.height <= height);
    const undone = { height, blocks: before.length - blocks.length };
    this.#draw({ blocks, tip: blocks[0]?.height ?? height, undone, undoings: undoings + 1 });
  }

  #draw(change: Partial<ChainView>): void {
    this.#view = { ...this.#view, ...change, speed: this.#speed };
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      for (const listener of this.#listeners) listener(this.#view);
    }, DRAW_MS);
  }
}

/** The lowest of the newest heights that has a block: a database may begin anywhere. */
async function lowestIndexed(tip: number): Promise<number> {
  const heights = Array.from({ length: Math.min(SHOWN, tip + 1) }, (_, i) => tip - i);
  const hashes = await rpc.batch(
    heights.map((height) => ({ method: 'metashrew_getblockhash' as const, params: [height] as [number] })),
  );
  const missing = hashes.findIndex((hash) => typeof hash !== 'string');
  if (missing < 0) return heights[heights.length - 1];
  // Nothing at all is indexed yet: what comes first is told.
  return missing === 0 ? tip : heights[missing] + 1;
}

let chain: Chain | undefined;

/** The chain as it is now; whoever uses it is drawn again when it changes. */
export function useChain(): ChainView {
  chain ??= new Chain();
  const [view, setView] = useState(chain.view);
  useEffect(() => chain?.listen(setView), []);
  return view;
}
