import { MemoryChain, type MinedBlock } from '../contract-chain/memory-chain.js';

/** What happened to a chain: a block was put on it, or all above a height were taken off. */
export type ChainStep =
  | { readonly kind: 'mine'; readonly block: MinedBlock }
  | { readonly kind: 'rollback'; readonly height: number };

/** A chain in memory that writes down what happens to it, so that others can be taken the same way. */
export class RecordingChain extends MemoryChain {
  readonly steps: ChainStep[] = [];

  override mine(reward?: Uint8Array): MinedBlock {
    const block = super.mine(reward);
    this.steps.push({ kind: 'mine', block });
    return block;
  }

  override rollback(height: number): readonly MinedBlock[] {
    const undone = super.rollback(height);
    this.steps.push({ kind: 'rollback', height });
    return undone;
  }
}
