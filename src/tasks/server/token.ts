import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from '../../errors/errors.js';

const LEAST_LENGTH = 16;
export const MOST_TOKEN = 256;

/** The token of a file, without white space around it. Throws UsageError USAGE_GPU_SERVER. */
export function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new UsageError('USAGE_GPU_SERVER', 'the file of the token cannot be read', { facts: { file }, cause });
  }
  const bytes = Buffer.byteLength(token);
  if (bytes < LEAST_LENGTH || bytes > MOST_TOKEN) {
    throw new UsageError('USAGE_GPU_SERVER', `a token has ${LEAST_LENGTH} to ${MOST_TOKEN} bytes`, {
      facts: { file, bytes },
      hint: 'head -c 32 /dev/urandom | base64 > FILE',
    });
  }
  return token;
}

/** Compares in a time that says nothing of either. */
export function tokensEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
