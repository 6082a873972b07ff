/** Blocks of several contracts: traffic as it is, and what only the generator of transactions runs. */
import { prepareProgram } from '../../program/prepare.js';
import type { AlkaneId } from '../../protocol/types.js';
import { builtPrograms } from '../../util/built-wasm.js';
import { increments, mints, own, swaps, transfers, type WorkloadMessages } from './block-messages.js';
import { call, type WorkloadContract, type WorkloadParts, type WorkloadTransaction } from './workload-bytes.js';

const idOf = (tx: bigint): AlkaneId => ({ block: 2n, tx });
/** The asset that edicts move. */
const COIN_ASSET = idOf(10n);
const MINTS = [idOf(1n), idOf(2n), idOf(3n)];
const AMM = idOf(4n);
const PROBE = idOf(5n);
const LEDGER = idOf(6n);
/** So many of the first swaps are too small to give anything. */
const TOO_SMALL = 16;
/** Assets that swaps exchange. */
const SWAPPED = [10n, 11n];

function contract(
  id: AlkaneId,
  name: keyof ReturnType<typeof builtPrograms>,
  made?: WorkloadMessages,
): WorkloadContract {
  return {
    id,
    wasm: builtPrograms()[name],
    storage: made?.storage ?? new Map(),
    reserves: name === 'amm' ? SWAPPED : [],
  };
}

/** Spends a coin of an asset, half of which an edict moves. */
function edict(amount: bigint): WorkloadTransaction {
  const moves = { pointer: 0, refund: 0, edicts: [{ id: COIN_ASSET, amount, output: 0n }] };
  return { protostones: [moves], incoming: [{ id: COIN_ASSET, amount: 2n * amount }] };
}

/** Spends what the mint at `parent` gave. */
function chained(id: AlkaneId, parent: number): WorkloadTransaction {
  return { protostones: [{ pointer: 0, refund: 0, edicts: [{ id, amount: 1n, output: 0n }] }], incoming: [], parent };
}

/**
 * As blocks are: of ten transactions nine mint, in one of three contracts, one long chain each. The tenth swaps, moves
 * a ledger's balance, counts, moves assets by edict, or spends the output of the transaction before it.
 */
export function mixedBlock(count: number): WorkloadParts {
  const programs = builtPrograms();
  const minted = mints(prepareProgram(programs.mint), count);
  const others = Math.ceil(count / 10);
  const swapped = swaps(prepareProgram(programs.amm), TOO_SMALL + others);
  const counted = increments(own)(prepareProgram(programs.probe), others);
  const moved = transfers(prepareProgram(programs.ledger), others, LEDGER);
  const transactions = Array.from({ length: count }, (_, i): WorkloadTransaction => {
    const n = Math.floor(i / 10);
    if (i % 10 !== 9) {
      const { inputs, incoming } = minted.messages[i];
      return { protostones: [call(MINTS[i % 3], inputs)], incoming };
    }
    if (n % 5 === 1) return edict(BigInt(n + 1));
    if (n % 5 === 2) return chained(MINTS[(i - 1) % 3], i - 1);
    const [id, { messages }] = n % 5 === 0 ? [AMM, swapped] : n % 5 === 3 ? [PROBE, counted] : [LEDGER, moved];
    const { inputs, incoming } = messages[id === AMM ? TOO_SMALL + n : n];
    return { protostones: [call(id, inputs)], incoming };
  });
  const contracts = [
    ...MINTS.map((id) => contract(id, 'mint', minted)),
    contract(AMM, 'amm', swapped),
    contract(PROBE, 'probe', counted),
    contract(LEDGER, 'ledger', moved),
  ];
  return { contracts, transactions };
}

/** Calls of a created contract's first run: nothing. */
const CREATE = [0n];

/**
 * What the straight way does not take: transactions of two messages, of a message behind edicts, edicts alone, clones,
 * and now and then a contract with code of its own.
 */
export function generalBlock(count: number): WorkloadParts {
  const programs = builtPrograms();
  const minted = mints(prepareProgram(programs.mint), count);
  const transactions = Array.from({ length: count }, (_, i): WorkloadTransaction => {
    const mint = call(MINTS[i % 3], minted.messages[i].inputs);
    const amount = BigInt(i + 1);
    if (i % 64 === 63) {
      return { protostones: [call({ block: 1n, tx: 0n }, CREATE)], incoming: [], code: programs.probe };
    }
    if (i % 8 === 7) return { protostones: [call({ block: 5n, tx: PROBE.tx }, CREATE)], incoming: [] };
    if (i % 4 === 1) {
      const moves = { pointer: 0, refund: 0, edicts: [{ id: COIN_ASSET, amount, output: 0n }] };
      return { protostones: [moves, mint], incoming: [{ id: COIN_ASSET, amount: 2n * amount }] };
    }
    if (i % 4 === 2) return edict(amount);
    return { protostones: [mint, call(PROBE, [4n, BigInt(i)])], incoming: [] };
  });
  return { contracts: [...MINTS.map((id) => contract(id, 'mint', minted)), contract(PROBE, 'probe')], transactions };
}
