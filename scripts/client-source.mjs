/** Writes the methods of the TypeScript client from the OpenRPC document. */

const HEAD = `/**
 * What the server's methods take and give: written by scripts/generate-docs.mjs from docs/openrpc.json. Do not edit.
 */
`;

/** Of an object on one line. */
const MOST_LINE = 80;
/** Values of an enumeration on one line. */
const MOST_ON_LINE = 10;

const nameOf = ($ref) => $ref.split('/').at(-1);

/** A schema as a TypeScript type. */
function typeOf(schema, indent = '') {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.enum !== undefined) {
    const values = schema.enum.map((value) => `'${value}'`);
    return values.length > MOST_ON_LINE ? values.map((value) => `\n  | ${value}`).join('') : values.join(' | ');
  }
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((one) => typeOf(one, indent)))].join(' | ');
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array': {
      const items = typeOf(schema.items, indent);
      return `readonly ${/[ {]/.test(items) ? `(${items})` : items}[]`;
    }
    case 'object': {
      if (schema.properties === undefined)
        return `Readonly<Record<string, ${typeOf(schema.additionalProperties, indent)}>>`;
      const line = lineOf(schema);
      if (line !== undefined) return line;
      const inner = `${indent}  `;
      const members = Object.entries(schema.properties).map(([name, of]) => {
        const mark = schema.required.includes(name) ? '' : '?';
        return `${inner}readonly ${name}${mark}: ${typeOf(of, inner)};\n`;
      });
      return members.length === 0 ? 'Readonly<Record<string, never>>' : `{\n${members.join('')}${indent}}`;
    }
    default:
      return 'unknown';
  }
}

/** The type of an object of few members, none of them an object, on one line; undefined if it is too long. */
function lineOf({ properties, required }) {
  const members = Object.entries(properties).map(([name, of]) => {
    return `readonly ${name}${required.includes(name) ? '' : '?'}: ${typeOf(of)}`;
  });
  const line = `{ ${members.join('; ')} }`;
  return members.length === 0 || line.length > MOST_LINE || line.includes('\n') ? undefined : line;
}

function methodOf({ name, summary, params, result }) {
  const given = params.map((param) => `${param.name}${param.required ? '' : '?'}: ${typeOf(param.schema, '    ')}`);
  return [
    `  /** ${summary}. */`,
    `  ${/^\w+$/.test(name) ? name : `'${name}'`}: {`,
    `    readonly params: [${given.join(', ')}];`,
    `    readonly result: ${typeOf(result.schema, '    ')};`,
    '  };',
  ].join('\n');
}

/** The texts of src/client/types.ts and src/client/methods.ts. */
export function clientSources({ methods, components }) {
  const { schemas } = components;
  const types = Object.entries(schemas).map(([name, schema]) => {
    const { description } = schema;
    const about = description === undefined ? '' : `/** ${description[0].toUpperCase()}${description.slice(1)}. */\n`;
    return `${about}export type ${name} =${typeOf(schema).replace(/^(?!\n)/, ' ')};\n`;
  });
  const all = methods.map(methodOf).join('\n');
  const used = Object.keys(schemas).filter((name) => new RegExp(`\\b${name}\\b`).test(all.replace(/\/\*.*?\*\//g, '')));
  const imports = `import type {\n${used
    .sort(compare)
    .map((name) => `  ${name},\n`)
    .join('')}} from './types.js';\n`;
  const names = methods.map(({ name }) => `  '${name}',\n`).join('');
  return {
    'src/client/types.ts': [HEAD, ...types].join('\n'),
    'src/client/methods.ts': [
      HEAD,
      imports,
      `/** Every method by name. */\nexport interface Methods {\n${all}\n}\n`,
      '/** In the order of the document. */',
      `export const METHOD_NAMES = [\n${names}] as const satisfies readonly (keyof Methods)[];\n`,
    ].join('\n'),
  };
}

const compare = (a, b) => (a < b ? -1 : 1);
