// The names of the contract SDK with their doc comments, from its sources.
import { existsSync, readFileSync } from 'node:fs';

const FOLDERS = ['wasm/package-sdk', 'wasm/sdk'];
const root = new URL('..', import.meta.url);

/** The text of a module as the package has it. */
function sourceOf(module) {
  const file = FOLDERS.map((folder) => new URL(`${folder}/${module}.ts`, root)).find((each) => existsSync(each));
  return readFileSync(file, 'utf8');
}

/** `export function NAME(…): TYPE`, of the host too, behind its doc comment and decorators. */
const FUNCTION =
  /(?:^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?(?:^@.*\n)*^export (?:declare )?function (\w+)(\([^{;]*?\): \w+)(?: \{|;)/gm;

/** Its exported functions: name, parameters and result, text. */
function functionsOf(module) {
  return [...sourceOf(module).matchAll(FUNCTION)].map(([, comment = '', name, shape]) => ({
    name,
    shape: shape.replace(/\s+/g, ' ').replace('( ', '(').replace(', )', ')'),
    text: comment.replace(/\n \*/g, ' ').replace(/\s+/g, ' ').replaceAll('|', '\\|').trim(),
  }));
}

const TITLES = {
  context: 'The call',
  chain: 'What surrounds it',
  storage: 'Storage',
  values: 'Values with a type',
  response: 'The response',
  stop: 'Ends',
  calls: 'Calls of contracts',
  memory: 'Memory and buffers',
  intrinsics: 'What the host and the kernel compute',
  merkle: 'Merkle proofs',
  signed: 'Signed messages',
  env: 'Dry runs',
};
const NUMBERS = { u128: 'Numbers of 128 bits: 16 bytes', u256: 'Numbers of 256 bits: 32 bytes' };

function table(rows) {
  return ['| name | parameters and result | what it does |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** The reference as Markdown. Throws if a name has no module here, or no comment. */
export function sdkReference() {
  const exported = [...sourceOf('index').matchAll(/^export \{(.*?)\} from '\.\/(\w+)';/gm)].flatMap(
    ([, names, module]) => names.split(',').map((name) => ({ module, name: name.trim() })),
  );
  const unknown = exported.filter(({ module }) => TITLES[module] === undefined);
  if (unknown.length > 0) throw new Error(`no title for ${unknown.map(({ module }) => module).join(', ')}`);
  const sections = Object.entries(TITLES).map(([module, title]) => {
    const functions = functionsOf(module);
    const rows = exported
      .filter((each) => each.module === module)
      .map(({ name }) => {
        const { shape = '', text = '' } = functions.find((each) => each.name === name) ?? {};
        if (text === '') throw new Error(`${name} of ${module} has no comment`);
        return `| \`${name}\` | \`${shape}\` | ${text} |`;
      });
    return `### ${title}\n\n${table(rows)}`;
  });
  const numbers = Object.entries(NUMBERS).map(([module, title]) => {
    const rows = functionsOf(module).map(({ name, shape, text }) => {
      if (text === '') throw new Error(`${name} of ${module} has no comment`);
      return `| \`${module}.${name}\` | \`${shape}\` | ${text} |`;
    });
    return `### ${title}\n\n${table([`| \`${module}\` | | the functions below |`, ...rows])}`;
  });
  return [...sections, ...numbers].join('\n');
}
