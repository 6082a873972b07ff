/** Says where a value is none of a schema: the part of JSON Schema that the OpenRPC document uses. */
import type { Schema } from '../../src/rpc/openrpc/schema.js';

const KNOWN = ['$ref', 'type', 'description', 'pattern', 'enum', 'minimum', 'maximum', 'items', 'properties'];
const MORE = ['required', 'additionalProperties', 'anyOf'];

type Schemas = Readonly<Record<string, Schema>>;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

/** The first thing that is wrong; undefined if nothing is. */
export function fault(value: unknown, schema: Schema, schemas: Schemas, at = ''): string | undefined {
  const unknown = Object.keys(schema).find((name) => ![...KNOWN, ...MORE].includes(name));
  if (unknown !== undefined) throw new Error(`the schema has ${unknown}, which is not known here`);
  if (schema.$ref !== undefined) {
    const named = schemas[schema.$ref.replace('#/components/schemas/', '')];
    if (named === undefined) throw new Error(`no schema ${schema.$ref}`);
    return fault(value, named, schemas, at);
  }
  if (schema.anyOf !== undefined) {
    const faults = schema.anyOf.map((one) => fault(value, one, schemas, at));
    return faults.includes(undefined) ? undefined : faults.join(', and ');
  }
  const isOf = typeOf(value) === schema.type || (schema.type === 'number' && typeof value === 'number');
  if (schema.type !== undefined && !isOf) return `${at} is no ${schema.type}`;
  if (typeof value === 'string') {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      return `${at} is not ${schema.pattern}`;
    if (schema.enum !== undefined && !schema.enum.includes(value)) return `${at} is none of ${schema.enum}`;
  }
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value))) {
    return `${at} is out of range`;
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    return items && first(value.map((one, i) => fault(one, items, schemas, `${at}[${i}]`)));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const missing = (schema.required ?? []).find((name) => !(name in value));
  if (missing !== undefined) return `${at} has no ${missing}`;
  return first(
    Object.entries(value).map(([name, member]) => {
      const known = schema.properties?.[name] ?? schema.additionalProperties;
      if (known === false) return `${at} has ${name}`;
      return known && fault(member, known, schemas, `${at}.${name}`);
    }),
  );
}

const first = (faults: readonly (string | undefined)[]): string | undefined => faults.find((one) => one !== undefined);
