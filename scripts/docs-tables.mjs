/** Tables of the documentation that are made from the sources: each lies between two marks in its page. */
import { createHash } from 'node:crypto';
import { sdkReference } from './sdk-reference.mjs';
import { vectors } from './state-root/vectors.mjs';

/** A page with `text` between the marks of the table `name`. Throws if the page lacks the marks. */
export function withTable(page, name, text) {
  const [begin, end] = [`<!-- generated: ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no marks of the table ${name}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** The tables of error codes, one a class (src/errors/codes/registry.ts). */
function errorTables(classes, exit) {
  return classes
    .map(({ name, title, exit: kind, codes }) => {
      const numbers = Object.values(codes).some((texts) => texts.length > 2);
      const ends = kind === undefined ? '' : `exit status ${exit[kind]}`;
      const facts = [name === undefined ? '' : `\`${name}\``, ends].filter((fact) => fact !== '').join(', ');
      const head = numbers
        ? '| code | what is wrong | what to do | JSON-RPC | HTTP |\n| --- | --- | --- | --- | --- |'
        : '| code | what is wrong | what to do |\n| --- | --- | --- |';
      const rows = Object.entries(codes).map(([code, [meaning, action, rpc, http]]) => {
        const answer = rpc === undefined ? '- | -' : `${rpc} | ${http ?? 200}`;
        return `| \`${code}\` | ${meaning} | ${action} |${numbers ? ` ${answer} |` : ''}`;
      });
      return [`## ${title}\n`, ...(facts === '' ? [] : [`${facts}.\n`]), head, ...rows, ''].join('\n');
    })
    .join('\n');
}

const number = (n) => n.toLocaleString('en');

function hostPrice({ fuel, perUnit, unit, of }) {
  const words = [number(perUnit), 'per', unit === 1 ? 'byte' : `started ${unit} bytes`, of === '' ? '' : `of ${of}`];
  const units = words.filter((word) => word !== '').join(' ');
  return [...(fuel > 0 ? [number(fuel)] : []), ...(perUnit > 0 ? [units] : [])].join(' and ') || '0';
}

/** A table of functions of `env` (src/program/env.ts); `each`: the price of every call, as the first row. */
function envTable(functions, each) {
  const rows = Object.entries(functions).map(
    ([name, fn]) =>
      `| \`${name}\` | ${fn.signature.replaceAll(',', ', ').replace('->', ' -> ')} | ${fn.about} | ${hostPrice(fn)} |`,
  );
  const first = each === undefined ? [] : [`| every one | | | ${number(each)} |`];
  return [
    '| function | signature | parameters and result | fuel |',
    '| --- | --- | --- | --- |',
    ...first,
    ...rows,
    '',
  ].join('\n');
}

/** What the prices of src/program/prices.ts are for: what is charged, for what, and the price where it is no number. */
const RUN_PRICES = {
  ENTRY: {
    page: ['entry of a run', "page of the module's declared minimum of memory"],
    dataWord: ['entry of a run', 'started 4 bytes of all active data'],
    segment: ['entry of a run', 'active segment, of data or of elements'],
    element: ['entry of a run', 'element of active element segments'],
    tableElement: ['entry of a run', "element of the table's declared minimum"],
  },
  BULK: {
    memoryShift: ['memory.copy, memory.fill, memory.init', (shift) => [`started ${2 ** shift} bytes`, 1]],
    tableElement: ['table.copy, table.init, table.fill, table.grow', 'element'],
    grow: ['memory.grow', 'call'],
    growPage: ['memory.grow', 'page asked for'],
  },
  RESULT_FUEL: {
    mapByte: ['result', 'byte of the storage map as returned, the 4 bytes of its count included'],
    entry: ['result', 'entry of the map as declared, those that lose or remove included'],
    transfer: ['result', 'transfer, those of nothing included'],
    dataBytes: ['result', (bytes) => [`started ${bytes} bytes of data`, 1]],
  },
  CALL_FUEL: {
    checkpointByte: ['call of a contract', 'byte of the checkpoint as given'],
    entry: ['call of a contract', 'entry of the checkpoint as declared'],
    triple: ['call of a contract', 'triple of the parcel, those of nothing included'],
    bytes: ['call of a contract', (bytes) => [`started ${bytes} bytes of cellpack and parcel together`, 1]],
    builtIn: ['call of a built-in', 'call'],
    builtInBytes: ['call of a built-in', (bytes) => [`started ${bytes} bytes of its data`, 1]],
  },
};

