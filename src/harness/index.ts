/** What tests of contracts import: `warpshrew/test` (docs/testing.md). */
export type { Account } from '../contract-chain/account.js';
export type {
  Amounts,
  CallOptions,
  CallResult,
  ContractName,
  Input,
  MessageSpec,
  SendOptions,
} from '../contract-chain/contract-chain.js';
export type { FuzzEnd } from './direct-end.js';
export type { FuzzRandom } from './random.js';
export { type Arbitrary, type FuzzSpec, fuzz, property, type TestBody, test } from './registry.js';
export type { TestChain } from './test-chain.js';
