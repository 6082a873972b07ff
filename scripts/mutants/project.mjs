// A copy of the project in which one source file at a time is changed, so that the working tree is never touched.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests load: sources from src/, worker threads and programs from dist/. Both are copied, both are mutated. */
const COPIED = ['src', 'test', 'dist', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** What no mutant changes. */
const LINKED = ['node_modules', 'kernels', 'fixtures', 'wasm', 'docs', 'bench', 'scripts', 'README.md'];

export class ProjectCopy {
  constructor(root) {
    this.folder = mkdtempSync(join(tmpdir(), 'warpshrew-mutants-'));
    // The compiler is the project's own; TypeScript is CommonJS.
    this.typescript = createRequire(join(root, 'package.json'))('typescript');
    for (const name of COPIED) cpSync(join(root, name), join(this.folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(root, name), join(this.folder, name));
  }

  /** Puts the mutant in, in src/ and in dist/; returns what takes it out again. */
  apply({ id, file, find, replace }) {
    const source = join(this.folder, file);
    const built = join(this.folder, file.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js'));
    const before = readFileSync(source, 'utf8');
    const builtBefore = readFileSync(built, 'utf8');
    const mutated = before.replace(find, () => replace);
    writeFileSync(source, mutated);
    writeFileSync(built, this.#compile(id, file, mutated));
    return () => {
      writeFileSync(source, before);
      writeFileSync(built, builtBefore);
    };
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
