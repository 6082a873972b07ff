// The comparison with an Alkanes indexer build. There is none here: a stand-in answers that knows what the lane knows,
// and hides or changes some of it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { scanBlock } from '../../src/lane/scan.js';
import type { LaneKey, LaneOutcome } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { idBytes } from '../../src/protocol/alkane-id.js';
import { decodeCellpack } from '../../src/protocol/cellpack.js';
import { decodeSheet } from '../../src/protocol/sheet.js';
import { actorInputs } from '../../src/selftest/inputs/actor-script.js';
import { LaneMap } from '../../src/testing/contracts/lane-map.js';
import { reportLines, sumOf } from '../../src/testing/indexer/report.js';
import { fieldsOf } from '../../src/testing/indexer/sides/fields.js';
import { type BlockIndexer, PartedError, Stage } from '../../src/testing/indexer/sides/stage.js';
import { TwinChain } from '../../src/testing/indexer/sides/twins.js';
import { withoutMaximum } from '../../src/testing/indexer/sides/without-maximum.js';
import { id } from '../../src/testing/regtest/messages.js';
import { concatBytes, fromHex, toBinaryString, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';

const built = (path: string): Uint8Array => new Uint8Array(readFileSync(join(ROOT, 'dist', 'wasm', path)));
const ACTOR = built('calls/actor.wasm');
const RUNNER = new ProgramRunner();
const field = (number: number, bytes: Uint8Array): Uint8Array => {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return concatBytes(Uint8Array.of((number << 3) | 2, ...length), bytes);
};

type Pairs = Map<string, Uint8Array>;

/** Keeps what the lane keeps, under the keys of an indexer. */
class StandIn implements BlockIndexer {
  readonly #lane = new LaneMap(RUNNER);

  constructor(readonly change: (pairs: Pairs, height: number) => string | undefined = () => undefined) {}

  async runBlock(raw: Uint8Array, height: number) {
    const outcomes = this.#lane.run(raw, height);
    const pairs: Pairs = new Map();
    this.#contracts(pairs);
    this.#twin(pairs, raw, outcomes);
    const stopped = this.change(pairs, height);
    const error = stopped === undefined ? undefined : new Error(stopped);
    const rest = { flushes: 1, pairCount: pairs.size, valueBytes: 0, ms: 0 };
    return { pairs, ...rest, error } as unknown as Awaited<ReturnType<BlockIndexer['runBlock']>>;
  }

  #contracts(pairs: Pairs): void {
    for (const [key, value] of this.#lane.state) {
      if (key.startsWith('code/')) {
        const code = value[0] === 0 ? new Uint8Array(gzipSync(value.subarray(1))) : value.subarray(1);
        pairs.set(`/alkanes/${key.slice(5)}`, code);
      } else if (key.startsWith('store/')) {
        pairs.set(`/alkanes/${key.slice(6, 38)}/storage/${key.slice(39)}`, value);
      } else if (key.startsWith('balance/')) {
        pairs.set(`/alkanes/${key.slice(8, 40)}/balances/${key.slice(40)}`, value);
      } else if (key === 'sequence') pairs.set('/alkanes/sequence', value);
    }
  }

  /** What became of the lane's twin, said of the other one, which is the last transaction of its block. */
  #twin(pairs: Pairs, raw: Uint8Array, outcomes: readonly LaneOutcome[]): void {
    const { transactions } = parseBlock(raw);
    const twin = transactions.at(-1);
    const outcome = outcomes.find(({ messages }) => messages.some(({ status }) => status !== 'STANDARD'));
    if (twin === undefined || outcome === undefined) return;
    const mine = transactions[outcome.index];
    for (const { shadowVout, status, data } of outcome.messages) {
      const exit =
        status === 'OK'
          ? field(2, field(3, fromHex(data)))
          : concatBytes(Uint8Array.of(8, 1), field(2, field(3, fromHex('08c379a06e6f'))));
      const trace = field(1, field(2, exit));
      pairs.set(`/trace/${toBinaryString(twin.txid)}${toBinaryString(u32Bytes(shadowVout))}`, trace);
    }
    const at = `/runes/proto/1/byoutpoint/${toBinaryString(twin.txid)}${toBinaryString(u32Bytes(0))}`;
    const sheet = decodeSheet(
      this.#lane.state.get(`sheet/${toBinaryString(mine.txid)}${toBinaryString(u32Bytes(0))}`),
    ).entries();
    pairs.set(`${at}/runes/length`, u32Bytes(sheet.length));
    sheet.forEach(({ id: asset, amount }, i) => {
      pairs.set(`${at}/runes/${i}`, idBytes(asset));
      pairs.set(`${at}/balances/${i}`, u128Bytes(amount));
    });
  }
}

