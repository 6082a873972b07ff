/** What an address or script has: asked with one of the three things that name it. */
import { RpcFailure } from '../../src/client/client.js';
import type { Owner } from './forms.js';
import { rpc } from './rpc.js';

/** Outputs that are summed up, and pages of assets that are. */
const SUMMED = 5_000;
const PAGE = 1_000;
const ASSET_PAGES = 20;

export interface Holding {
  /** Satoshis on unspent outputs. */
  readonly amount: bigint;
  readonly outputs: number;
  /** False: there are more outputs than are summed up. */
  readonly complete: boolean;
}

interface Asset {
  readonly asset: string;
  readonly amount: string;
  readonly outputs: number;
}

export interface Assets {
  readonly assets: readonly Asset[];
  readonly complete: boolean;
}

/** Whether a server keeps no index by address. */
export function isNotIndexed(error: unknown): boolean {
  return error instanceof RpcFailure && error.code === 'RPC_NO_INDEX';
}

/** What the newest unspent outputs hold. */
export async function holdingOf(owner: Owner): Promise<Holding> {
  let [amount, outputs, cursor]: [bigint, number, string | null] = [0n, 0, null];
  do {
    const page: Awaited<ReturnType<typeof unspent>> = await unspent(owner, cursor);
    for (const item of page.items) amount += BigInt(item.amount);
    outputs += page.items.length;
    cursor = page.cursor;
  } while (cursor !== null && outputs < SUMMED);
  return { amount, outputs, complete: cursor === null };
}

function unspent(owner: Owner, cursor: string | null) {
  return rpc.call('warpshrew_listoutputs', { ...owner, unspent: true, reverse: true, limit: PAGE, cursor });
}

/** Assets of the lane on the first unspent outputs: each page of the server tells sums of its own. */
export async function assetsOf(owner: Owner): Promise<Assets> {
  const sums = new Map<string, { amount: bigint; outputs: number }>();
  let cursor: string | null = null;
  for (let pages = 0; pages === 0 || (cursor !== null && pages < ASSET_PAGES); pages++) {
    const page: { items: readonly Asset[]; cursor: string | null } = await rpc.call('warpshrew_listassets', {
      ...owner,
      limit: PAGE,
      cursor,
    });
    for (const { asset, amount, outputs } of page.items) {
      const sum = sums.get(asset) ?? { amount: 0n, outputs: 0 };
      sums.set(asset, { amount: sum.amount + BigInt(amount), outputs: sum.outputs + outputs });
    }
    cursor = page.cursor;
  }
  const assets = [...sums].map(([asset, { amount, outputs }]) => ({ asset, amount: amount.toString(), outputs }));
  return { assets, complete: cursor === null };
}

/** Whether any transaction has to do with the script of a hash; false where no index tells. */
export async function isKnownScript(scriptHash: string): Promise<boolean> {
  try {
    return (await rpc.call('warpshrew_listhistory', { scriptHash, limit: 1 })).items.length > 0;
  } catch (error) {
    if (isNotIndexed(error)) return false;
    throw error;
  }
}
