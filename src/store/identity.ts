import type { StoreCode } from '../errors/codes/registry.js';
import { StoreError } from '../errors/errors.js';
import type { StoreIdentity, StoreOptions } from './types.js';

/** Version of the layout in the database; raised whenever a row changes its form. */
export const STORE_SCHEMA = 6;
/** Version of the layout of the index by address; raised whenever a row of it changes its form. */
const ADDRESS_ROWS = 2;
/** Version of the lane rules that this program runs. */
export const LANE_RULES = 2;

/** What a new store would be created as. */
export function identityOf(options: StoreOptions): StoreIdentity {
  return {
    schema: STORE_SCHEMA,
    rules: LANE_RULES,
    network: options.network,
    laneStartHeight: options.laneStartHeight ?? 0,
    dependent: options.dependent ?? 'demote',
    moduleHash: options.moduleHash,
    ...(options.addresses === true && { addresses: true as const, addressRows: ADDRESS_ROWS }),
  };
}

const RECORDED_VALUE = 'Open it with the recorded value, or replay the chain into another folder.';
const NEW_RULES =
  'This version runs other lane rules, so every root may differ: index the chain into a new folder ' +
  '(index --db-path), or restore a snapshot that was made under the wanted rules (snapshot restore).';

const NEW_LAYOUT =
  'Nothing in it was changed. Restore a snapshot that a version with this layout made ' +
  '(snapshot restore --from FILE --db DIR), or index the chain into a new folder (index --db-path DIR).';

const INDEX_FIXED =
  'Nothing in it was changed. Blocks are not stored, so the index cannot be made afterwards, and with a gap it would ' +
  'be of no use: open it with the recorded value of --index, or index the chain into a new folder (index --db DIR).';

const HINTS: Partial<Record<keyof StoreIdentity, string>> = {
  rules: NEW_RULES,
  schema: NEW_LAYOUT,
  addresses: INDEX_FIXED,
  addressRows: NEW_LAYOUT,
};

const CHECKS: readonly (readonly [keyof StoreIdentity, code: StoreCode, what: string])[] = [
  ['schema', 'STORE_SCHEMA_MISMATCH', 'layout version'],
  ['rules', 'STORE_RULES_MISMATCH', 'lane rules version'],
  ['network', 'STORE_NETWORK_MISMATCH', 'network'],
  ['laneStartHeight', 'STORE_LANE_START_MISMATCH', 'lane start height'],
  ['dependent', 'STORE_DEPENDENT_MISMATCH', 'rule for dependent transactions'],
  ['moduleHash', 'STORE_MODULE_MISMATCH', 'standard module'],
  ['addresses', 'STORE_INDEX_MISMATCH', 'choice of an index'],
  ['addressRows', 'STORE_SCHEMA_MISMATCH', 'layout of the index by address'],
];

/** Throws a {@link StoreError} with the code of the first difference. */
export function checkIdentity(dir: string, recorded: StoreIdentity, wanted: StoreIdentity): void {
  for (const [field, code, what] of CHECKS) {
    if (recorded[field] !== wanted[field]) {
      throw new StoreError(code, `the store was made with another ${what}`, {
        facts: { path: dir, recorded: shown(recorded[field]), wanted: shown(wanted[field]) },
        hint: HINTS[field] ?? RECORDED_VALUE,
      });
    }
  }
}

/** What the record of a store says. Throws STORE_CORRUPT. */
export function parseIdentity(bytes: Uint8Array): StoreIdentity {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null) return value as StoreIdentity;
  } catch {
    // Told below.
  }
  throw new StoreError('STORE_CORRUPT', 'the identity record of the database cannot be read', {
    hint: 'Restore a snapshot, or index into a new folder.',
  });
}

/** The index is named as its setting does. */
function shown(value: string | number | boolean | undefined): string {
  if (value === undefined || value === true) return value === true ? 'addresses' : 'none';
  return String(value);
}
