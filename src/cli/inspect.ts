/** `warpshrew inspect FILE.wasm`: what a module is, and whether lane and kernel take it. */
import { EXIT } from '../errors/errors.js';
import { type Inspection, inspectModule, type Refusal } from '../harness/inspect.js';
import { readInputFile } from './files.js';

/** Longer modules are refused whatever they hold. */
const MOST_BYTES = 8 << 20;
const NAMED = 40;

/** Exit status 1 if a creation of the module would fail. Throws InputError FILE_*. */
export function inspectCommand(
  file: string,
  { json }: { readonly json?: boolean },
): { text: string; exitStatus: number } {
  const found = inspectModule(readInputFile(file, MOST_BYTES));
  const exitStatus = found.refused === undefined ? 0 : EXIT.check;
  return { text: json ? JSON.stringify(found) : textOf(file, found), exitStatus };
}

function textOf(file: string, found: Inspection): string {
  const { refused, meta, kernel } = found;
  const lines = [
    `${file}: ${found.bytes} bytes, ${found.gzipped} gzipped, SHA-256 ${found.hash}`,
    ...listed('imports', found.imports),
    ...listed('exports', found.exports),
  ];
  if (refused !== undefined) return [...lines, 'would not be created', ...refusalText(refused)].join('\n');
  const memory = `${found.pages} pages of memory, ${found.entryFuel} units of fuel before the first instruction`;
  lines.push(`would be created: ${memory}`);
  lines.push(`prepared in ${found.prepareMs.toFixed(1)} ms, compiled by V8 in ${found.compileMs?.toFixed(1)} ms`);
  if (meta !== undefined && 'json' in meta) lines.push(`says of itself ${JSON.stringify(meta.json)}`);
  else if (meta !== undefined) lines.push('says nothing of itself', ...refusalText(meta.refused));
  if (kernel?.takes === true) lines.push(`the kernel takes it, with ${kernel.window} bytes of memory a call`);
  else if (kernel !== undefined) lines.push(`the kernel does not take it: ${kernel.reason}`);
  return lines.join('\n');
}

function listed(what: string, names: readonly string[] | undefined): string[] {
  if (names === undefined) return [`${what}: it is no module that V8 reads`];
  const more = names.length > NAMED ? [`  and ${names.length - NAMED} more`] : [];
  return [`${what}`, ...names.slice(0, NAMED).map((name) => `  ${name}`), ...more];
}

function refusalText({ code, message, facts, hint }: Refusal): string[] {
  const known = Object.entries(facts).map(([name, value]) => `    ${name}: ${value}`);
  return [`  ${code}: ${message}`, ...known, ...(hint === undefined ? [] : [`    hint: ${hint}`])];
}
