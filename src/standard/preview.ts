import { freeMemoryOf } from '../util/free-memory.js';
import type { StandardReads } from './guest.js';
import type { StandardModule, ViewRun } from './module.js';

/** A view on the state after a block that is never stored. */
export interface PreviewRequest {
  readonly raw: Uint8Array;
  readonly name: string;
  readonly input: Uint8Array;
  /** Of the block, and the argument of the view. */
  readonly height: number;
}

/**
 * Runs the block, then the view over what the block flushed and, beneath it, `reads`. Nothing is written: the overlay
 * is gone with this call. Throws what {@link StandardModule.runPreviewBlock} and {@link StandardModule.runView} throw.
 */
export function runPreview(
  module: StandardModule,
  { raw, name, input, height }: PreviewRequest,
  reads: Pick<StandardReads, 'read'> & Partial<StandardReads>,
): ViewRun {
  module.checkView(name);
  const { pairs, memoryBytes } = module.runPreviewBlock(raw, height, reads.read, reads.readMany);
  freeMemoryOf(memoryBytes);
  const view = module.runView(name, input, height, (key) => pairs.find(key) ?? reads.read(key));
  return { output: view.output, memoryBytes: Math.max(memoryBytes, view.memoryBytes) };
}
