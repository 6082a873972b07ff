/**
 * What the package promises to programs that import it (docs/library.md). Everything else may change in any version.
 */
export { parseBlock } from './bitcoin/parse-block.js';
export { parseTransaction } from './bitcoin/parse-transaction.js';
export type { Block, Transaction, TxInput, TxOutput } from './bitcoin/types.js';
export { EnvironmentError, InputError, ProgramError, StoreError, WarpshrewError } from './errors/errors.js';
export { LaneEngine, type LaneEngineOptions, type StateSource } from './execute/engine.js';
export { type Kernel, type MemoryWindow, type Translation, translateProgram } from './gpu/translate/module.js';
export type { LaneBlockResult, Receipt } from './lane/types.js';
export type { AccessSet } from './plan/access-sets.js';
export { makePlan, type Plan } from './plan/plan.js';
export { prepareProgram } from './program/prepare.js';
export type { Program } from './program/types.js';
export { type CellpackResult, decodeCellpack, readCellpack } from './protocol/cellpack.js';
export { describeTransaction, type TransactionDescription } from './protocol/describe.js';
export {
  encodeCellpack,
  encodeEnvelope,
  encodeProtostones,
  encodeRunestone,
  gzipStored,
  type ProtostoneInput,
  packChunks,
  type RunestoneInput,
} from './protocol/encode.js';
export { findEnvelope } from './protocol/envelope.js';
export { decodeProtostones, unpackChunks } from './protocol/protostones.js';
export { decodeRunestone } from './protocol/runestone.js';
export type { AlkaneId, Cellpack, Protostone, ProtostonesResult, RunestoneArtifact } from './protocol/types.js';
export type { RpcBackend } from './rpc/backend.js';
export { type RpcServer, startRpcServer } from './rpc/server.js';
export type { RpcServerOptions } from './rpc/server-options.js';
export { type OpenReader, openReader } from './store/open-reader.js';
export { readProof } from './store/proof/file.js';
export { decodeProof, encodeProof } from './store/proof/format.js';
export { type ProofJson, proofFromJson, proofToJson } from './store/proof/json.js';
export { type KeyProof, type Refutation, refutationOf, type Trusted } from './store/proof/key-proof.js';
export { proveKey } from './store/proof/prove-key.js';
export { StoreReader } from './store/reader.js';
export { combinedRoot } from './store/tree/tree-hash.js';
export { type StateProof, verifyProof } from './store/tree/verify-proof.js';
export {
  type GpuServerChoice,
  type LeastWidths,
  type MerkleAnswer,
  Tasks,
  type TasksFigures,
  type TasksOptions,
} from './tasks/tasks.js';
export type { EcdsaBatch, MerkleBuild, SchnorrBatch, Sha256Batch } from './tasks/work/requests.js';
export { bundledChain } from './util/bundled-chain.js';
export { DEEP_STACK } from './util/deep-thread.js';
