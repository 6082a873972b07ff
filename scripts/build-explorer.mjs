// Bundles explorer/ to dist/explorer, or to the folder given: index.html, and beside it scripts and style whose names
// tell their content. Each lies there as it is and compressed, for servers that only hand files out.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Of everything together, compressed. */
const MOST_BYTES = 250_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? join(root, 'dist/explorer');

const { metafile, outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { explorer: 'explorer/main.tsx', style: 'explorer/style/style.css', icon: 'explorer/icon.svg' },
  outdir: out,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  loader: { '.svg': 'copy' },
  bundle: true,
  // What a page needs that few look at is loaded with that page.
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  metafile: true,
  write: true,
});
void outputFiles;

const written = Object.entries(metafile.outputs).map(([path, { entryPoint }]) => ({
  name: basename(path),
  path: join(root, path),
  entryPoint,
}));
const nameOf = (entry) => written.find(({ entryPoint }) => entryPoint === entry)?.name ?? '';
const html = readFileSync(join(root, 'explorer/index.html'), 'utf8')
  .replace('{{script}}', `explorer/${nameOf('explorer/main.tsx')}`)
  .replace('{{style}}', `explorer/${nameOf('explorer/style/style.css')}`)
  .replace('{{icon}}', `explorer/${nameOf('explorer/icon.svg')}`);
writeFileSync(join(out, 'index.html'), html);

let total = 0;
for (const path of [join(out, 'index.html'), ...written.map(({ path }) => path)]) {
  const bytes = readFileSync(path);
  const gzip = gzipSync(bytes, { level: 9 });
  total += gzip.length;
  writeFileSync(`${path}.gz`, gzip);
  writeFileSync(
    `${path}.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  );
}
if (total > MOST_BYTES) {
  process.stderr.write(`build-explorer: ${relative(root, out)} has ${total} bytes in gzip, more than ${MOST_BYTES}\n`);
  process.exit(1);
}
