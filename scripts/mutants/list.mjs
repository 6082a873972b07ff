// All mutants: what is wrong with each, and the quick tests of which one must fail. One file per area of the sources.
import { ADDRESSES } from './addresses.mjs';
import { CALLS_MUTANTS } from './calls.mjs';
import { CHAIN } from './chain.mjs';
import { COLUMNS } from './columns.mjs';
import { CONTRACTS } from './contracts.mjs';
import { DIFF } from './diff.mjs';
import { EVENTS } from './events.mjs';
import { EXECUTE } from './execute.mjs';
import { FETCH } from './fetch.mjs';
import { FIGURES } from './figures.mjs';
import { FUZZ } from './fuzz.mjs';
import { GPU_SERVER } from './gpu-server.mjs';
import { HEALTH } from './health.mjs';
import { INDEXER } from './indexer.mjs';
import { INTERPRETER } from './interpreter.mjs';
import { LANE } from './lane.mjs';
import { LENT_MEMORY } from './lent-memory.mjs';
import { LISTING } from './listing.mjs';
import { METASHREW } from './metashrew.mjs';
import { NATIVE } from './native.mjs';
import { PIECES } from './pieces.mjs';
import { PREVIEW } from './preview.mjs';
import { PROGRAM } from './program.mjs';
import { PROOF } from './proof.mjs';
import { PROTOCOL } from './protocol.mjs';
import { REINDEX } from './reindex.mjs';
import { SCHEDULE } from './schedule.mjs';
import { SIMULATE } from './simulate.mjs';
import { STORE } from './store.mjs';
import { STREAMS } from './streams.mjs';
import { TABLES } from './tables.mjs';
import { TASKS } from './tasks.mjs';
import { TRACE } from './trace.mjs';
import { TREE } from './tree.mjs';
import { VERIFY } from './verify.mjs';

/**
 * `id`: its name. `file`: the source that is changed. `find`: the exact text, which stands there once; `replace`: what
 * stands there instead. `breaks`: what the mutant does. `tests`: files of which one must fail.
 * `why`: only where no test can tell the mutant from the source, the reason.
 */
export const MUTANTS = [
  ...LANE,
  ...CALLS_MUTANTS,
  ...COLUMNS,
  ...PROTOCOL,
  ...EXECUTE,
  ...FIGURES,
  ...HEALTH,
  ...SCHEDULE,
  ...PROGRAM,
  ...LENT_MEMORY,
  ...INTERPRETER,
  ...TABLES,
  ...SIMULATE,
  ...TASKS,
  ...GPU_SERVER,
  ...TRACE,
  ...STORE,
  ...ADDRESSES,
  ...TREE,
  ...LISTING,
  ...PIECES,
  ...PROOF,
  ...INDEXER,
  ...PREVIEW,
  ...CONTRACTS,
  ...DIFF,
  ...FETCH,
  ...EVENTS,
  ...STREAMS,
  ...VERIFY,
  ...REINDEX,
  ...NATIVE,
  ...CHAIN,
  ...METASHREW,
  ...FUZZ,
];
