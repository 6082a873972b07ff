/** Packages that a project brings: compilers and generators that nobody needs who only runs an index. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../errors/errors.js';

/** What `require.resolve` does not find: packages that are modules alone say for `import` where they lie. */
const MODULES: Readonly<Record<string, string>> = {
  'assemblyscript/asc': 'assemblyscript/dist/asc.js',
  assemblyscript: 'assemblyscript/dist/assemblyscript.js',
};

/** Imports `name` as the project in `folder` sees it, or as this package does. */
export async function projectPackage(folder: string, name: string): Promise<unknown> {
  for (const from of [pathToFileURL(join(folder, 'package.json')).href, import.meta.url]) {
    try {
      return await import(pathToFileURL(createRequire(from).resolve(MODULES[name] ?? name)).href);
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
  return /^(ERR_)?MODULE_NOT_FOUND$|^ERR_PACKAGE_PATH_NOT_EXPORTED$/.test(String(code));
}
