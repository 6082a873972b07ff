/** The tests that the files of a project declare; gathered while a file is loaded. */
import type { MessageSpec, SendOptions } from '../contract-chain/contract-chain.js';
import type { FuzzEnd } from './direct-end.js';
import type { FuzzRandom } from './random.js';
import type { TestChain } from './test-chain.js';

export type TestBody = (chain: TestChain) => void | Promise<void>;

/** Random calls of contracts, and what must hold between them. */
export interface FuzzSpec<State> {
  /** Makes the world: deploys contracts, mints. What it gives is handed to the others. */
  readonly setup: (chain: TestChain) => State;
  /** The next transaction. It may keep books in `state`, but learns nothing of the chain: a block has many of them. */
  readonly call: (random: FuzzRandom, state: State) => MessageSpec & SendOptions;
  /** Throws if what must hold does not; called after each block. */
  readonly invariant: (chain: TestChain, state: State) => void;
  /**
   * Throws if a call has ended as it must not. With it most calls are run by themselves, each on the state as it is
   * between two blocks, which is many times as fast; in the kernel, where there is one.
   */
  readonly each?: (end: FuzzEnd, state: State) => void;
}

/** What fast-check gives, as far as it is used: the project brings the package. */
export interface Arbitrary<T> {
  generate(random: never, bias: number | undefined): { readonly value: T };
}

export type Registered = { readonly name: string; readonly file: string } & (
  | { readonly kind: 'test'; readonly body: TestBody }
  | { readonly kind: 'fuzz'; readonly spec: FuzzSpec<unknown> }
  | {
      readonly kind: 'property';
      readonly arbitrary: Arbitrary<unknown>;
      readonly body: (chain: TestChain, value: unknown) => void | Promise<void>;
      readonly runs: number;
    }
);

const DEFAULT_RUNS = 50;

let file = '';
let gathered: Registered[] = [];

/** What was declared since the last time; `next` is the file that is loaded now. */
export function gather(next: string): Registered[] {
  const all = gathered;
  gathered = [];
  file = next;
  return all;
}

/** Declares a test: it is given a chain in memory of its own. */
export function test(name: string, body: TestBody): void {
  gathered.push({ kind: 'test', name, file, body });
}

/**
 * Declares a property: `body` must hold for every value of the arbitrary of fast-check, each on a chain of its own. A
 * value that breaks it is made smaller before it is shown.
 */
export function property<T>(
  name: string,
  arbitrary: Arbitrary<T>,
  body: (chain: TestChain, value: T) => void | Promise<void>,
  { runs = DEFAULT_RUNS }: { readonly runs?: number } = {},
): void {
  gathered.push({
    kind: 'property',
    name,
    file,
    arbitrary,
    body: body as (chain: TestChain, value: unknown) => void | Promise<void>,
    runs,
  });
}

/** Declares random calls and what must hold between blocks of them; `--fuzz N` says how many. */
export function fuzz<State>(name: string, spec: FuzzSpec<State>): void {
  gathered.push({ kind: 'fuzz', name, file, spec: spec as FuzzSpec<unknown> });
}
