/** Reads test scripts (.wast) into modules and the calls that are made of them. */
import { concatBytes } from '../../util/bytes.js';
import { type Expression, type Form, readForms, stringBytes, writeExpression } from './s-expressions.js';
import type { Constant } from './wrap.js';

/** A call of an export; `expected` as in wrap.ts. Constants that are no integers are named by what they are (`ref.extern`). */
export interface ScriptCall {
  readonly name: string;
  readonly arguments: readonly (Constant | string)[];
  readonly expected: readonly (Constant | string)[] | 'trap' | undefined;
}

export interface ScriptModule {
  /** Text of the module form, or its bytes. */
  readonly source: string | Uint8Array;
  readonly calls: ScriptCall[];
}

export interface Script {
  readonly modules: readonly ScriptModule[];
  /** Modules that must be refused. */
  readonly invalid: readonly (string | Uint8Array)[];
  /** Forms that are about something else, by name. */
  readonly passedOver: Readonly<Record<string, number>>;
}

export function readScript(text: string): Script {
  const reader = new ScriptReader();
  for (const form of readForms(text)) reader.form(form);
  return reader;
}

class ScriptReader implements Script {
  readonly modules: ScriptModule[] = [];
  readonly invalid: (string | Uint8Array)[] = [];
  readonly passedOver: Record<string, number> = {};
  readonly #shared = new Set<ScriptModule>();
  readonly #named = new Map<string, ScriptModule>();

  form({ expression, text }: Form): void {
    const [head, second] = expression;
    switch (head) {
      case 'module': {
        const source = moduleSource(expression, text);
        if (source === undefined) {
          this.#passOver('module quote or definition');
          return;
        }
        const module: ScriptModule = { source, calls: [] };
        this.modules.push(module);
        if (typeof second === 'string' && second.startsWith('$')) this.#named.set(second, module);
        return;
      }
      case 'register': {
        // Others that come now may change its memory and table.
        const module = this.modules.at(-1);
        if (module !== undefined) this.#shared.add(module);
        this.#passOver('register');
        return;
      }
      case 'invoke':
        this.#call(expression, undefined, head);
        return;
      case 'assert_return':
        this.#call(second, expression.slice(2).map(constantOf), head);
        return;
      case 'assert_trap':
      case 'assert_exhaustion':
        this.#call(second, 'trap', head);
        return;
      case 'assert_invalid':
      case 'assert_malformed': {
        const source = Array.isArray(second) ? moduleSource(second, writeExpression(second)) : undefined;
        if (source === undefined) {
          this.#passOver('module quote or definition');
          return;
        }
        this.invalid.push(source);
        return;
      }
      default:
        this.#passOver(String(head));
        return;
    }
  }

  #call(action: Expression | undefined, expected: ScriptCall['expected'], head: string): void {
    if (!Array.isArray(action) || action[0] !== 'invoke') {
      this.#passOver(`${head} of something else`);
      return;
    }
    const named = typeof action[1] === 'string' && action[1].startsWith('$') ? action[1] : undefined;
    const module = named === undefined ? this.modules.at(-1) : this.#named.get(named);
    const [name, ...rest] = action.slice(named === undefined ? 1 : 2) as Expression[];
    if (module === undefined || this.#shared.has(module) || typeof name !== 'string') {
      this.#passOver(`${head} of no module`);
      return;
    }
    const text = new TextDecoder().decode(stringBytes(name));
    module.calls.push({ name: text, arguments: rest.map(constantOf), expected });
  }

  #passOver(what: string): void {
    this.passedOver[what] = (this.passedOver[what] ?? 0) + 1;
  }
}

function moduleSource(expression: readonly Expression[], text: string): string | Uint8Array | undefined {
  const words = expression.slice(1).filter((e, i) => !(i === 0 && typeof e === 'string' && e.startsWith('$')));
  if (words[0] === 'binary') {
    return concatBytes(...words.slice(1).map((e) => stringBytes(typeof e === 'string' ? e : '""')));
  }
  return words[0] === 'quote' || words[0] === 'definition' || words[0] === 'instance' ? undefined : text;
}

function constantOf(e: Expression): Constant | string {
  if (!Array.isArray(e)) return 'a word';
  const type = e[0] === 'i32.const' ? 'i32' : e[0] === 'i64.const' ? 'i64' : undefined;
  if (type === undefined || typeof e[1] !== 'string') {
    if (e[0] === 'ref.extern' || (e[0] === 'ref.null' && e[1] === 'extern')) return 'externref';
    return String(e[0]).replace('.const', '');
  }
  const digits = e[1].replaceAll('_', '').replace('+', '');
  const negative = digits.startsWith('-');
  const value = BigInt(negative ? digits.slice(1) : digits);
  return { type, value: negative ? -value : value };
}
