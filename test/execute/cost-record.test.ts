import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Balance, MOST_CLASSES, MOST_REMEMBERED } from '../../src/execute/choose/balance.js';
import { BlockModes, MOST_KINDS } from '../../src/execute/choose/block-modes.js';
import type { BlockView } from '../../src/execute/choose/block-view.js';
import { CostKeeper, type CostPlace } from '../../src/execute/choose/cost-keeper.js';
import { CostModel, MOST_KERNEL_PROGRAMS } from '../../src/execute/choose/cost-model.js';
import { encodeCosts, type Learner, MOST_RECORD_BYTES } from '../../src/execute/choose/cost-record.js';
import { KindSight } from '../../src/execute/choose/sequential-watch.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { COST_FILE, CostFile } from '../../src/pipeline/cost-file.js';
import { crc32 } from '../../src/util/crc32.js';
import { cli } from '../helpers/cli.js';

const DEVICE = 'a machine; 15 threads';
const MACHINE = { threads: 15, predictReads: true };
const hashOf = (n: number): string => n.toString(16).padStart(64, '0');
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-costs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const blockOf = (name: string): BlockView => ({ count: 1_000, parts: new Map([[name, 1_000]]) });

/** A chooser that has seen blocks of heavy calls of program `hash`. */
function learned(...hashes: string[]): BlockModes {
  const modes = new BlockModes(MACHINE);
  for (const hash of hashes) {
    for (let n = 0; n < 2; n++) {
      const sight = Object.assign(new KindSight(), { rows: 1_000, timed: 1_000, timedMs: 150 });
      modes.took(blockOf(hash), 'sequential', 150, new Map([[hash, sight]]));
    }
  }
  return modes;
}

function learnedKernel(...hashes: string[]): CostModel {
  const kernel = new CostModel();
  for (const hash of hashes) {
    kernel.ranAlone(hash, 1_000, 100);
    kernel.sawBlock(hash, 1_000, 1_000, 1);
  }
  return kernel;
}

/** What `balance` knows after blocks of each size with calls of every program, three quarters of them on threads. */
function learnedDivisions(hashes: readonly string[], sizes: readonly number[] = [1_000]): Balance {
  const balance = new Balance();
  for (const hash of hashes) {
    for (const calls of sizes) {
      for (let block = 0; block < 4; block++) {
        balance.share(hash, calls);
        const [pool, kernel] = [3, 1].map((part) => ({ calls: (calls * part) / 4, ms: 7 }));
        balance.learn(hash, calls, { pool, kernel, finish: { calls: 0, ms: 0 } });
      }
    }
  }
  return balance;
}

/** The record with other figures in it, and the right sum. */
function changed(record: Uint8Array, change: object): Uint8Array {
  const [, json] = new TextDecoder().decode(record).split('\n');
  const body = new TextEncoder().encode(JSON.stringify({ ...JSON.parse(json), ...change }));
  const head = new TextEncoder().encode(`warpshrew costs 1 ${crc32(body).toString(16)}\n`);
  return Uint8Array.of(...head, ...body);
}

/** A place in memory. */
class Place implements CostPlace {
  constructor(public record?: Uint8Array) {}
  read(): Uint8Array | undefined {
    return this.record;
  }
  write(record: Uint8Array): void {
    this.record = record;
  }
}

/** What a new engine makes of a record. */
function open(record: Uint8Array | undefined): {
  modes: BlockModes;
  keeper: CostKeeper;
  kernel: CostModel;
  balance: Balance;
  said: string[];
} {
  const [modes, kernel, balance] = [new BlockModes(MACHINE), new CostModel(), new Balance()];
  const said: string[] = [];
  const keeper = new CostKeeper(new Place(record), DEVICE, { modes, kernel, balance }, (why) => said.push(why));
  return { modes, keeper, kernel, balance, said };
}

