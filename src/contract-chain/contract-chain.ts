/**
 * Contracts on a chain in memory, as those who write tests see them: accounts that hold assets, deployments, calls, and
 * what came of them. Each call is mined at once, unless several are put into one block.
 */
import type { WrittenTransaction } from '../bitcoin/serialise.js';
import { ProgramError, UsageError } from '../errors/errors.js';
import { balanceKey, codeKey, sheetKey, storagePrefix } from '../lane/keys.js';
import type { MessageReceipt } from '../lane/types.js';
import { prepareProgram } from '../program/prepare.js';
import { formatId, parseId } from '../protocol/alkane-id.js';
import { Sheet, type SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';
import { readU128, toBinaryString, toDisplayHash, writeU32 } from '../util/bytes.js';
import { Account, type Coin } from './account.js';
import { MemoryChain, type MinedBlock, type MinedTransaction } from './memory-chain.js';
import { type Outpoint, type WrittenMessage, writeCall } from './write-call.js';

/** A contract by its id, as `block:tx` or as an {@link AlkaneId}, or what a deployment gave. */
export type ContractName = string | AlkaneId | { readonly id: AlkaneId };
/** An opcode or input: below 2^128. */
export type Input = bigint | number;
/** Amounts by asset, `block:tx`. */
export type Amounts = Readonly<Record<string, Input>>;

export interface SendOptions {
  /** Who sends it, `alice` if not given. */
  readonly from?: Account;
  /** Who gets what the contract transfers; the sender if not given. */
  readonly to?: Account;
}

export interface CallOptions extends SendOptions {
  /** Assets of the sender that the message is given. */
  readonly send?: Amounts;
}

/** One of the messages of a transaction. */
export interface MessageSpec {
  readonly target: ContractName;
  /** The opcode first. */
  readonly inputs: readonly Input[];
  readonly send?: Amounts;
}

/** What became of a message. */
export interface CallResult {
  readonly status: MessageReceipt['status'] | 'UNDONE';
  /** Why it is not OK: the reason of the lane rules, and what the contract gave to `abort`. */
  readonly error: string | undefined;
  /** The contract that ran; undefined if none was found. */
  readonly id: AlkaneId | undefined;
  /** Whole, empty where the message failed. */
  readonly data: Uint8Array;
  /** What went to the pointer, zero amounts left out. */
  readonly transfers: readonly SheetEntry[];
  readonly fuel: number;
  readonly receipt: MessageReceipt | undefined;
  readonly mined: MinedTransaction;
  readonly block: MinedBlock;
}

/** A transaction that waits for its block. */
interface Waiting {
  readonly transaction: WrittenTransaction;
  readonly messages: number;
}

/** What txids of coins begin with that nobody made. */
const FRESH = new TextEncoder().encode('coin');
const CREATE: AlkaneId = { block: 1n, tx: 0n };

/** An output of a transaction that was made here: most txids are never asked for. */
class OwnOutput implements Outpoint {
  constructor(
    readonly transaction: WrittenTransaction,
    readonly vout: number,
  ) {}

  get txid(): Uint8Array {
    return this.transaction.txid;
  }
}

export class ContractChain {
  readonly #accounts = new Map<string, Account>();
  /** Outpoints that a transaction of the next block spends. */
  readonly #reserved = new Set<string>();
  #coins = 0;

  constructor(readonly chain: MemoryChain = new MemoryChain()) {}

  get height(): number {
    return this.chain.height;
  }

  /** The account of that name; made when it is first asked for. */
  account(name: string): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const made = new Account(name);
    this.#accounts.set(name, made);
    return made;
  }

  /**
   * Creates a contract from its WASM and calls it with `inputs`. Throws UsageError USAGE_DEVCHAIN_DEPLOY, with the
   * reason, if the creation or that first call fails.
   */
  deploy(wasm: Uint8Array, inputs: readonly Input[] = [0], options: CallOptions = {}): CallResult & { id: AlkaneId } {
    const [result] = this.#mineOf(this.#send([{ target: CREATE, inputs, send: options.send }], options, wasm));
    const { id } = result;
    if (result.status === 'OK' && id !== undefined) return { ...result, id };
    const refusal = refusalOf(wasm);
    const why = refusal === undefined ? (result.error ?? result.status) : `${refusal.code}, ${refusal.message}`;
    throw new UsageError('USAGE_DEVCHAIN_DEPLOY', `the contract is not created: ${why}`, {
      facts: {
        status: result.status,
        bytes: wasm.length,
        inputs: inputs.join(', '),
        fuel: result.fuel,
        ...refusal?.facts,
      },
      hint:
        refusal?.hint ??
        (refusal === undefined
          ? 'The module is admitted: its first call ended so, with the inputs of the deployment.'
          : '`warpshrew inspect FILE.wasm` shows the module; docs/lane-rules.md, section 3, has the limits.'),
    });
  }

  /** Sends a message and mines it. */
  call(target: ContractName, inputs: readonly Input[], options: CallOptions = {}): CallResult {
    const [result] = this.#mineOf(this.#send([{ target, inputs, send: options.send }], options));
    return result;
  }

  /** Sends one transaction with several messages and mines it; what became of each. */
  transaction(messages: readonly MessageSpec[], options: SendOptions = {}): CallResult[] {
    return this.#mineOf(this.#send(messages, options));
  }

  /**
   * Mines one block of all that `fill` sends, in its order; what became of each message. What is sent in a block cannot
   * spend what an earlier transaction of it was given.
   */
  block(fill: (send: (messages: MessageSpec | readonly MessageSpec[], options?: SendOptions) => void) => void): {
    readonly block: MinedBlock;
    readonly results: readonly CallResult[];
  } {
    const sent: Waiting[] = [];
    fill((messages, options = {}) => {
      sent.push(this.#send('target' in messages ? [messages] : messages, options));
    });
    const block = this.#mine();
    return { block, results: sent.flatMap((each) => resultsOf(each, block)) };
  }

  /** Puts a transaction into the next block; it is mined with that. */
  queue(messages: MessageSpec | readonly MessageSpec[], options: SendOptions = {}): void {
    this.#send('target' in messages ? [messages] : messages, options);
  }

  /** Mines what waits, with what `run` says that the block writes. */
  async mineBy(run: Parameters<MemoryChain['mineBy']>[0]): Promise<MinedBlock> {
    this.#reserved.clear();
    const block = await this.chain.mineBy(run);
    for (const account of this.#accounts.values()) account.makeRoom(this.chain);
    return block;
  }

  /** Mines `count` blocks; the first takes what waits. Returns the last one. */
  mine(count = 1): MinedBlock {
    let block = this.chain.tip;
    for (let i = 0; i < count; i++) block = this.#mine();
    return block;
  }

  /** Undoes the last `depth` blocks and mines as many empty ones and one more, as a reorg that drops everything. */
  reorg(depth: number): void {
    this.rollback(depth);
    this.mine(depth + 1);
  }

  /** Undoes the last `depth` blocks. Throws UsageError USAGE_DEVCHAIN_HEIGHT if there are not so many. */
  rollback(depth: number): void {
    this.chain.rollback(this.height - depth);
    this.#reserved.clear();
  }

  /** The value that a contract stores under `key` (text is UTF-8); undefined if absent. */
  storage(contract: ContractName, key: Uint8Array | string): Uint8Array | undefined {
    const bytes = typeof key === 'string' ? Buffer.from(key) : key;
    return this.chain.get(storagePrefix(idOf(contract)) + toBinaryString(bytes))?.slice();
  }

  /** What an account or a contract holds of `asset`. */
  balance(asset: ContractName, holder: Account | ContractName): bigint {
    const id = idOf(asset);
    if (holder instanceof Account) {
      return this.#coinsOf(holder).reduce((sum, { sheet }) => sum + sheet.get(id), 0n);
    }
    const value = this.chain.get(balanceKey(id, idOf(holder)));
    return value === undefined ? 0n : readU128(value, 0);
  }

  /** Whether a contract of that id is there. */
  has(contract: ContractName): boolean {
    return this.chain.get(codeKey(idOf(contract))) !== undefined;
  }

  /** Mines the block of what was sent last; what became of it. */
  #mineOf(sent: Waiting): CallResult[] {
    return resultsOf(sent, this.#mine());
  }

  #mine(): MinedBlock {
    this.#reserved.clear();
    return this.chain.mine();
  }

  #send(specs: readonly MessageSpec[], { from = this.account('alice'), to }: SendOptions, code?: Uint8Array): Waiting {
    const messages = specs.map(({ target, inputs, send }): WrittenMessage => {
      const asked = send === undefined ? {} : { send: entriesOf(send) };
      return { target: idOf(target), inputs: inputs.map(inputOf), ...asked };
    });
    const { spend, isExact } = this.#choose(from, Sheet.of(messages.flatMap(({ send = [] }) => send)));
    const isWhole = messages.length === 1 && isExact;
    const outputs = to === undefined || to === from ? [from.script] : [from.script, to.script];
    const written = writeCall({
      spend: spend.length === 0 ? [this.#freshCoin()] : spend,
      messages: isWhole ? messages.map(({ target, inputs }) => ({ target, inputs })) : messages,
      outputs,
      pointer: outputs.length - 1,
      code,
    });
    for (const { txid, vout } of spend) this.#reserved.add(sheetKey(txid, vout));
    this.chain.sendWritten(written);
    from.give(new OwnOutput(written, 0));
    if (outputs.length > 1) to?.give(new OwnOutput(written, 1));
    return { transaction: written, messages: messages.length };
  }

  /** Coins of `from` with at least `wanted`; `isExact`: they hold that and nothing else. */
  #choose(from: Account, wanted: Sheet): { readonly spend: readonly Outpoint[]; readonly isExact: boolean } {
    const spend: Outpoint[] = [];
    const held = new Sheet();
    const coins = wanted.isEmpty ? [] : this.#coinsOf(from);
    for (const { id, amount } of wanted.entries()) {
      for (const coin of coins) {
        if (held.get(id) >= amount) break;
        if (coin.sheet.get(id) === 0n || spend.includes(coin.outpoint)) continue;
        spend.push(coin.outpoint);
        for (const entry of coin.sheet.entries()) held.add(entry.id, entry.amount);
      }
      if (held.get(id) < amount) {
        throw new UsageError('USAGE_DEVCHAIN_FUNDS', `${from.name} has too little of ${formatId(id)}`, {
          facts: { account: from.name, asset: formatId(id), wanted: amount, there: held.get(id) },
          hint: 'Mint it, or transfer it to the account first. Coins that a block under way spends do not count.',
        });
      }
    }
    const same = held.size === wanted.size && wanted.entries().every(({ id, amount }) => held.get(id) === amount);
    return { spend, isExact: same };
  }

  #coinsOf(account: Account): Coin[] {
    const coins = account.coins(this.chain, this.chain.waiting.length === 0);
    return this.#reserved.size === 0 ? coins : coins.filter(({ key }) => !this.#reserved.has(key));
  }

  /** A coin that nobody made and that holds nothing: it pays for the transaction. */
  #freshCoin(): Outpoint {
    const txid = new Uint8Array(32);
    txid.set(FRESH);
    writeU32(txid, FRESH.length, this.#coins++);
    return { txid, vout: 0 };
  }
}

