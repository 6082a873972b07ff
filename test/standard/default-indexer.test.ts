import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { StandardModule } from '../../src/standard/module.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { concatBytes, fromBinaryString, toBinaryString, toHex, u32Bytes, u64Bytes } from '../../src/util/bytes.js';
import { block, coinbase, serialise, type TxParts } from '../bitcoin/builder.js';
import { CHAIN, ROOT } from '../helpers/cli.js';
import { collectPairs } from './collect-pairs.js';

const module = StandardModule.load(defaultIndexer());

/** The module on blocks one after the other, beside a plain model of what it is to know. */
class Chain {
  private readonly state = new Map<string, Uint8Array>();
  readonly coins = new Map<string, { script: string; value: bigint }>();
  readonly txHeights = new Map<string, number>();
  private readonly scripts = new Set<string>();
  private readonly read = (key: Uint8Array) => this.state.get(toBinaryString(key));
  height = -1;
  /** Keys of the last block that were read one by one and together. */
  reads = { single: 0, together: 0 };

  add(raw: Uint8Array, height: number): ReadonlyMap<string, Uint8Array> {
    const run = module.runBlock(raw, height, this.read);
    expect(run.error).toBeUndefined();
    this.checkReadAhead(raw, height, run.flushes);
    const pairs = collectPairs(run.flushes);
    expect(run.pairCount).toBe(pairs.size);
    for (const [key, value] of pairs) this.state.set(key, value);
    this.height = height;
    this.follow(raw);
    return pairs;
  }

  /** A host that reads many keys at once gets the same flush. */
  private checkReadAhead(raw: Uint8Array, height: number, flushes: readonly Uint8Array[]): void {
    let single = 0;
    let together = 0;
    const ahead = module.runBlock(
      raw,
      height,
      (key) => {
        single++;
        return this.read(key);
      },
      (keys) => {
        together += keys.length;
        return keys.map(this.read);
      },
    );
    expect(ahead.error).toBeUndefined();
    expect(Buffer.compare(concatBytes(...ahead.flushes), concatBytes(...flushes))).toBe(0);
    this.reads = { single, together };
  }

  private follow(raw: Uint8Array): void {
    const { transactions } = parseBlock(raw);
    for (const [index, { txid, inputs, outputs }] of transactions.entries()) {
      this.txHeights.set(toHex(txid), this.height);
      for (const { prevTxid, prevVout } of index === 0 ? [] : inputs)
        this.coins.delete(toHex(concatBytes(prevTxid, u32Bytes(prevVout))));
      for (const [vout, { script, value }] of outputs.entries()) {
        this.scripts.add(toHex(script));
        if (script[0] === 0x6a || this.height === 0) continue;
        this.coins.set(toHex(concatBytes(txid, u32Bytes(vout))), { script: toHex(script), value });
      }
    }
  }

  view(name: string, input: Uint8Array): Uint8Array {
    return module.runView(name, input, this.height, this.read).output;
  }

  /** What the view lists for a script, sorted, as hex of 44 bytes. */
  spendables(script: string): string[] {
    const bytes = toHex(this.view('spendables', Buffer.from(script, 'hex')));
    return (bytes.match(/.{88}/g) ?? []).sort();
  }

  /** Compares every view with the model, for the scripts given or all. */
  check(scripts: Iterable<string> = this.scripts): void {
    const byScript = new Map<string, string[]>();
    for (const [outpoint, { script, value }] of this.coins) {
      const entry = outpoint + toHex(u64Bytes(value));
      const known = byScript.get(script);
      if (known) known.push(entry);
      else byScript.set(script, [entry]);
    }
    for (const script of scripts) expect(this.spendables(script)).toEqual((byScript.get(script) ?? []).sort());
    expect(this.view('tipheight', new Uint8Array(0))).toEqual(u32Bytes(this.height));
  }
}

