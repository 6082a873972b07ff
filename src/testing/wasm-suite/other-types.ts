/** Cuts out of test modules what works on other types than a program may use. */
import { LIMITS } from '../../program/limits.js';
import { atoms, type Expression, readForms, stringBytes, writeExpression } from './s-expressions.js';

const OTHER_TYPES =
  /^(f32|f64|v128|i8x16|i16x8|i32x4|i64x2|f32x4|f64x2|externref|anyref|exnref)(\.|$)|^ref$|_f(32|64)|\/f(32|64)/;

/** Words of functions that leave something behind, or call what is not named. */
const CHANGES = /(global|table)\.set$|\.(grow|fill|copy|init|drop)$|\.store|^call_indirect$/;

/** Names of the functions that may leave something behind, by themselves or through what they call. */
function changing(fields: readonly Expression[]): ReadonlySet<string> {
  const functions = fields.filter((f): f is readonly Expression[] => Array.isArray(f) && f[0] === 'func');
  const found = new Set<string>();
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const field of functions) if (mayChange([...atoms(field)], found)) found.add(String(field[1]));
  }
  return found;
}

/** Whether a function of these words does; calls by number may do anything. */
function mayChange(words: readonly string[], changing: ReadonlySet<string>): boolean {
  return words.some((word, i) => {
    const callee = word === 'call' ? (words[i + 1] ?? '') : undefined;
    return CHANGES.test(word) || (callee !== undefined && (!callee.startsWith('$') || changing.has(callee)));
  });
}

export interface WithoutOtherTypes {
  readonly text: string;
  /** Exported names that are stubs now, and whether what stood there could leave something behind for later calls. */
  readonly stubs: ReadonlyMap<string, boolean>;
}

/**
 * The text of a module with a stub for every type and function that works on other types than ours, and for every one that calls such a
 * function; stubs keep the indices of the others. So does every function with a br_table that is longer than the rules allow.
 */
export function withoutOtherTypes(source: string): WithoutOtherTypes {
  const [form] = readForms(source);
  const stubs = new Map<string, boolean>();
  if (form === undefined) return { text: source, stubs };
  let fields = [...form.expression];
  const changers = changing(fields);
  const gone = new Set<string>();
  /** Functions that are stubs now, and what they may do: tables may hold them as before. */
  const goneFunctions = new Map<string, boolean>();
  for (let changed = true; changed; ) {
    changed = false;
    fields = fields.flatMap((field): Expression[] => {
      if (!Array.isArray(field) || !REPLACED.has(String(field[0])) || isStub(field)) return [field];
      const own = typeof field[1] === 'string' && field[1].startsWith('$') ? field[1] : undefined;
      const isFunction = field[0] === 'func';
      const words = [...atoms(field)].filter((a) => a !== own);
      const touches = words.some((a) => OTHER_TYPES.test(a) || gone.has(a) || (isFunction && goneFunctions.has(a)));
      if (!touches && !(words.length > LIMITS.brTable && words.includes('br_table'))) return [field];
      changed = true;
      const changes = mayChange(words, changers);
      if (own !== undefined && isFunction) goneFunctions.set(own, changes);
      else if (own !== undefined) gone.add(own);
      if (field[0] === 'type') return [['type', ...(own === undefined ? [] : [own]), EMPTY_TYPE]];
      // Nothing counts on the number of these where scripts use such types.
      if (!isFunction) return [];
      const exports = field.filter((part) => Array.isArray(part) && part[0] === 'export');
      for (const [, name] of exports as string[][]) {
        if (name !== undefined) stubs.set(new TextDecoder().decode(stringBytes(name)), changes);
      }
      return [['func', ...(own === undefined ? [] : [own]), ...exports, ...STUB]];
    });
  }
  for (const field of fields) {
    if (!Array.isArray(field) || field[0] !== 'export' || !Array.isArray(field[2])) continue;
    const changes = goneFunctions.get(String(field[2][1]));
    if (typeof field[1] === 'string' && changes !== undefined) {
      stubs.set(new TextDecoder().decode(stringBytes(field[1])), changes);
    }
  }
  return { text: writeExpression(fields), stubs };
}

/** Fields that are replaced by stubs, or left out. */
const REPLACED = new Set(['func', 'type', 'table', 'global', 'elem']);
const EMPTY_TYPE: Expression = ['func'];
const STUB: readonly Expression[] = [['unreachable'], ['nop']];

function isStub(field: readonly Expression[]): boolean {
  return writeExpression(field).endsWith('(unreachable) (nop))');
}
