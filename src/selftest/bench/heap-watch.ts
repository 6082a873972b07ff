import { GCProfiler, getHeapStatistics } from 'node:v8';

export interface HeapFigures {
  /** Bytes allocated on V8's heap of this thread. */
  readonly bytes: number;
  /** Milliseconds of garbage collection in this thread. */
  readonly gcMs: number;
}

/** Watches what is allocated, and what collecting it takes, from its making on. */
export class HeapWatch {
  readonly #profiler = new GCProfiler();
  readonly #before: number;

  constructor() {
    this.#before = getHeapStatistics().used_heap_size;
    this.#profiler.start();
  }

  end(): HeapFigures {
    const after = getHeapStatistics().used_heap_size;
    const collections = this.#profiler.stop()?.statistics ?? [];
    let bytes = after - this.#before;
    let us = 0;
    for (const { cost, beforeGC, afterGC } of collections) {
      bytes += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
      us += cost;
    }
    return { bytes: Math.max(0, bytes), gcMs: us / 1000 };
  }
}
