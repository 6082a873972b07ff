import { onTestFinished } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import { LaneEngine, type LaneEngineOptions, type StateSource } from '../../src/execute/engine.js';
import type { LaneBlockResult, LaneKey } from '../../src/lane/types.js';
import { call, makeTx, type World } from '../lane/world.js';

/** An engine that runs every block in batches, if `options` do not say otherwise; closed after the test. */
export function makeEngine(options: Partial<LaneEngineOptions> = {}): LaneEngine {
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({ policy: 'cpu', workers: 0, modes: ALWAYS_PARALLEL, ...rules, ...options });
  onTestFinished(() => engine.close());
  return engine;
}

/** The state of `world` as it is now, for this thread and for workers. */
export function sourceOf(world: World): StateSource {
  return { reader: { get: (key: LaneKey) => world.state.get(key) }, snapshot: new Map(world.state) };
}

export const sortedWrites = ({ writes }: LaneBlockResult) => [...writes].sort(([a], [b]) => (a < b ? -1 : 1));

/** A transaction of which each of `calls` is a message. */
export const message = (...calls: Uint8Array[]): Transaction =>
  makeTx({ protostones: calls.map((each) => ({ pointer: 0, refund: 0, message: each })) });

/**
 * Two transactions of the probe `id`: the second one spends an output of the first, so no plan knows of it, and turns
 * the pointer that `follow` (opcode 6) reads to counter `to`.
 */
export function turnPointer(id: string, to: number): { parent: Transaction; turns: Transaction } {
  const parent = message(call(id, 15));
  const turns = makeTx({
    spend: [{ txid: parent.txid, vout: 0 }],
    protostones: [{ pointer: 0, refund: 0, message: call(id, 5, 0, to) }],
  });
  return { parent, turns };
}
