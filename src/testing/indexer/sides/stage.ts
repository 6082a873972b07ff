/** Where scenarios play: steps that the lane and, if there is one, an indexer build go through together. */

import type { CpuRunner } from '../../../execute/tasks/drive.js';
import type { CallReceipt, LaneOutcome, MessageReceipt, MessageStatus } from '../../../lane/types.js';
import { idBytes } from '../../../protocol/alkane-id.js';
import type { AlkaneId } from '../../../protocol/types.js';
import type { StandardIndexer } from '../../../standard/standard-indexer.js';
import { fromHex, toBinaryString, toDisplayHash, toHex } from '../../../util/bytes.js';
import { LaneMap } from '../../contracts/lane-map.js';
import { IndexerState } from './indexer-state.js';
import { type Difference, differencesOf, laneContracts, laneSheet, rename, sheetDifferences } from './states.js';
import { shadowOf, type TwinChain, type TwinSpec, type Twins } from './twins.js';

/** A difference that the lane's rules make. */
export interface Ruled {
  /** Of docs/lane-rules.md. */
  readonly rule: string;
  readonly why: string;
  /** Only some versions of the indexer differ, or only some builds. */
  readonly perhaps?: true | undefined;
  /** It explains only a step with a message that ended like that in the lane. */
  readonly of?: MessageStatus;
  /** The same, for this reason. */
  readonly error?: string;
  /** It explains only that the indexer does not get through the block. */
  readonly stops?: true;
}

const PARCEL_SUM = 'sum over u128 of a parcel';

export interface Step extends TwinSpec {
  readonly name: string;
  /** How its messages end in the lane; all OK if not given. */
  readonly ends?: readonly ('OK' | 'failed' | 'any')[];
  /** Why it may end otherwise in the indexer. A scenario ends there, as nothing is comparable afterwards. */
  readonly differs?: Ruled | readonly Ruled[];
}

/** How a step ended in the lane. */
export interface StepEnd {
  readonly messages: readonly MessageReceipt[];
  /** Data that the last message returned. */
  readonly data: Uint8Array;
  /** Target of the last message: a created contract's id. */
  readonly target: string;
}

export interface StepReport {
  readonly scenario: string;
  readonly step: string;
  readonly messages: number;
  readonly ruled: Ruled | undefined;
  readonly differences: readonly Difference[];
  /** The step did not end in the lane as it should, or did not differ though a rule says so. */
  readonly failures: readonly string[];
  /** Statuses in the lane, and what the indexer says of those that failed there. */
  readonly ends: readonly string[];
}

/** What runs an Alkanes indexer build. */
export type BlockIndexer = Pick<StandardIndexer, 'runBlock'>;

/** The sides have parted: a scenario ends at its first difference. */
export class PartedError extends Error {}

export class Stage {
  readonly reports: StepReport[] = [];
  readonly #lane: LaneMap;
  readonly #state = new IndexerState();
  readonly #sameTxids = new Map<string, string>();
  #ignored: ReadonlySet<string> = new Set();
  #purses: Twins['purses'] | undefined;
  #parted = false;
  #lastCalls: readonly CallReceipt[] = [];
  #lastStatus: MessageStatus | undefined;
  /** Why the indexer did not get through the last block: it never gets further. */
  #stopped: string | undefined;

  private constructor(
    readonly scenario: string,
    readonly chain: TwinChain,
    runner: CpuRunner,
    readonly indexer: BlockIndexer | undefined,
  ) {
    this.#lane = new LaneMap(runner);
  }

  /** Runs the beginning of the chain on both sides. */
  static async open(
    scenario: string,
    chain: TwinChain,
    runner: CpuRunner,
    indexer: BlockIndexer | undefined,
  ): Promise<Stage> {
    const stage = new Stage(scenario, chain, runner, indexer);
    for (const { raw, height } of chain.blocks) {
      await stage.#runBlock(raw, height);
      if (stage.#stopped !== undefined) throw new RangeError(`the indexer stops at block ${height}: ${stage.#stopped}`);
    }
    stage.#ignored = new Set(stage.#state.contracts.codes.keys());
    return stage;
  }

  async #runBlock(raw: Uint8Array, height: number): Promise<LaneOutcome[]> {
    const outcomes = this.#lane.run(raw, height);
    if (this.indexer !== undefined) {
      const run = await this.indexer.runBlock(raw, height);
      this.#stopped = run.error?.message;
      this.#state.apply(run.pairs);
    }
    return outcomes;
  }

  /** Calls of the last step's last message in the lane. */
  lastCalls(): readonly CallReceipt[] {
    return this.#lastCalls;
  }

  /** How the last step's last message ended in the lane. */
  get lastStatus(): MessageStatus | undefined {
    return this.#lastStatus;
  }

