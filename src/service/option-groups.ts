/** What settings are about, for `--help`. */
import type { OptionName } from './options.js';

/** In the order in which they are shown. */
export const GROUPS = ['Source', 'Database', 'Lane and module', 'Serving', 'Operations'] as const;
export type Group = (typeof GROUPS)[number];

export const GROUP_OF: Readonly<Record<OptionName, Group>> = {
  ...inGroup('Source', [
    'network',
    'nodeUrl',
    'nodeUser',
    'nodePassword',
    'nodeCookie',
    'auth',
    'nodePatience',
    'blocksDir',
    'zmq',
    'fixture',
    'startBlock',
    'exitAt',
    'pollInterval',
    'prefetchBytes',
    'prefetchBlocks',
    'reorgCheckThreshold',
  ]),
  ...inGroup('Database', [
    'db',
    'label',
    'index',
    'keepUndo',
    'history',
    'rootEvery',
    'dbCache',
    'treeMemory',
    'snapshotDirectory',
    'snapshotInterval',
    'snapshotsKept',
    'snapshotKey',
    'repo',
    'repoKey',
    'prefixroot',
    'sink',
    'sinkSchema',
  ]),
  ...inGroup('Lane and module', [
    'indexer',
    'secondary',
    'blockTimeout',
    'moduleLogLines',
    'laneStartBlock',
    'dependent',
    'policy',
    'dryRun',
    'crossCheck',
    'latencyBound',
    'gpu',
    'workers',
  ]),
  ...inGroup('Serving', [
    'host',
    'port',
    'explorer',
    'cors',
    'allowHost',
    'trustProxy',
    'maxConnections',
    'transferTimeout',
    'rpcMemory',
    'readyWithin',
    'viewTimeout',
    'viewWorkers',
    'viewQueue',
    'viewMemory',
    'viewAnswerBytes',
  ]),
  ...inGroup('Operations', [
    'logLevel',
    'logFormat',
    'slowBlock',
    'stopTimeout',
    'indexNiceness',
    'exitOnFailure',
    'publish',
    'publishKept',
    'skipBadBlock',
  ]),
};

function inGroup<const N extends OptionName>(group: Group, names: readonly N[]): Record<N, Group> {
  return Object.fromEntries(names.map((name) => [name, group])) as Record<N, Group>;
}
