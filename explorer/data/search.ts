/** Finds the page that a text is about. */
import { pathTo } from '../route.js';
import { pageOf } from './forms.js';
import { isKnownScript } from './owner.js';
import { rpc } from './rpc.js';

/** Blocks that are looked through for a hash, the newest first: the server has no index of them. */
const HASHES_LOOKED_AT = 2_000;
const BATCH = 1_000;

/** The address of the page; undefined if there is nothing. Rejects with what the server says. */
export async function find(text: string): Promise<string | undefined> {
  const asked = text.trim();
  const sure = pageOf(asked);
  if (sure !== undefined) return sure;
  const hash = asked.toLowerCase().replace(/^0x/, '');
  return /^[0-9a-f]{64}$/.test(hash) ? findHash(hash) : undefined;
}

async function findHash(hash: string): Promise<string | undefined> {
  if ((await rpc.call('warpshrew_gettransaction', hash)) !== null) return pathTo('tx', hash);
  const block = await heightOf(hash);
  if (block !== undefined) return pathTo('block', block);
  const { items } = await rpc.call('warpshrew_listcontracts', { codeHash: hash, limit: 1 });
  if (items.length > 0) return pathTo('contracts', hash);
  return (await isKnownScript(hash)) ? pathTo('address', hash) : undefined;
}

async function heightOf(hash: string): Promise<number | undefined> {
  const tip = Number(await rpc.call('metashrew_height'));
  for (let top = tip; top >= 0 && top > tip - HASHES_LOOKED_AT; top -= BATCH) {
    const heights = Array.from({ length: Math.min(BATCH, top + 1) }, (_, i) => top - i);
    const answers = await rpc.batch(
      heights.map((height) => ({ method: 'metashrew_getblockhash' as const, params: [height] as [number] })),
    );
    const at = answers.indexOf(`0x${hash}`);
    if (at >= 0) return heights[at];
  }
  return undefined;
}