const open = (indexer: BlockIndexer): Promise<Stage> => Stage.open('test', new TwinChain('test'), RUNNER, indexer);
const PUT = actorInputs([
  { do: 'put', entry: [1n, 2n] },
  { do: 'read', key: 1n },
]);
const mint = (amount: bigint) => actorInputs([{ do: 'transfer', asset: { id: id(2, 1), amount } }]);

/** Creates an actor, which keeps something, mints and pays itself. */
async function story(indexer: BlockIndexer, extra = {}) {
  const stage = await open(indexer);
  const own = { target: id(2, 1), inputs: mint(7n) };
  const paying = { target: id(2, 1), inputs: mint(2n) };
  await stage.play({
    name: 'create',
    messages: [{ target: id(1, 0), inputs: PUT }],
    body: new Uint8Array(gzipSync(ACTOR)),
    ...extra,
  });
  if (!stage.parted) await stage.play({ name: 'mint', messages: [own] });
  if (!stage.parted) {
    const give = [[id(2, 1), 5n]] as const;
    await stage.play({ name: 'give', messages: [{ target: id(2, 1), inputs: PUT, give }, paying] });
  }
  return stage;
}

const differencesOf = ({ reports }: Stage): string[] =>
  reports.flatMap(({ differences }) => differences.map(({ what }) => what));

describe('the comparison', () => {
  it('finds nothing where both sides have the same', async () => {
    const { reports } = await story(new StandIn());
    expect(reports.map(({ ends, differences, failures }) => [ends, differences, failures])).toEqual([
      [['OK'], [], []],
      [['OK'], [], []],
      [['OK', 'OK'], [], []],
    ]);
    expect(sumOf(reports)).toMatchObject({ failed: false });
  });

  const without = (start: string, part: string) => (pairs: Pairs) => {
    for (const [key] of pairs) if (key.startsWith(start) && key.includes(part)) pairs.delete(key);
    return undefined;
  };
  const changed = (start: string, part: string) => (pairs: Pairs) => {
    for (const [key, value] of pairs) {
      if (key.startsWith(start) && key.includes(part))
        pairs.set(
          key,
          value.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
        );
    }
    return undefined;
  };
  it.each([
    ['storage', 'a value that is missing', without('/alkanes/', '/storage/')],
    ['storage', 'another value', changed('/alkanes/', '/storage/')],
    ['balance', 'another balance', changed('/alkanes/', '/balances/')],
    ['sequence', 'another sequence number', changed('/alkanes/sequence', '')],
    ['sheet', 'a sheet that is missing', without('/runes/', '/length')],
    ['sheet', 'another amount', changed('/runes/', '/balances/')],
    ['status', 'a message that has no trace', without('/trace/', '')],
  ])('finds a difference of %s: %s', async (what, _, change) => {
    const stage = await story(new StandIn(change));
    expect(differencesOf(stage)).toContain(what);
    expect(sumOf(stage.reports)).toMatchObject({ failed: true });
    await expect(stage.play({ name: 'more', messages: [] })).rejects.toThrow(PartedError);
  });

  it('finds other data, other code, and an indexer that stops', async () => {
    const data = (pairs: Pairs): undefined => {
      for (const [key, value] of pairs) if (key.startsWith('/trace/')) value[value.length - 1] ^= 1;
    };
    expect(differencesOf(await story(new StandIn(data)))).toEqual(['data']);
    const code = (pairs: Pairs): undefined => {
      for (const [key] of pairs) {
        if (/^\/alkanes\/.{32}$/s.test(key)) pairs.set(key, new Uint8Array(gzipSync('none')));
      }
    };
    expect(differencesOf(await story(new StandIn(code)))).toEqual(['code']);
    const stops = (_: Pairs, height: number) => (height > 101 ? 'unreachable' : undefined);
    expect(differencesOf(await story(new StandIn(stops)))).toEqual(['status']);
  });

  it('takes a rule for the reason of a difference, but not where there is none, or of another status', async () => {
    const differs = { rule: '4.6', why: 'a reason' };
    const value = changed('/alkanes/', '/storage/');
    const { reports } = await story(new StandIn(value), { differs });
    expect(sumOf(reports)).toMatchObject({ failed: false });
    expect(reportLines('test', reports)).toContain('differs by rule 4.6: a reason');
    const same = await story(new StandIn(), { differs });
    expect(same.reports[0].failures).toEqual(['nothing differs, though rule 4.6 says so']);
    const perhaps = await story(new StandIn(), { differs: { ...differs, perhaps: true } });
    expect(sumOf(perhaps.reports)).toMatchObject({ failed: false });
    const other = await story(new StandIn(value), { differs: { ...differs, of: 'OUT_OF_FUEL' } });
    expect(sumOf(other.reports)).toMatchObject({ failed: true });
  });

  it('says when a step does not end in the lane as it should', async () => {
    const stage = await open(new StandIn());
    await stage.play({ name: 'nothing there', messages: [{ target: id(2, 9), inputs: [1] }] });
    expect(stage.reports[0].failures).toEqual(['message 0 should end OK, and ended REJECTED (no code at the target)']);
    expect(sumOf(stage.reports)).toMatchObject({ failed: true });
  });
});

