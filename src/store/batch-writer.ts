import type { Database, DatabaseBatch } from './database.js';
import { LogRelease } from './log-release.js';

/** What may wait for the next synced write, in bytes and milliseconds. */
const UNSYNCED_BYTES = 64 << 20;
const UNSYNCED_MS = 1_000;

/** Writes batches, not each of them through to the disk. */
export class BatchWriter {
  /** What was written since the last synced write. */
  #unsynced: { readonly since: number; readonly bytes: number } | undefined;
  readonly #log: LogRelease;
  readonly #onFailure: (error: unknown) => void;

  /** `onFailure` hears what a write threw, before the caller does. */
  constructor(database: Database, onFailure: (error: unknown) => void) {
    this.#log = new LogRelease(database);
    this.#onFailure = onFailure;
  }

  /** Whether something may not be on the disk yet. */
  get isBehind(): boolean {
    return this.#unsynced !== undefined;
  }

  /**
   * `sync`: false leaves it to a later write to bring this one to the disk, unless much waits for that, or for long.
   * Throws StoreError STORE_WRITE_FAILED.
   */
  write(batch: DatabaseBatch, sync = true): void {
    const { bytes } = batch;
    const since = this.#unsynced?.since ?? performance.now();
    const waiting = (this.#unsynced?.bytes ?? 0) + bytes;
    const now = sync || waiting > UNSYNCED_BYTES || performance.now() - since > UNSYNCED_MS;
    try {
      batch.write(now);
      this.#unsynced = now ? undefined : { since, bytes: waiting };
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
    this.#log.wrote(bytes, (more) => this.write(more, false));
  }

  /** Another thread has written so many bytes, which wait for the next synced write. */
  wrote(bytes: number): void {
    if (bytes === 0) return;
    const { since = performance.now(), bytes: before = 0 } = this.#unsynced ?? {};
    this.#unsynced = { since, bytes: before + bytes };
    this.#log.wrote(bytes, (more) => this.write(more, false));
  }
}