describe('what auto has learned', () => {
  const record = encodeCosts(DEVICE, { modes: learned(hashOf(1)), kernel: learnedKernel(hashOf(1)) });

  it('survives a restart: the first block goes the way that the last one went, and the kernel is known to pay', () => {
    const { modes, kernel, keeper, said } = open(record);
    expect(new BlockModes(MACHINE).choose(blockOf(hashOf(1)))).toBe('sequential');
    expect(modes.choose(blockOf(hashOf(1)))).toBe('workers');
    expect(kernel.worthRecording(1_000, 15)).toEqual([hashOf(1)]);
    expect([keeper.losses, keeper.lastLoss, said]).toEqual([0, undefined, []]);
    expect(open(undefined).keeper.losses).toBe(0);
    expect(encodeCosts(DEVICE, { modes, kernel })).toEqual(record);
  });

  it('is dropped where a byte of it has changed or is missing: counted, said once, and nothing else happens', () => {
    for (let at = 0; at < record.length; at += 7) {
      const changed = record.slice();
      changed[at] ^= 1 << (at % 8);
      for (const damaged of [changed, record.slice(0, at)]) {
        const { modes, keeper, said } = open(damaged);
        expect([keeper.losses, said.length], String(at)).toEqual([1, 1]);
        expect(modes.choose(blockOf(hashOf(1)))).toBe('sequential');
      }
    }
  });

  it('is dropped where it is of another device or version, or too large', () => {
    expect(open(encodeCosts('another', { modes: learned(), kernel: new CostModel() })).said).toEqual([
      'the record of costs was dropped: it is of another device',
    ]);
    const text = new TextDecoder().decode(record).replace('costs 1', 'costs 2');
    expect(open(new TextEncoder().encode(text)).keeper.lastLoss).toContain('it is of another version');
    expect(open(new Uint8Array(MOST_RECORD_BYTES + 1)).keeper.lastLoss).toContain('it is too large');
  });

  it('is dropped where it says what no chooser would: every figure is checked, whatever its sum', () => {
    const [, json] = new TextDecoder().decode(record).split('\n');
    const kind = JSON.parse(json).kinds[0];
    const kernel = JSON.parse(json).kernel[0];
    const wrong: object[] = [
      { device: 5 },
      { device: 'x'.repeat(600) },
      { launch: -1 },
      { launch: null },
      { kinds: {} },
      { kinds: [null] },
      { kinds: [{ ...kind, name: 'x' }] },
      { kinds: [{ ...kind, ms: '1' }] },
      { kinds: [{ ...kind, figures: undefined }] },
      { kinds: [{ ...kind, figures: { ...kind.figures, stale: 2 } }] },
      { kinds: [{ ...kind, figures: { ...kind.figures, sequential: 1e300 } }] },
      { kinds: [{ ...kind, figures: { ...kind.figures, workers: [1] } }] },
      { kinds: new Array(MOST_KINDS + 1).fill(kind) },
      { kernel: [{ ...kernel, figures: { ...kernel.figures, alone: 'x' } }] },
      { kernel: [{ ...kernel, name: `${hashOf(1)}+` }] },
    ];
    for (const change of wrong) {
      const { keeper } = open(changed(record, change));
      expect(keeper.lastLoss, JSON.stringify(change).slice(0, 100)).toBe(
        'the record of costs was dropped: it is damaged',
      );
    }
  });

  it('is bounded in programs and bytes, and those that took most of the time stay', () => {
    const many = Array.from({ length: 600 }, (_, n) => hashOf(n + 2));
    const busy = new Array<string>(40).fill(hashOf(1));
    const [modes, kernel] = [learned(...busy, ...many), learnedKernel(...many)];
    const bytes = encodeCosts(DEVICE, { modes, kernel });
    expect(bytes.length).toBeLessThan(MOST_RECORD_BYTES);
    expect(modes.figures()).toHaveLength(MOST_KINDS);
    expect(kernel.figures()).toHaveLength(MOST_KERNEL_PROGRAMS);
    expect(modes.figures().map(({ name }) => name)).toContain(hashOf(1));
    expect(open(bytes).keeper.losses).toBe(0);
  });

  it('is written now and then and at the end, and a place that fails is counted, and said once', () => {
    const place = new Place();
    const keeper = new CostKeeper(place, DEVICE, { modes: learned(hashOf(1)), kernel: new CostModel() });
    keeper.save();
    expect(place.record).toBeUndefined();
    for (let n = 0; n < 256; n++) keeper.ranBlock();
    expect(place.record).toBeDefined();
    place.record = undefined;
    keeper.ranBlock();
    keeper.save();
    expect(place.record).toBeDefined();

    const said: string[] = [];
    const fail = (): never => {
      throw new Error('no space left');
    };
    const failing = new CostKeeper(
      { read: fail, write: fail },
      DEVICE,
      { modes: learned(), kernel: new CostModel() },
      (why) => said.push(why),
    );
    for (let n = 0; n < 2; n++) {
      failing.ranBlock();
      failing.save();
    }
    expect(failing.losses).toBe(3);
    expect(said).toEqual([
      'the record of costs cannot be read: no space left',
      'the record of costs cannot be written: no space left',
    ]);
  });
});

