/** The key that coins are locked to: WIF, hex, or a descriptor of one key. */
import { address } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { bech32Prefix } from '../bitcoin/address.js';
import type { Network } from '../chain/networks.js';
import { UsageError } from '../errors/errors.js';
import { fromHex } from '../util/bytes.js';
import { type Lock, p2wpkh, taprootKey } from './locks.js';
import { readWif } from './wif.js';

/** A key alone, or `wpkh(KEY)` or `tr(KEY)`, with or without the checksum of a descriptor. */
const FORM = /^(?:(wpkh|tr)\(([0-9A-Za-z]+)\)(?:#[a-z0-9]{8})?|([0-9A-Za-z]+))$/;

/**
 * Reads what locks and spends coins. A key alone means `wpkh(KEY)`. Throws UsageError USAGE_KEY; the text is never part
 * of it.
 */
export function readKey(text: string, network: Network): Lock {
  const [, kind = 'wpkh', within, alone] = FORM.exec(text.trim()) ?? [];
  const key = within ?? alone;
  if (key === undefined) throw badKey('it is neither a key nor a descriptor of one');
  const secret = /^[0-9a-fA-F]{64}$/.test(key) ? fromHex(key) : secretOf(key, network);
  if (!ecc.isPrivate(secret)) throw badKey('its number is not that of a private key');
  return kind === 'tr' ? taprootKey(secret) : p2wpkh(secret);
}

function secretOf(key: string, network: Network): Uint8Array {
  const found = readWif(key);
  if (found === undefined) throw badKey('its checksum is wrong, or it is no private key in WIF (compressed)');
  if (found.mainnet !== (network === 'mainnet')) {
    throw badKey(`it is of ${found.mainnet ? 'mainnet' : 'a test network'}, and the node is on ${network}`);
  }
  return found.secret;
}

function badKey(why: string): UsageError {
  return new UsageError('USAGE_KEY', `the key cannot be used: ${why}`, {
    hint: 'Write one private key into the file of --key: WIF, 64 hex digits, wpkh(WIF) or tr(WIF).',
  });
}

/** The address of a witness script, as wallets show it. */
export function addressOfWitness(script: Uint8Array, network: Network): string {
  const version = script[0] === 0 ? 0 : script[0] - 0x50;
  return address.toBech32(script.subarray(2), version, bech32Prefix(network));
}
