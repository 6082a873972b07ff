/**
 * One seed: a follower that is restarted several times on one disk, with a node that misbehaves, and the conditions
 * that must hold.
 */
import { checkDisk, checkEnd, checkFailure, tipOf } from './checks.js';
import { Disk } from './disk.js';
import { FakeNode } from './fake-node.js';
import { Life } from './life.js';
import { makePlan, type Plan } from './plan.js';
import { SimRandom } from './random.js';
import { VirtualTime } from './time.js';
import type { World, WorldBlock } from './world.js';

/** Counts of a seed, to see that the simulator does what it is there for. */
export interface SeedResult {
  readonly lives: number;
  readonly indexed: number;
  readonly undone: number;
  readonly reorgs: number;
  readonly deepest: number;
  readonly retries: number;
  readonly badBlocks: number;
  /** How it ended: a state of the follower, or the code of its error. */
  readonly end: string;
}

/** What was not as it must be; the message names the seed. */
class SimFailure extends Error {}

/** Runs one seed. Throws {@link SimFailure}. */
export async function runSeed(world: World, seed: number): Promise<SeedResult> {
  const random = new SimRandom(`seed ${seed}`);
  const plan = await makePlan(world, random);
  const scenario = new Scenario(world, plan, random);
  try {
    return await scenario.run();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new SimFailure(`seed ${seed}: ${text}\n  replay it with: npm run sim -- --seed ${seed}`, { cause: error });
  }
}

class Scenario {
  readonly #time = new VirtualTime();
  readonly #node: FakeNode;
  readonly #disk = new Disk();
  readonly #sums = { lives: 0, indexed: 0, undone: 0, reorgs: 0, deepest: 0, retries: 0, badBlocks: 0 };

  /** Highest block ever indexed: the undo data kept depends on it. */
  #highest = -1;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #random: SimRandom;

  constructor(world: World, plan: Plan, random: SimRandom) {
    this.#world = world;
    this.#plan = plan;
    this.#random = random;

    this.#node = new FakeNode(plan.tips, this.#time, random, plan.first);
    this.#node.poison = plan.poison?.block;
    for (const event of plan.events) {
      this.#time.after(event.at, () => {
        if (event.kind === 'chain') this.#node.become(event.best);
        else this.#node.down = event.kind === 'down';
      });
    }
    this.#time.after(plan.calmAt, () => {
      this.#node.calm = true;
      this.#node.down = false;
      if (plan.poison?.healed) this.#node.poison = undefined;
    });
  }

  async run(): Promise<SeedResult> {
    for (;;) {
      this.#sums.lives++;
      const calm = this.#node.calm;
      const before = this.#tip();
      const life = new Life(this.#world, this.#plan, this.#random, this.#time, this.#node, this.#disk);
      const end = await life.run();
      // A process that was killed after a write did not tell of that block.
      this.#highest = Math.max(this.#highest, life.highest, this.#tip()?.height ?? -1);
      const { tip, lowest } = checkDisk(this.#world, this.#disk, this.#plan, this.#highest, this.#node.announced);
      this.#count(life, before, tip, end);
      checkFailure(end, tip, this.#world, this.#plan, this.#node, lowest);
      if (end === 'killed') {
        if (this.#plan.losing && this.#random.chance(500)) this.#disk.lose(this.#random.between(1, 3));
        continue;
      }
      // What ends a life that began when all was calm is the end of the story.
      if (!calm) continue;
      checkEnd(end, tip, this.#world, this.#plan, lowest);
      return { ...this.#sums, end };
    }
  }

  #tip(): WorldBlock | undefined {
    return tipOf(this.#world, this.#disk);
  }

  #count(life: Life, before: WorldBlock | undefined, after: WorldBlock | undefined, end: string): void {
    const { blocksIndexed, blocksUndone, reorgs, deepestReorg, retries, badBlocks } = life.status;
    const below = this.#world.start - 1;
    const change = (after?.height ?? below) - (before?.height ?? below);
    // A process that is killed does not live to count its last block.
    if (end !== 'killed' && change !== blocksIndexed - blocksUndone) {
      throw new Error(
        `it counts ${blocksIndexed} blocks indexed and ${blocksUndone} undone, the tip moved by ${change}`,
      );
    }
    const sums = this.#sums;
    sums.indexed += blocksIndexed;
    sums.undone += blocksUndone;
    sums.reorgs += reorgs;
    sums.deepest = Math.max(sums.deepest, deepestReorg);
    sums.retries += retries;
    sums.badBlocks += badBlocks;
  }
}
