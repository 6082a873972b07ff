import { readFileSync, statSync } from 'node:fs';
import { InputError } from '../errors/errors.js';
import { concatBytes } from '../util/bytes.js';

/** Largest WASM file the host reads: 64 MiB, several times the largest indexer in use. */
const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** Bytes of a file named on the command line. Throws InputError FILE_UNREADABLE or FILE_TOO_LARGE. */
export function readInputFile(path: string, maxBytes: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > maxBytes) {
      throw new InputError('FILE_TOO_LARGE', 'the file is larger than any of its kind', {
        facts: { path, size, maxBytes },
      });
    }
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError('FILE_UNREADABLE', 'the file cannot be read', { facts: { path }, cause });
  }
}

export function readModuleFile(path: string): Uint8Array {
  return readInputFile(path, MAX_MODULE_BYTES);
}

/** The bytes of the standard input. Throws InputError FILE_TOO_LARGE. */
export async function readStandardInput(
  maxBytes: number,
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stdin) {
    const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part;
    size += bytes.length;
    if (size > maxBytes) {
      throw new InputError('FILE_TOO_LARGE', 'the standard input is larger than any of its kind', {
        facts: { maxBytes },
      });
    }
    parts.push(bytes);
  }
  return concatBytes(...parts);
}
