import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../errors/errors.js';

/** Writes a file of a report into `folder`, which is made; gives its path. Throws EnvironmentError ENV_UNWRITABLE. */
export function writeReport(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the report cannot be written', {
      facts: { path },
      cause,
      hint: 'Name a folder that this user may write to with --out.',
    });
  }
  return path;
}