  /** What the lane's purse has of an asset. */
  held(asset: AlkaneId): bigint {
    const { lane } = this.#purses ?? {};
    return (lane && laneSheet(this.#lane.state, lane.txid, 0).get(toBinaryString(idBytes(asset)))) ?? 0n;
  }

  /** Whether nothing that follows can be compared. */
  get parted(): boolean {
    return this.#parted;
  }

  /** Plays a step on both sides and compares what it left. */
  async play(step: Step): Promise<StepEnd> {
    if (this.#parted) throw new PartedError(`${this.scenario} goes on after the sides have parted`);
    const twins = this.chain.step(step);
    this.#purses = twins.purses;
    const { lane, indexer } = twins.purses;
    this.#sameTxids.set(toBinaryString(indexer.txid), toBinaryString(lane.txid));
    const reversed = (txid: Uint8Array): string => toBinaryString(Uint8Array.from(txid).reverse());
    this.#sameTxids.set(reversed(indexer.txid), reversed(lane.txid));
    const outcomes = await this.#runBlock(twins.block.raw, twins.block.height);
    const outcome = outcomes.find(({ txid }) => txid === toDisplayHash(lane.txid));
    const messages = outcome?.messages ?? [];
    const compared = this.indexer === undefined ? [] : this.#compare(messages, step);
    const ends = messages.map(({ status, error }) => (error === undefined ? status : `${status} (${error})`));
    const failures = [...unexpectedEnds(step, messages), ...(outcome?.undone === undefined ? [] : [outcome.undone])];
    this.#parted ||= compared.length > 0;
    const ruled = this.#rulingOf(step, messages);
    if (ruled !== undefined && this.indexer !== undefined && compared.length === 0 && !ruled.perhaps) {
      failures.push(`nothing differs, though rule ${ruled.rule} says so`);
    }
    const { scenario } = this;
    this.reports.push({
      ...{ scenario, step: step.name, messages: step.messages.length, ruled, differences: compared },
      ...{ failures, ends },
    });
    const last = messages.at(-1);
    this.#lastCalls = last?.calls ?? [];
    this.#lastStatus = last?.status;
    return { messages, data: fromHex(last?.data ?? ''), target: last?.target ?? '' };
  }

  /** The first rule that may explain how the step differs. */
  #rulingOf({ differs = [] }: Step, messages: readonly MessageReceipt[]): Ruled | undefined {
    return [differs].flat().find(({ of, error, stops }) => {
      if (stops && this.#stopped === undefined) return false;
      if (of === undefined && error === undefined) return true;
      return messages.some((message) => {
        return (of === undefined || message.status === of) && (error === undefined || message.error === error);
      });
    });
  }

  #compare(messages: readonly MessageReceipt[], step: Step): Difference[] {
    const { lane, indexer } = this.#purses as Twins['purses'];
    if (this.#stopped !== undefined) {
      this.#parted = true;
      return [{ what: 'status', where: 'block', lane: 'went through', indexer: `stops: ${this.#stopped}` }];
    }
    const found: Difference[] = [];
    step.messages.forEach((_, at) => {
      const message = messages[at];
      const end = this.#state.end(indexer.txid, shadowOf(at));
      const where = `message ${at}`;
      // The indexer writes its trace before it adds the parcel up, and refunds like the lane (2.7).
      if (message?.error === PARCEL_SUM) return;
      if ((message?.status === 'OK') !== end.ok) {
        const status = message === undefined ? 'none' : `${message.status} (${message.error ?? ''})`;
        found.push({ what: 'status', where, lane: status, indexer: end.ok ? 'OK' : `failed (${end.error})` });
        return;
      }
      if (!end.ok) return;
      const data = toHex(binary(rename(toBinaryString(end.data), this.#sameTxids))).slice(0, message.data.length);
      if (message.dataBytes !== end.data.length || message.data !== data) {
        found.push({ what: 'data', where, lane: message.data, indexer: toHex(end.data) });
      }
    });
    found.push(
      ...differencesOf(laneContracts(this.#lane.state), this.#state.contracts, this.#ignored, this.#sameTxids),
      ...sheetDifferences(laneSheet(this.#lane.state, lane.txid, 0), this.#state.sheet(indexer.txid, 0)),
    );
    return found;
  }
}

function binary(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function unexpectedEnds(step: Step, messages: readonly MessageReceipt[]): string[] {
  return step.messages.flatMap((_, at) => {
    const wanted = step.ends?.[at] ?? 'OK';
    const message = messages[at];
    if (message === undefined) return [`message ${at} did not run`];
    if (wanted === 'any' || (wanted === 'OK') === (message.status === 'OK')) return [];
    return [`message ${at} should end ${wanted}, and ended ${message.status} (${message.error ?? ''})`];
  });
}
