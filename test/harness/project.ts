import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, temporaryFolder } from '../helpers/cli.js';

/** A project with these files, which finds the packages of this one. `contracts`: bundled programs by name. */
export function makeProject(files: Readonly<Record<string, string>>, contracts?: readonly string[]): string {
  const folder = temporaryFolder();
  const paths = contracts?.map((name) => [name, join(ROOT, `dist/wasm/programs/${name}.wasm`)] as const);
  const config = paths === undefined ? {} : { contracts: Object.fromEntries(paths) };
  for (const [name, text] of Object.entries({ 'warpshrew.json': JSON.stringify(config), ...files })) {
    const path = new URL(name, `${pathToFileURL(folder).href}/`);
    mkdirSync(new URL('.', path), { recursive: true });
    writeFileSync(path, text);
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