/** Why the rules refuse a module; undefined if they admit it. */
function refusalOf(wasm: Uint8Array): ProgramError | undefined {
  try {
    prepareProgram(wasm);
  } catch (error) {
    if (error instanceof ProgramError) return error;
    throw error;
  }
  return undefined;
}

function resultsOf({ transaction, messages }: Waiting, block: MinedBlock): CallResult[] {
  const txid = toDisplayHash(transaction.txid);
  const mined = block.lane.find(({ outcome }) => outcome.txid === txid) as MinedTransaction;
  const { outcome, results } = mined;
  return Array.from({ length: messages }, (_, at): CallResult => {
    const receipt = outcome.messages[at];
    const result = receipt?.status === 'OK' ? results.get(receipt.shadowVout) : undefined;
    return {
      status: outcome.undone === undefined ? receipt.status : 'UNDONE',
      error: outcome.undone ?? errorOf(receipt),
      id: receipt?.target === undefined ? undefined : parseId(receipt.target),
      data: result?.data.slice() ?? new Uint8Array(0),
      transfers: result?.transfers.filter(({ amount }) => amount > 0n) ?? [],
      fuel: receipt?.fuelUsed ?? 0,
      receipt,
      mined,
      block,
    };
  });
}

function errorOf({ error, abort }: MessageReceipt): string | undefined {
  return abort === undefined || error === undefined ? error : `${error}: ${abort}`;
}

function entriesOf(amounts: Amounts): SheetEntry[] {
  return Object.entries(amounts).map(([id, amount]) => ({ id: parseId(id), amount: BigInt(amount) }));
}

function idOf(contract: ContractName): AlkaneId {
  if (typeof contract === 'string') return parseId(contract);
  return 'id' in contract ? contract.id : contract;
}

function inputOf(input: Input): bigint {
  const value = BigInt(input);
  if (value >= 0n && value < 1n << 128n) return value;
  throw new UsageError('USAGE_DEVCHAIN_INPUT', 'an input is no number from 0 to 2^128 - 1', {
    facts: { input: value },
    hint: 'Split longer values over several inputs of 16 bytes.',
  });
}
