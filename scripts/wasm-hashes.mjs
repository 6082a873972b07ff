// Writes fixtures/wasm.sha256: the SHA-256 of each WASM file of the build. Whoever builds the same sources has the same
// bytes, which `sha256sum --check` over dist/wasm/ tells:
//   npm run build && node scripts/wasm-hashes.mjs
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'dist', 'wasm');
const lines = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.wasm'))
  .sort()
  .map(
    (name) =>
      `${createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex')}  ${name}\n`,
  );
writeFileSync(join(root, 'fixtures', 'wasm.sha256'), lines.join(''));
