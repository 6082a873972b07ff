import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../util/cache-folder.js';
import { shipped } from '../util/shipped.js';

/** No longer file was written by this program. */
const MAX_LENGTH = 4_096;

/** A finished verification: another start of the same build over the same chain need not run it again. */
export interface Verification {
  /** Of the chain's last block, as the kernel computed it; 64 hex digits. */
  readonly stateRoot: string;
  /** Messages that ran in the kernel. */
  readonly inKernel: number;
  readonly adapter: string;
}

/**
 * Names the program to the byte, the bundled chain with it, and what runs its kernels: everything that a verification
 * depends on. `adapter`: what runs the kernels, with its version.
 */
export function verificationKey(adapter: string): string {
  const hash = createHash('sha256');
  const dawn = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
  hash.update(JSON.stringify([adapter, dawn.version, process.version, process.platform, process.arch]));
  const dist = fileURLToPath(shipped('.'));
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(dist, file);
    if (file.startsWith('.') || !statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    hash.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

function file(): string {
  return join(cacheFolder(), 'verified.json');
}

/**
 * The verification with this key; undefined if there is none, or the file is not one that this program wrote.
 */
export function recall(key: string): Verification | undefined {
  try {
    const text = readFileSync(file(), 'utf8');
    if (text.length > MAX_LENGTH) return undefined;
    const found = JSON.parse(text) as Record<string, unknown> | null;
    const { stateRoot, inKernel, adapter } = found ?? {};
    if (found?.key !== key || typeof stateRoot !== 'string' || typeof adapter !== 'string') return undefined;
    return Number.isSafeInteger(inKernel) ? { stateRoot, inKernel: inKernel as number, adapter } : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers the verification and forgets the previous one. Throws the errors of the file system. */
export function remember(key: string, verification: Verification): void {
  const fresh = `${file()}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify({ key, ...verification })}\n`);
  renameSync(fresh, file());
}