describe('what balance has learned', () => {
  const own = learnedDivisions([hashOf(1)]);
  const record = encodeCosts(DEVICE, { kernel: new CostModel(), balance: own });

  it('survives a restart: the first block is divided as the last one was', () => {
    const { balance, keeper } = open(record);
    expect(new Balance().share(hashOf(1), 1_000)).toBe(0.5);
    expect(balance.share(hashOf(1), 1_000)).toBeCloseTo(0.75, 3);
    expect(keeper.losses).toBe(0);
    expect(encodeCosts(DEVICE, { kernel: new CostModel(), balance })).toEqual(record);
    // What was remembered counts as known: one block that is off does not change it by more than a little.
    balance.learn(hashOf(1), 1_000, {
      pool: { calls: 750, ms: 14 },
      kernel: { calls: 250, ms: 7 },
      finish: { calls: 0, ms: 0 },
    });
    expect(balance.share(hashOf(1), 1_000)).toBeGreaterThan(0.7);
  });

  it('is not lost to a policy that does not learn it, nor is what that one learns', () => {
    const kernel = new CostModel();
    const place = new Place(record);
    const keepBy = (learner: Learner): void => {
      const keeper = new CostKeeper(place, DEVICE, learner);
      keeper.ranBlock();
      keeper.save();
      expect(keeper.losses).toBe(0);
    };
    keepBy({ modes: learned(hashOf(1)), kernel });
    keepBy({ kernel, balance: new Balance() });
    const { modes, balance } = open(place.record);
    expect(modes.choose(blockOf(hashOf(1)))).toBe('workers');
    expect(balance.share(hashOf(1), 1_000)).toBeCloseTo(0.75, 3);
  });

  it('need not be there: versions before wrote none', () => {
    const { keeper, modes } = open(
      changed(encodeCosts(DEVICE, { modes: learned(hashOf(1)), kernel: new CostModel() }), { divisions: undefined }),
    );
    expect(keeper.losses).toBe(0);
    expect(modes.choose(blockOf(hashOf(1)))).toBe('workers');
  });

  it('is dropped where a figure is none that could have been measured', () => {
    const [division] = own.remembered();
    const [known] = division.figures.filter((figures) => figures !== null);
    const wrong: unknown[] = [
      {},
      [null],
      [{ ...division, name: 'x' }],
      [{ ...division, figures: known }],
      [{ ...division, figures: [{ ...known, share: 1.5 }] }],
      [{ ...division, figures: [{ ...known, share: null }] }],
      [{ ...division, figures: [{ ...known, pool: -1 }] }],
      [{ ...division, figures: [{ ...known, kernel: undefined }] }],
      [{ ...division, figures: new Array(MOST_CLASSES + 1).fill(known) }],
      new Array(MOST_REMEMBERED + 1).fill(division),
    ];
    for (const divisions of wrong) {
      const { keeper, balance } = open(changed(record, { divisions }));
      expect(keeper.lastLoss, JSON.stringify(divisions).slice(0, 100)).toContain('it is damaged');
      expect(balance.share(hashOf(1), 1_000)).toBe(0.5);
    }
    expect(open(changed(record, { divisions: own.remembered() })).keeper.losses).toBe(0);
  });

  it('is bounded in programs and bytes, beside all that auto may know', () => {
    const many = Array.from({ length: 300 }, (_, n) => hashOf(n));
    const sizes = Array.from({ length: MOST_CLASSES + 2 }, (_, n) => 4 ** n);
    const balance = learnedDivisions(many, sizes);
    expect(balance.remembered()).toHaveLength(MOST_REMEMBERED);
    const bytes = encodeCosts(DEVICE, { modes: learned(...many), kernel: learnedKernel(...many), balance });
    expect(bytes.length).toBeLessThan(MOST_RECORD_BYTES);
    expect(open(bytes).keeper.losses).toBe(0);
  });
});

describe('the record in the folder of a database', () => {
  it('is one file, read no further than a record goes', () => {
    const file = new CostFile(folder);
    expect(file.read()).toBeUndefined();
    file.write(Uint8Array.of(1, 2, 3));
    expect(file.read()).toEqual(Uint8Array.of(1, 2, 3));
    writeFileSync(join(folder, COST_FILE), new Uint8Array(MOST_RECORD_BYTES + 5));
    expect(file.read()).toHaveLength(MOST_RECORD_BYTES + 1);
    expect(() => new CostFile(join(folder, 'missing')).write(Uint8Array.of(1))).toThrow();
  });

  it('an engine that cannot use it goes on, and its health says so', async () => {
    const said: string[] = [];
    const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
    const costPlace = new Place(Uint8Array.of(1));
    const engine = new LaneEngine({ policy: 'auto', ...rules, costPlace, onCostsLost: (why) => said.push(why) });
    const why = 'the record of costs was dropped: it is damaged';
    expect(engine.health).toMatchObject({ costLosses: 1, lastCostLoss: why });
    expect(said).toEqual([why]);
    await engine.close();
  });

  it('replay keeps it under balance', async () => {
    const db = join(folder, 'balanced');
    const { status } = await cli('replay', 'fixtures/regtest', '--db', db, '--policy', 'balance', '--to', '3');
    expect(status).toBe(0);
    expect(readFileSync(join(db, COST_FILE), 'latin1')).toMatch(/^warpshrew costs 1 /);
  });

  it('replay keeps it under auto, says so when it is damaged, and indexes all the same', async () => {
    const db = join(folder, 'db');
    const replay = (to: string) => cli('replay', 'fixtures/regtest', '--db', db, '--policy', 'auto', '--to', to);
    expect((await replay('3')).stderr).not.toContain('costs');
    const path = join(db, COST_FILE);
    expect(readFileSync(path, 'latin1')).toMatch(/^warpshrew costs 1 /);
    writeFileSync(path, 'something else');
    const { status, stderr } = await replay('5');
    expect([status, stderr.includes('the record of costs was dropped: it is damaged')]).toEqual([0, true]);
    expect(readFileSync(path, 'latin1')).toMatch(/^warpshrew costs 1 /);
  });
});
