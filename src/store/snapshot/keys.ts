import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { EnvironmentError, InputError } from '../../errors/errors.js';

/** A PEM of an Ed25519 key has some 120 bytes. */
const MAX_KEY_BYTES = 10_000;

/**
 * Writes an Ed25519 key pair: `path` (PKCS #8 PEM, readable by its owner only) and `path`.pub (SPKI PEM). Overwrites
 * nothing.
 */
export function writeKeyPair(path: string): { readonly privateFile: string; readonly publicFile: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const publicFile = `${path}.pub`;
  try {
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
    writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' });
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'a key file cannot be written, or exists already', {
      facts: { path },
      cause,
    });
  }
  return { privateFile: path, publicFile };
}

/** Throws InputError SNAPSHOT_BAD_KEY if the file holds no Ed25519 private key, FILE_UNREADABLE. */
export function readPrivateKey(path: string): KeyObject {
  return ed25519(path, 'private', createPrivateKey);
}

/** Throws InputError SNAPSHOT_BAD_KEY if the file holds no Ed25519 public key, FILE_UNREADABLE. */
export function readPublicKey(path: string): KeyObject {
  const pem = keyFile(path);
  // node:crypto would derive the public key from it, but a private key here means that the wrong file was handed out.
  if (pem.includes('PRIVATE KEY')) throw badKey(path, 'public');
  return ed25519(path, 'public', createPublicKey);
}

function ed25519(path: string, kind: 'private' | 'public', parse: (pem: string) => KeyObject): KeyObject {
  const pem = keyFile(path);
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (cause) {
    throw badKey(path, kind, cause);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw badKey(path, kind);
  return key;
}

function keyFile(path: string): string {
  try {
    if (statSync(path).size > MAX_KEY_BYTES) return '';
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InputError('FILE_UNREADABLE', 'the file cannot be read', { facts: { path }, cause });
  }
}

function badKey(path: string, kind: string, cause?: unknown): InputError {
  return new InputError('SNAPSHOT_BAD_KEY', `the file holds no Ed25519 ${kind} key in PEM form`, {
    facts: { path },
    hint: '`warpshrew snapshot key --out FILE` makes FILE and FILE.pub.',
    cause,
  });
}
