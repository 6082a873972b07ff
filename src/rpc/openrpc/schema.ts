/** The part of JSON Schema that the methods are described with. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'array' | 'object';
  readonly description?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** False: no other members. */
  readonly additionalProperties?: false | Schema;
  readonly anyOf?: readonly Schema[];
}

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const NULL: Schema = { type: 'null' };
export const BOOLEAN: Schema = { type: 'boolean' };
export const TEXT: Schema = { type: 'string' };
export const COUNT: Schema = { type: 'integer', minimum: 0 };
/** A part of a whole: 0 to 1. */
export const SHARE: Schema = { type: 'number', minimum: 0, maximum: 1 };
export const ANY: Schema = {};

export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, NULL] });
export const list = (items: Schema): Schema => ({ type: 'array', items });
export const oneOf = (...names: readonly string[]): Schema => ({ type: 'string', enum: names });
export const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });

type Members = Readonly<Record<string, Schema>>;

/** An object with these members and no others: all of `required`, and any of `optional`. */
export function object(required: Members, optional: Members = {}): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}
