// Listings read page by page from a running index, and their comparison with brute force.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseBlock } from '../dist/bitcoin/parse-block.js';
import { RpcFailure, WarpshrewClient } from '../dist/client/client.js';
import { isUnspendable } from '../dist/store/address-block.js';
import { ExpectedLists, expectedOutputs, summed } from '../dist/testing/chains/expected-lists.js';
import { toDisplayHash, toHex } from '../dist/util/bytes.js';

/** What hangs ends; what is slow because the machine is busy does not fail. */
const PATIENT = { timeoutMs: 3_600_000 };

/** Answers that reorgs and load explain. */
const MAY_FAIL = new Set(['STORE_LIST_UNDONE', 'BLOCK_NOT_INDEXED', 'VIEW_BUSY', 'STORE_REORG_UNDER_WAY']);
const STATUSES = [undefined, 'OK', 'REVERT', 'REJECTED'];
const CONTRACTS = 60;
const PAUSE_MS = 150;
/** Characters that are kept of a listing, to be shown if it is wrong. */
const SHOWN = 1_000;

export class ListSamples {
  /** Listings that ended because their block was undone, or for another reason of the kind. */
  broken = 0;
  /** Pages read. */
  pages = 0;
  #samples = [];
  #random;
  #scripts;

  /** `trunk`: blocks whose scripts are asked for. */
  constructor(random, trunk) {
    this.#random = random;
    const scripts = trunk.flatMap(({ raw }) => parseBlock(raw).transactions.flatMap(({ outputs }) => outputs));
    const usable = scripts.filter(({ script }) => !isUnspendable(script, 0, script.length));
    this.#scripts = [...new Set(usable.map(({ script }) => toHex(script)))];
  }

  get count() {
    return this.#samples.length;
  }

  /** Reads listings until `isOver`, or until the server is gone. */
  async read(url, isOver) {
    const client = new WarpshrewClient(url, PATIENT);
    while (!isOver()) {
      try {
        await this.#sample(client, this.#asked());
      } catch (error) {
        if (error instanceof TypeError) return;
        if (!(error instanceof RpcFailure && MAY_FAIL.has(error.code))) throw error;
        this.broken++;
      }
      await sleep(this.#random.below(PAUSE_MS));
    }
  }

  /** Reads `count` listings of any height at random. */
  async readAt(url, tip, count) {
    const client = new WarpshrewClient(url, PATIENT);
    for (let i = 0; i < count; i++) {
      await this.#sample(client, {
        ...this.#asked(),
        height: this.#random.below(4) === 0 ? tip : this.#random.below(tip),
      });
    }
  }

  #asked() {
    const random = this.#random;
    const id = `2:${1 + random.below(CONTRACTS)}`;
    const script = this.#scripts[random.below(random.below(4) === 0 ? this.#scripts.length : 8)];
    const reverse = random.below(2) === 0;
    const kinds = [
      { method: 'warpshrew_listoutputs', options: { script, reverse, unspent: random.below(2) === 0 } },
      { method: 'warpshrew_listhistory', options: { script, reverse } },
      { method: 'warpshrew_listassets', options: { script } },
      { method: 'warpshrew_listcontracts', options: {} },
      { method: 'warpshrew_liststorage', id, options: {} },
      { method: 'warpshrew_listholders', id, options: {} },
      { method: 'warpshrew_listbalances', id, options: {} },
      { method: 'warpshrew_listreceipts', options: { reverse, contract: id, status: STATUSES[random.below(4)] } },
      { method: 'warpshrew_listreceipts', options: { reverse } },
    ];
    return kinds[random.below(kinds.length)];
  }

  /** All pages of one listing, of one state: that after the block of its height, which is the same at both ends. */
  async #sample(client, { method, id, options, height: wanted }) {
    const items = [];
    let [cursor, height, hash] = [null, wanted, undefined];
    const limit = 1 + this.#random.below(this.#random.below(2) === 0 ? 20 : 1_000);
    height ??= Number(await client.call('metashrew_height'));
    hash = await client.call('metashrew_getblockhash', height);
    do {
      const more = { ...options, height, limit, cursor };
      const page = await client.call(method, ...(id === undefined ? [more] : [id, more]));
      items.push(...page.items);
      cursor = page.cursor;
      this.pages++;
    } while (cursor !== null);
    if ((await client.call('metashrew_getblockhash', height)) !== hash) {
      this.broken++;
      return;
    }
    this.#samples.push({ method, id, options, height, hash: hash.slice(2), ...digestOf(method, items) });
  }

  /**
   * Compares: outputs and transactions with the blocks of their chain, whatever became of it, the rest with the states
   * of `store` where the block is in its chain. `blocks`: all blocks by display hash.
   */
  compare(store, blocks) {
    const found = { compared: 0, differing: 0 };
    const chains = new Chains(blocks);
    const lists = new ExpectedLists(store);
    for (const { digest, text, hash, ...asked } of this.#samples) {
      const chain = chains.of(hash);
      const isInChain = toDisplayHash(store.blockHash(asked.height) ?? new Uint8Array()) === hash;
      const wanted = isInChain ? lists.of(asked, chain) : expectedOutputs(asked, chain);
      if (wanted === undefined) continue;
      found.compared++;
      const expected = digestOf(asked.method, wanted);
      if (expected.digest === digest) continue;
      found.differing++;
      if (found.differing > 1) continue;
      process.stderr.write(`${JSON.stringify(asked)}\n  told: ${text}\n  is:   ${expected.text}\n`);
    }
    return found;
  }
}

function digestOf(method, items) {
  const text = JSON.stringify(sortedFields(method === 'warpshrew_listassets' ? summed(items) : items));
  return { digest: createHash('sha256').update(text).digest('hex'), text: text.slice(0, SHOWN) };
}

function sortedFields(value) {
  if (Array.isArray(value)) return value.map(sortedFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, field]) => [name, sortedFields(field)]),
  );
}

/** Transactions of chains by the hash of their last block. */
class Chains {
  #known = new Map();
  #blocks;

  constructor(blocks) {
    this.#blocks = blocks;
  }

  of(hash) {
    const chain = [];
    for (let at = hash; this.#blocks.has(at); ) {
      const { previous, transactions } = this.#block(at);
      chain.unshift(transactions);
      at = previous;
    }
    return chain;
  }

  #block(hash) {
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    const { previousHash, transactions } = parseBlock(this.#blocks.get(hash).raw);
    const block = {
      previous: toDisplayHash(previousHash),
      transactions: transactions.map(({ txid, inputs, outputs }) => ({
        txid,
        inputs: inputs.map(({ prevTxid, prevVout }) => ({ txid: prevTxid, vout: prevVout })),
        outputs: outputs.map(({ value, script }) => ({ script, amount: value })),
      })),
    };
    this.#known.set(hash, block);
    return block;
  }
}
