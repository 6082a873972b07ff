/** The explorer as the build wrote it to dist/explorer: its page, and files whose names tell their content. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../errors/errors.js';
import type { FileEncoding, StaticFile } from '../rpc/static-files.js';
import { shipped } from '../util/shipped.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const ENDINGS: Readonly<Record<FileEncoding, string>> = { br: '.br', gzip: '.gz' };

/** Nothing but what this server itself gives, no script that is not a file of it, and no frame around the page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SAFE: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** The files of the explorer by path; `/` is its page. Throws EnvironmentError ENV_NO_EXPLORER. */
export function explorerFiles(folder = fileURLToPath(shipped('explorer'))): ReadonlyMap<string, StaticFile> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new EnvironmentError('ENV_NO_EXPLORER', 'the explorer is not built', {
      facts: { folder },
      hint: 'Build it (npm run build), or serve without it (--no-explorer).',
    });
  }
  const names = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return new Map(names.map((name) => [name === 'index.html' ? '/' : `/explorer/${name}`, read(folder, name)]));
}

function read(folder: string, name: string): StaticFile {
  const encoded: Partial<Record<FileEncoding, Uint8Array>> = {};
  for (const [encoding, ending] of Object.entries(ENDINGS) as [FileEncoding, string][]) {
    const path = join(folder, name + ending);
    if (existsSync(path)) encoded[encoding] = readFileSync(path);
  }
  const cache = name === 'index.html' ? 'no-cache' : 'public, max-age=31536000, immutable';
  const headers = { 'content-type': TYPES[extname(name)], 'cache-control': cache, ...SAFE };
  return { headers, plain: readFileSync(join(folder, name)), encoded };
}