it('gives both twins the same target and inputs, padding included', () => {
  const chain = new TwinChain('test');
  for (const inputs of [[], [1], [77, 300, 1n << 100n], Array.from({ length: 40 }, (_, i) => i * 1000)]) {
    const { block } = chain.step({ messages: [{ target: id(2, 5), inputs }] });
    const none = { get: (_: LaneKey) => undefined };
    const [lane, indexer] = scanBlock(parseBlock(block.raw), none).map(({ protostones }) => {
      return decodeCellpack(protostones[1].message ?? new Uint8Array(0));
    });
    expect(lane?.target).toEqual(id(8, 8));
    expect([indexer?.target.block, indexer?.target.tx, ...(indexer?.inputs ?? [])]).toEqual(lane?.inputs);
  }
});

it('reads fields of traces, and refuses what is cut or of another kind', () => {
  expect(fieldsOf(fromHex('08960112026869'))).toEqual([
    [1, 150n],
    [2, fromHex('6869')],
  ]);
  for (const bad of ['08', '1205', '0d00000000', `08${'ff'.repeat(12)}`]) {
    expect(() => fieldsOf(fromHex(bad))).toThrow(RangeError);
  }
});

it('takes the maximum off a memory, and leaves all else', () => {
  const free = withoutMaximum(ACTOR);
  expect(free.length).toBe(ACTOR.length - 1);
  const module = new WebAssembly.Module(Uint8Array.from(free));
  const env = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
  const memory = new WebAssembly.Instance(module, { env }).exports.memory as WebAssembly.Memory;
  expect(memory.grow(600)).toBe(1);
  expect(withoutMaximum(free)).toBe(free);
});

it('plays the project’s own contracts in the lane where there is no indexer build, and says so', {
  timeout: 300_000,
}, () => {
  const script = join(ROOT, 'scripts', 'compare-indexer.mjs');
  const run = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  for (const name of ['factory and pools', 'proxy', 're-entrant pair', 'recursion', 'gas burner', 'call trees 0']) {
    expect(run.stdout).toMatch(new RegExp(`^own: ${name}: \\d+ messages, \\d+ OK; as it should be$`, 'm'));
  }
  expect(run.stdout).toContain('SKIPPED: the comparison');
  expect(run.stdout).toContain('SKIPPED: scenarios of public contracts');
  expect(run.stdout).toContain('wrong: 0');
});
