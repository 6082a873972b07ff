/** Packages that a project brings: compilers and generators that nobody needs who only runs an index. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../errors/errors.js';

/** Imports `name` as the project in `folder` sees it, or as this package does. */
export async function projectPackage(folder: string, name: string): Promise<unknown> {
  for (const from of [pathToFileURL(join(folder, 'package.json')).href, import.meta.url]) {
    try {
      return await import(pathToFileURL(createRequire(from).resolve(name)).href);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  throw new UsageError('USAGE_TEST_PACKAGE', `the package ${name} is missing`, {
    facts: { folder },
    hint: `npm install --save-dev ${name.split('/')[0]}, or npm install in a project that warpshrew made.`,
  });
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
}
