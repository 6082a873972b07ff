/** The OpenRPC document of the server. */
import { COMPONENTS } from './components.js';
import { DESCRIPTIONS, type Parameter } from './descriptions.js';
import type { Schema } from './schema.js';

export interface OpenRpcMethod {
  readonly name: string;
  readonly summary: string;
  readonly paramStructure: 'by-position';
  readonly params: readonly Parameter[];
  readonly result: { readonly name: string; readonly schema: Schema };
}

export interface OpenRpcDocument {
  readonly openrpc: string;
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly license: { readonly name: string };
  };
  readonly methods: readonly OpenRpcMethod[];
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** `version`: of the package. */
export function openRpcDocument(version: string): OpenRpcDocument {
  return {
    openrpc: '1.3.2',
    info: { title: 'warpshrew', version, license: { name: 'MIT' } },
    methods: Object.entries(DESCRIPTIONS).map(([name, { summary, params, result }]) => ({
      ...{ name, summary, paramStructure: 'by-position', params },
      result: { name: 'result', schema: result },
    })),
    components: { schemas: COMPONENTS },
  };
}

/** How a method is called, as the server says it when a call is wrong: `name [param, param?]`. */
export function usageOf(name: string): string {
  const { params } = DESCRIPTIONS[name];
  const shown = params.map(({ name: param, required, schema }) => {
    const members = schema.properties ?? refMembers(schema);
    const text =
      members === undefined
        ? param
        : `{${Object.keys(members)
            .map((member) => `${member}?`)
            .join(', ')}}`;
    return required ? text : `${text}?`;
  });
  return `${name} [${shown.join(', ')}]`;
}

function refMembers({ $ref }: Schema): Schema['properties'] {
  const name = $ref?.split('/').at(-1);
  return name === undefined ? undefined : COMPONENTS[name].properties;
}