/** The table of what a run costs beside its instructions and host calls. Throws if a price has no words here. */
function runPricesTable(prices) {
  const rows = Object.entries(RUN_PRICES).flatMap(([group, words]) => {
    const missing = Object.keys(prices[group]).filter((name) => !Object.hasOwn(words, name));
    if (missing.length > 0) throw new Error(`no words for ${group}.${missing.join(', ')}`);
    return Object.entries(words).map(([name, [what, per]]) => {
      const value = prices[group][name];
      const [unit, fuel] = typeof per === 'function' ? per(value) : [per, value];
      return `| ${what} | ${unit} | ${number(fuel)} |`;
    });
  });
  return ['| what | for each | fuel |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** The table of the settings of `warpshrew index` (src/service/options.ts). */
function settingsTable(options, flagOf) {
  const rows = Object.entries(options).map(([name, { about, fallback, secret, placeholder }]) => {
    const value = placeholder === undefined ? '' : ` ${placeholder.replaceAll('|', '\\|')}`;
    const hidden = secret ? ' (never printed)' : '';
    return `| \`${flagOf(name)}${value}\` | \`${name}\` | ${fallback ?? '-'} | ${about}${hidden} |`;
  });
  return ['| flag | in the file | default | meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

const VERDICTS = { same: 'same', better: 'better', other: 'other meaning', none: 'not offered' };

/** The table of the flags of rockshrew-mono (src/service/rockshrew-flags.ts). */
function rockshrewTable(flags) {
  const rows = Object.entries(flags).map(([name, { placeholder, variable, verdict, about }]) => {
    const value = placeholder === undefined ? '' : ` ${placeholder}`;
    const also = variable === undefined ? '' : `, \`${variable}\``;
    return `| \`--${name}${value}\`${also} | ${VERDICTS[verdict]} | ${about} |`;
  });
  return ['| flag | here | |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** The vectors of the state root that are short enough for a page. */
function vectorsTable({ roots, state, proofs, refused }) {
  const code = (text) => `\`${text}\``;
  return [
    '| pairs | root |',
    '| --- | --- |',
    ...roots.map(({ name, root }) => `| ${name} | ${code(root)} |`),
    '',
    `The state root of a = 1 in \`S\` and a = 1, b = 2 in \`P\` is ${code(state.state)}.`,
    '',
    '| proof | in | bytes | siblings | SHA-256 of the binary form |',
    '| --- | --- | --- | --- | --- |',
    ...proofs.map(({ set, about, json, binary }) => {
      const digest = createHash('sha256').update(binary, 'hex').digest('hex');
      return `| ${about} | ${set} | ${binary.length / 2} | ${json.siblings.length} | ${code(digest)} |`;
    }),
    '',
    'That b is present in a = 1, b = 2:',
    '',
    '```json',
    JSON.stringify(proofs.find(({ set }) => set === 'a = 1, b = 2')?.json, undefined, 2),
    '```',
    '',
    '```text',
    ...(proofs.find(({ set }) => set === 'a = 1, b = 2')?.binary.match(/.{1,64}/g) ?? []),
    '```',
    '',
    '| one bit changed in | at byte, bit | refused with | to who knows height and state root |',
    '| --- | --- | --- | --- |',
    ...refused.map(
      ({ what, at, bit, code: of, trusting }) =>
        `| ${what} | ${at}, ${bit} | ${of === null ? 'nothing' : code(of)} | ${code(trusting)} |`,
    ),
    '',
  ].join('\n');
}

/** Every generated table: its page, its name, its text. `of`: what the sources export. */
export function docsTables(of) {
  return [
    ['docs/errors.md', 'error codes', errorTables(of.CODE_CLASSES, of.EXIT)],
    ['docs/lane-rules.md', 'prices of runs', runPricesTable(of)],
    ['docs/lane-rules.md', 'host functions', envTable(of.HOST_FUNCTIONS, of.HOST_CALL_FUEL)],
    ['docs/lane-rules.md', 'intrinsics', envTable(of.INTRINSICS)],
    ['docs/metashrew.md', 'flags of rockshrew-mono', rockshrewTable(of.ROCKSHREW_FLAGS)],
    ['docs/operations.md', 'settings', settingsTable(of.OPTIONS, of.flagOf)],
    ['docs/sdk.md', 'names of the SDK', sdkReference()],
    ['docs/state-root.md', 'state root vectors', vectorsTable(vectors())],
  ];
}
