import { WarpshrewError } from '../../errors/errors.js';
import { Follower } from '../../follow/follower.js';
import type { FollowerStatus } from '../../follow/status.js';
import type { Disk } from './disk.js';
import { type FakeNode, isPassingInSim } from './fake-node.js';
import { Killed, MemoryDatabase, type WriteFate } from './memory-database.js';
import type { Plan } from './plan.js';
import type { SimRandom } from './random.js';
import { openStore, SimIndexer } from './sim-indexer.js';
import type { VirtualTime } from './time.js';
import type { World } from './world.js';

/** Events after which a seed counts as stuck. */
const MOST_EVENTS = 50_000;
/** Virtual milliseconds: how long the follower may take once all is calm, and how long it must then stay unchanged. */
const CALM_MS = 3_600_000;
const SETTLED_MS = 9_000;

/** One process: a follower with the store open, from its start until it ends, is killed, or has nothing left to do. */
export class Life {
  readonly #database: MemoryDatabase;
  #follower: Follower | undefined;
  #ended = false;
  #failure: unknown;
  /** Highest block indexed. */
  highest = -1;
  /** Time of the last activity. */
  #lastChange = 0;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #random: SimRandom;
  readonly #time: VirtualTime;
  readonly #node: FakeNode;

  constructor(world: World, plan: Plan, random: SimRandom, time: VirtualTime, node: FakeNode, disk: Disk) {
    this.#world = world;
    this.#plan = plan;
    this.#random = random;
    this.#time = time;
    this.#node = node;

    this.#database = new MemoryDatabase(disk, () => this.#fate());
  }

  get status(): FollowerStatus {
    return (
      this.#follower?.status ?? {
        state: 'failed',
        height: undefined,
        nodeHeight: undefined,
        reorgs: 0,
        deepestReorg: 0,
        blocksIndexed: 0,
        blocksUndone: 0,
        retries: 0,
        badBlocks: 0,
        lastError: undefined,
      }
    );
  }

  /** How it ended: the state of the follower, the code of its error, or `killed`. */
  async run(): Promise<string> {
    this.#start();
    const killAt = this.#moment();
    const stopAt = this.#moment();
    let stopping = false;
    let events = 0;
    while (!this.#ended && !this.#settled()) {
      if (!this.#node.calm && this.#time.now >= killAt) {
        this.#database.kill();
        return 'killed';
      }
      if (!this.#node.calm && this.#time.now >= stopAt && !stopping) {
        stopping = true;
        void this.#follower?.stop();
      }
      if (++events > MOST_EVENTS || this.#time.now > this.#plan.calmAt + CALM_MS) {
        throw new Error(`it does not come to an end: ${JSON.stringify(this.status)}`);
      }
      if (!(await this.#time.step())) throw new Error('nothing happens any more');
    }
    // Everything still waiting belongs to a dead process.
    this.#database.kill();
    if (this.#failure instanceof Killed) return 'killed';
    if (this.#failure === undefined) return this.status.state;
    if (this.#failure instanceof WarpshrewError) return this.#failure.code;
    throw this.#failure;
  }

  #start(): void {
    const world = this.#world;
    const plan = this.#plan;
    const random = this.#random;
    const time = this.#time;
    const node = this.#node;
    try {
      const store = openStore(this.#database, plan.keep, plan.partKeys);
      this.#follower = new Follower({
        source: node,
        indexer: new SimIndexer(store, () => !node.calm && random.chance(3), {
          together: plan.together,
          finalBehind: plan.finals ? plan.keep : undefined,
        }),
        network: 'regtest',
        patience: (error) => (isPassingInSim(error) ? Number.POSITIVE_INFINITY : 0),
        clock: {
          now: () => time.now,
          sleep: (ms, signal) => time.sleep(ms, signal),
          random: () => random.below(1_000) / 1_000,
        },
        startBlock: world.start,
        exitAt: plan.exitAt,
        onIndexed: ({ height }) => {
          this.highest = Math.max(this.highest, height);
          this.#lastChange = time.now;
        },
        onState: () => {
          this.#lastChange = time.now;
        },
      });
    } catch (error) {
      // Opening reads what a crash left, and can be killed, too.
      this.#end(error);
      return;
    }
    this.#follower.run().then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error ?? new Error('nothing was thrown')),
    );
  }

  #end(failure: unknown): void {
    this.#ended = true;
    this.#failure = failure;
  }

  #moment(): number {
    return this.#random.chance(250) ? this.#time.now + this.#random.between(1, 60_000) : Number.POSITIVE_INFINITY;
  }

  #fate(): WriteFate {
    if (this.#node.calm) return 'written';
    const draw = this.#random.below(1_000);
    return draw < 8 ? 'refused' : draw < 20 ? 'killed-before' : draw < 32 ? 'killed-after' : 'written';
  }

  /** Whether all is calm and the follower has been waiting for new blocks for a while. */
  #settled(): boolean {
    const { state } = this.status;
    if (!this.#node.calm || (state !== 'at-tip' && state !== 'node-behind')) return false;
    return this.#time.now > Math.max(this.#plan.calmAt, this.#lastChange) + SETTLED_MS;
  }
}