describe('the default indexer', () => {
  test('keeps blocks by height and transactions by txid', () => {
    const chain = new Chain();
    const raws = [1, 2].map((n) =>
      block([coinbase({ script: Uint8Array.of(0x50 + n, 0) })], { previousHash: new Uint8Array(32).fill(n) }),
    );
    for (const [i, raw] of raws.entries()) chain.add(raw, i + 1);
    for (const [i, raw] of raws.entries()) {
      const { hash, header, transactions } = parseBlock(raw);
      expect(chain.view('blockbyheight', u32Bytes(i + 1))).toEqual(concatBytes(hash, header));
      expect(chain.view('txheight', transactions[0].txid)).toEqual(u32Bytes(i + 1));
    }
    for (const input of [u32Bytes(3), new Uint8Array(0), new Uint8Array(5)])
      expect(chain.view('blockbyheight', input).length).toBe(0);
    for (const input of [new Uint8Array(32), new Uint8Array(31)]) expect(chain.view('txheight', input).length).toBe(0);
    chain.check();
  });

  test('an empty state has no tip', () => {
    expect(module.runView('tipheight', new Uint8Array(0), 0, () => undefined).output.length).toBe(0);
    expect(module.runView('spendables', Uint8Array.of(0x51), 0, () => undefined).output.length).toBe(0);
  });

  test('a duplicate coinbase replaces the first, and genesis coins are not listed', () => {
    const chain = new Chain();
    const raw = block([coinbase()]);
    chain.add(raw, 0);
    expect(chain.spendables('51')).toEqual([]);
    chain.add(raw, 1);
    chain.add(raw, 2);
    expect(chain.spendables('51').length).toBe(1);
    chain.check();
  });

  test('random chains: every script lists exactly its unspent outputs', () => {
    const scripts = ['', '51', '52', '6a', '6a5d01', `a914${'07'.repeat(20)}87`, '00'.repeat(300)].map((hex) =>
      Uint8Array.from(Buffer.from(hex, 'hex')),
    );
    const tx = fc.record({
      spends: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      outputs: fc.array(
        fc.record({
          script: fc.constantFrom(...scripts),
          value: fc.bigInt({ min: 0n, max: 21_000_000n * 100_000_000n }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      segwit: fc.boolean(),
    });
    const blocks = fc.array(fc.array(tx, { maxLength: 6 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(blocks, (plan) => {
        const chain = new Chain();
        let unique = 0;
        for (const [i, txs] of plan.entries()) {
          const raws = [coinbase({ script: Uint8Array.of(0x50 + i + 1, 0) })];
          // Coins of earlier blocks and of earlier transactions of this block.
          const coins = [...chain.coins.keys()];
          for (const { spends, outputs, segwit } of txs) {
            const inputs = spends.map((n) => {
              const coin =
                coins.length > 0
                  ? coins.splice(n % coins.length, 1)[0]
                  : toHex(concatBytes(u32Bytes(++unique), new Uint8Array(32)));
              const bytes = Uint8Array.from(Buffer.from(coin, 'hex'));
              const witness = segwit ? [Uint8Array.of(1, 2, 3), new Uint8Array(300)] : undefined;
              return { prevTxid: bytes.slice(0, 32), prevVout: bytes[32], witness };
            });
            const raw = serialise({ inputs, outputs } satisfies TxParts);
            raws.push(raw);
            const { txid } = parseBlock(block([raw])).transactions[0];
            for (const [vout, { script }] of outputs.entries())
              if (script[0] !== 0x6a) coins.push(toHex(concatBytes(txid, u32Bytes(vout))));
          }
          chain.add(block(raws), i + 1);
          chain.check();
        }
        for (const [txid, height] of chain.txHeights)
          expect(chain.view('txheight', Buffer.from(txid, 'hex'))).toEqual(u32Bytes(height));
      }),
      { numRuns: 60 },
    );
  });

  const UP_TO_182 = '5bfdab228d0d1e1ea2ac11c72b852b9d12ca5e226350df64fd59280f43e298f2';

  test('the bundled chain is flushed as it always was, to the byte and in the same order', () => {
    const state = new Map<string, Uint8Array>();
    const hash = createHash('sha256');
    for (const { raw, height } of openSource(CHAIN).blocks()) {
      const { flushes } = module.runBlock(raw, height, (key) => state.get(toBinaryString(key)));
      for (const bytes of flushes) hash.update(bytes);
      for (const [key, value] of collectPairs(flushes)) state.set(key, value);
      // Databases hold these bytes.
      if (height === 182) expect(hash.copy().digest('hex')).toBe(UP_TO_182);
    }
    expect(hash.digest('hex')).toBe('a43478a1a4d9ddd2129e5632fb0bc6337b6313fcb98daa12f44c32095db8bc97');
  });

  test('a block of 18,000 keys and half a megabyte of scripts is kept whole', () => {
    const chain = new Chain();
    const scripts = Array.from({ length: 6_000 }, (_, i) =>
      concatBytes(Uint8Array.of(0x51), u32Bytes(i), new Uint8Array(59)),
    );
    const payments = [0, 2_000, 4_000].map((from) =>
      serialise({ outputs: scripts.slice(from, from + 2_000).map((script) => ({ script, value: 1n })) }),
    );
    const { txid } = parseBlock(block([payments[0]])).transactions[0];
    // Looks up what was written first, once all the rest is there.
    const spends = serialise({
      inputs: Array.from({ length: 1_000 }, (_, i) => ({ prevTxid: txid, prevVout: 2 * i })),
    });
    chain.add(block([coinbase(), ...payments, spends]), 1);
    expect(chain.coins.size).toBe(5_002);
    chain.check(scripts.filter((_, i) => i % 300 === 0 || i < 40).map(toHex));
    for (const [txid, height] of chain.txHeights)
      expect(chain.view('txheight', Buffer.from(txid, 'hex'))).toEqual(u32Bytes(height));
  });

  test('a block that is cut short ends in an error, whatever the place', () => {
    const raw = block([coinbase(), serialise({ inputs: [{ witness: [Uint8Array.of(1)] }] })]);
    for (let length = 0; length < raw.length; length++) {
      const { error, flushes } = module.runBlock(raw.subarray(0, length), 1, () => undefined);
      expect(error?.code).toBe('MODULE_TRAPPED');
      expect(flushes).toEqual([]);
    }
  });
});

const BLOCKS = join(ROOT, '../shared/data/blocks');

describe.skipIf(!existsSync(BLOCKS))('the default indexer on mainnet blocks', () => {
  test.each([849236, 905646])('block %i', (height) => {
    const chain = new Chain();
    const raw = new Uint8Array(readFileSync(join(BLOCKS, `${height}.bin`)));
    const pairs = chain.add(raw, height);
    const txs = [...pairs.keys()].filter((key) => key[0] === 't' && key.length === 33);
    expect(txs.length).toBe(chain.txHeights.size);
    for (const key of txs) expect(chain.txHeights.get(toHex(fromBinaryString(key.slice(1))))).toBe(height);
    const listed = new Set([...chain.coins.values()].map(({ script }) => script));
    chain.check([...listed].slice(0, 300));
    // Again with everything there: what is spent has a record, a list and a last entry now.
    expect(chain.reads.together).toBeGreaterThan(5_000);
    expect(chain.reads.single).toBeLessThan(chain.reads.together / 100);
    const records = [...pairs].filter(([key, value]) => key[0] === 'o' && value.length === 44);
    expect(new Set(records.map(([key]) => toHex(fromBinaryString(key.slice(1)))))).toEqual(new Set(chain.coins.keys()));
  });
});
