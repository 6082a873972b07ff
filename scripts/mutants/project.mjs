// A copy of the project in which one source file at a time is changed, so that the working tree is never touched.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundle, ENTRIES } from '../build/bundles.mjs';
import { compileWasm, WASM_TARGETS } from '../build/wasm-targets.mjs';

/** What tests load: sources from src/, worker threads and programs from dist/. Both are copied, both are mutated. */
const COPIED = ['src', 'wasm', 'test', 'dist', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** What no mutant changes. */
const LINKED = ['node_modules', 'kernels', 'fixtures', 'docs', 'bench', 'scripts', 'README.md'];
const COMPILED = 'wasm/';

/** A failed property kills at once: looking for the smallest case that fails takes minutes. */
const SETUP = "import { configureGlobal } from 'fast-check';\nconfigureGlobal({ endOnFailure: true });\n";
const CONFIG = `import { mergeConfig } from 'vitest/config';
import project from './vitest.config.ts';
export default async () => mergeConfig(await project(), { test: { setupFiles: ['./mutants-setup.ts'] } });
`;

export class ProjectCopy {
  constructor(root) {
    this.folder = mkdtempSync(join(tmpdir(), 'warpshrew-mutants-'));
    // The compiler is the project's own; TypeScript is CommonJS.
    this.typescript = createRequire(join(root, 'package.json'))('typescript');
    for (const name of COPIED) cpSync(join(root, name), join(this.folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(root, name), join(this.folder, name));
    writeFileSync(join(this.folder, 'mutants-setup.ts'), SETUP);
    writeFileSync(join(this.folder, 'mutants.config.ts'), CONFIG);
  }

  /** Puts the mutant in, in its source and in what is built of it; resolves with what takes it out again. */
  async apply({ id, file, find, replace }) {
    const before = new Map();
    const put = (path, bytes) => {
      before.set(path, existsSync(path) ? readFileSync(path) : undefined);
      writeFileSync(path, bytes);
    };
    const source = join(this.folder, file);
    const mutated = readFileSync(source, 'utf8').replace(find, () => replace);
    put(source, mutated);
    if (file.startsWith(COMPILED)) {
      for (const [path, bytes] of await this.#compileWasm(id, file)) put(path, bytes);
    } else {
      const name = file.replace(/^src\//, '').replace(/\.ts$/, '');
      const compiled = this.#compile(id, file, mutated);
      if (!ENTRIES.includes(name)) put(join(this.folder, 'dist', `${name}.js`), compiled);
      for (const [path, bytes] of await this.#bundlesOf(file)) put(path, bytes);
    }
    return () => {
      for (const [path, bytes] of before) {
        if (bytes === undefined) rmSync(path);
        else writeFileSync(path, bytes);
      }
    };
  }

  /** The bundles that `file` changes, as it is now, by path. */
  async #bundlesOf(file) {
    const { sources, files } = await bundle(this.folder);
    if (!sources.has(file)) return [];
    const made = files.map(({ path, contents }) => [join(this.folder, 'dist', path), contents]);
    return made.filter(([path, bytes]) => !existsSync(path) || !readFileSync(path).equals(bytes));
  }

  /** What the WebAssembly that `file` is part of is once it is mutated, by path. */
  async #compileWasm(id, file) {
    const made = new Map();
    const partOf = ({ source }) => this.#filesOf(source).has(file);
    for (const target of WASM_TARGETS.filter(partOf)) {
      const out = join(this.folder, 'mutated.wasm');
      const complaint = await compileWasm(this.folder, target, out);
      if (complaint !== undefined) throw new Error(`mutant ${id} does not compile: ${complaint}`);
      made.set(join(this.folder, 'dist/wasm', target.target), readFileSync(out));
    }
    return made;
  }

  /** A source with all that it imports, and so on. */
  #filesOf(source, known = new Set()) {
    if (known.has(source)) return known;
    known.add(source);
    const text = readFileSync(join(this.folder, source), 'utf8');
    for (const [, path] of text.matchAll(/ from '(\.\.?\/[^']+)';/g))
      this.#filesOf(`${join(dirname(source), path)}.ts`, known);
    return known;
  }

  /** The mutated file as JavaScript. A mutant that does not parse would be killed by every test and prove nothing. */
  #compile(id, file, text) {
    const { ModuleKind, ScriptTarget } = this.typescript;
    const { outputText, diagnostics } = this.typescript.transpileModule(text, {
      fileName: file,
      reportDiagnostics: true,
      compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
    });
    if (diagnostics.length > 0) throw new Error(`mutant ${id} does not parse: ${diagnostics[0].messageText}`);
    return outputText;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
