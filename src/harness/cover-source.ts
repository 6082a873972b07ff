/**
 * Sources of contracts that say which of their statements run. Each statement gets a call before it on the same line,
 * so that lines stay what they are; the compiler's own parser says where statements begin.
 */
import { toBinaryString } from '../util/bytes.js';

/** A statement, or the beginning of a function. */
export interface CoverSite {
  /** As the compiler names it. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  /** Of the function that begins here. */
  readonly name: string | undefined;
}

/** What is used of the `assemblyscript` package. */
export interface AscParser {
  newOptions(): unknown;
  newProgram(options: unknown): { readonly sources: readonly SourceNode[] };
  parse(program: unknown, text: string, path: string, isEntry: boolean): void;
  readonly NodeKind: Readonly<Record<string, number>>;
}

interface SourceNode extends AstNode {
  readonly normalizedPath: string;
}

/** What is looked at of a node of a syntax tree. */
interface AstNode {
  readonly kind: number;
  readonly range: { readonly start: number; readonly end: number };
  readonly name?: { readonly text: string };
  readonly body?: AstNode | null;
  readonly ifTrue?: AstNode;
  readonly ifFalse?: AstNode | null;
  readonly statements?: readonly AstNode[];
  readonly members?: readonly AstNode[];
  readonly cases?: readonly AstNode[];
  readonly bodyStatements?: readonly AstNode[];
  readonly catchStatements?: readonly AstNode[] | null;
  readonly finallyStatements?: readonly AstNode[] | null;
}

/** What a hit is told with: these bytes, and the number of the site. */
const MARK = '\0covered';
const MARK_BYTES = 8;
const HIT_BYTES = MARK_BYTES + 4;
/** A bit of the contract's memory each; statements beyond them are not counted. */
const MOST_SITES = 32_768;

/** The module of the compiler's library that hits are told with: each site once a run. */
export const COVER_LIBRARY = `
const SEEN: usize = memory.data(${MOST_SITES / 8});
const HIT: usize = memory.data<u8>([${[HIT_BYTES, 0, 0, 0, ...Buffer.from(MARK), 0, 0, 0, 0].join(', ')}], 8) + 4;
@external("env", "__log")
declare function coverLog(text: usize): void;
@global
function __cover(site: u32): void {
  const at = SEEN + (site >> 3);
  const bit = <u32>1 << (site & 7);
  if ((load<u8>(at) & bit) != 0) return;
  store<u8>(at, load<u8>(at) | bit);
  store<u32>(HIT + ${MARK_BYTES}, site);
  coverLog(HIT);
}
`;

/** The site that a contract tells in a text that it logs; -1 if it tells none. */
export function siteIn(memory: Uint8Array, start: number, end: number): number {
  if (end - start !== HIT_BYTES || toBinaryString(memory.subarray(start, start + MARK_BYTES)) !== MARK) return -1;
  return new DataView(memory.buffer, memory.byteOffset + start + MARK_BYTES, 4).getUint32(0, true);
}

/** Numbers the sites of all sources of a project: a library of several contracts has its own ones once. */
export class CoveredSources {
  readonly sites: CoverSite[] = [];
  readonly #texts = new Map<string, string>();

  constructor(readonly parser: AscParser) {}

  /** The source with its calls. What cannot be parsed is left as it is: the compiler says why. */
  instrumented(file: string, text: string): string {
    const known = this.#texts.get(file);
    if (known !== undefined) return known;
    const made = this.#instrument(file, text);
    this.#texts.set(file, made);
    return made;
  }

  #instrument(file: string, text: string): string {
    const { parser } = this;
    const program = parser.newProgram(parser.newOptions());
    try {
      parser.parse(program, text, file, true);
    } catch {
      return text;
    }
    const source = program.sources.find(({ normalizedPath }) => normalizedPath === file);
    if (source === undefined) return text;
    const walk = new SourceWalk(file, text, parser.NodeKind, this.sites);
    for (const each of source.statements ?? []) walk.declaration(each);
    return walk.instrumented();
  }
}

class SourceWalk {
  readonly #inserted: { readonly at: number; readonly text: string }[] = [];

  constructor(
    readonly file: string,
    readonly text: string,
    readonly kinds: AscParser['NodeKind'],
    readonly sites: CoverSite[],
  ) {}

  /** What stands outside of functions. */
  declaration(node: AstNode): void {
    for (const member of node.members ?? []) this.declaration(member);
    const { FunctionDeclaration, MethodDeclaration, Block } = this.kinds;
    const { body } = node;
    if ((node.kind !== FunctionDeclaration && node.kind !== MethodDeclaration) || body?.kind !== Block) return;
    this.#insert(body.range.start + 1, this.#call(node, node.name?.text ?? 'constructor'));
    this.#list(body.statements);
  }

  instrumented(): string {
    // Of two at one place the one that was found first comes first.
    const sorted = this.#inserted.map((each, order) => ({ ...each, order }));
    sorted.sort((a, b) => a.at - b.at || a.order - b.order);
    let out = '';
    let done = 0;
    for (const { at, text } of sorted) {
      out += this.text.slice(done, at) + text;
      done = at;
    }
    return out + this.text.slice(done);
  }

  #list(statements: readonly AstNode[] | null = []): void {
    for (const statement of statements ?? []) {
      if (statement.kind === this.kinds.Block) this.#list(statement.statements);
      else if (statement.kind !== this.kinds.Empty) {
        this.#insert(statement.range.start, this.#call(statement, undefined));
        this.#inside(statement);
      }
    }
  }

  #inside(statement: AstNode): void {
    for (const body of [statement.ifTrue, statement.ifFalse, statement.body]) if (body) this.#branch(body);
    for (const each of statement.cases ?? []) this.#list(each.statements);
    this.#list(statement.bodyStatements);
    this.#list(statement.catchStatements);
    this.#list(statement.finallyStatements);
  }

  /** A statement that may stand without braces. */
  #branch(body: AstNode): void {
    const { Block, Empty } = this.kinds;
    if (body.kind === Block) this.#list(body.statements);
    if (body.kind === Block || body.kind === Empty) return;
    this.#insert(body.range.start, `{${this.#call(body, undefined)}`);
    this.#inside(body);
    const [ends = ''] = /^\s*;/.exec(this.text.slice(body.range.end)) ?? [];
    this.#insert(body.range.end + ends.length, '}');
  }

  #call({ range }: AstNode, name: string | undefined): string {
    if (this.sites.length >= MOST_SITES) return '';
    const line = this.text.slice(0, range.start).split('\n').length;
    return `__cover(${this.sites.push({ file: this.file, line, name }) - 1});`;
  }

  #insert(at: number, text: string): void {
    this.#inserted.push({ at, text });
  }
}
