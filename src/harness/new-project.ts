/** A folder for a new contract: sources, tests and what a project needs, from a template. */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import { VERSION } from '../util/version.js';

export const TEMPLATES = ['token', 'amm', 'claim', 'empty'] as const;
export type Template = (typeof TEMPLATES)[number];

export interface NewProjectOptions {
  readonly template: Template;
  /** The contract of the template `token` in Rust. */
  readonly rust: boolean;
  /** What `package.json` says for this package: a version, or a packed file. */
  readonly packageSpec: string | undefined;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/**
 * Makes the folder and returns its path. Throws UsageError USAGE_NEW_NAME for a bad name, USAGE_NEW_FOLDER if there is
 * something, USAGE_NEW_RUST for a template that has no contract in Rust.
 */
export function newProject(path: string, { template, rust, packageSpec }: NewProjectOptions): string {
  const folder = resolve(path);
  const name = basename(folder);
  if (!NAME.test(name)) {
    throw new UsageError('USAGE_NEW_NAME', 'a project has a name of small letters, digits, dots, dashes', {
      facts: { name },
      hint: 'warpshrew new my-token',
    });
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError('USAGE_NEW_FOLDER', 'the folder is there and not empty', {
      facts: { folder },
      hint: 'Choose another name.',
    });
  }
  if (rust && template !== 'token') {
    throw new UsageError('USAGE_NEW_RUST', `the template ${template} has no contract in Rust`, {
      hint: 'warpshrew new NAME --template token --rust',
    });
  }
  mkdirSync(folder, { recursive: true });
  for (const part of rust ? ['token/tests', 'rust/contracts'] : [`${template}/contracts`, `${template}/tests`]) {
    cpSync(new URL(`templates/${part}`, shipped('')), join(folder, part.slice(part.indexOf('/') + 1)), {
      recursive: true,
    });
  }
  if (rust) {
    // No file of the package begins with a dot.
    const contract = join(folder, 'contracts/token');
    mkdirSync(join(contract, '.cargo'));
    renameSync(join(contract, 'cargo-config.toml'), join(contract, '.cargo/config.toml'));
  }
  const files = {
    'package.json': json(packageOf(name, packageSpec ?? VERSION)),
    'warpshrew.json': json({}),
    'tsconfig.json': json({
      compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, skipLibCheck: true },
      include: ['tests'],
    }),
    'contracts/tsconfig.json': json({ extends: 'assemblyscript/std/assembly.json', include: ['./**/*.ts'] }),
    '.gitignore': 'node_modules/\nbuild/\ntarget/\n',
    'README.md': readme(name, rust),
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function packageOf(name: string, spec: string): object {
  return {
    name,
    private: true,
    type: 'module',
    scripts: { test: 'warpshrew test' },
    devDependencies: { assemblyscript: '0.28.20', esbuild: '0.28.2', 'fast-check': '4.10.2', warpshrew: spec },
  };
}

function readme(name: string, rust: boolean): string {
  const source = rust ? '`contracts/token/` (Rust; needs `rustup target add wasm32-unknown-unknown`)' : '`contracts/`';
  return `# ${name}

\`\`\`sh
npm install
npm test                                    # one by one, in batches, and in the kernel where there is a driver
npx warpshrew test --watch
npx warpshrew test --fuzz 100000 --fuel write
npx warpshrew inspect build/*.wasm          # would it deploy, would the kernel take it
\`\`\`

The contract lies in ${source}, its tests in \`tests/\`.
The documents of warpshrew say more: \`docs/sdk.md\` (what a contract can do), \`docs/testing.md\` (what a test can do).
`;
}
