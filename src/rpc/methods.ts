import { VERSION } from '../util/version.js';
import { ADDRESS_METHODS } from './address-methods.js';
import { LANE_VIEW_METHODS } from './lane-view-methods.js';
import { LIST_METHODS } from './list-methods.js';
import { METASHREW_METHODS } from './metashrew-methods.js';
import type { Method } from './method.js';
import { openRpcDocument } from './openrpc/document.js';
import { TRACE_METHODS } from './trace-methods.js';
import { WARPSHREW_METHODS } from './warpshrew-methods.js';

const DOCUMENT = openRpcDocument(VERSION);

const DISCOVERY: Readonly<Record<string, Method>> = {
  'rpc.discover': {
    usage: 'rpc.discover []',
    run(params) {
      params.count(0, 0);
      return DOCUMENT;
    },
  },
};

/** Every method by name. */
export const METHODS: ReadonlyMap<string, Method> = new Map([
  ...Object.entries(METASHREW_METHODS),
  ...Object.entries(WARPSHREW_METHODS),
  ...Object.entries(TRACE_METHODS),
  ...Object.entries(LIST_METHODS),
  ...Object.entries(ADDRESS_METHODS),
  ...Object.entries(LANE_VIEW_METHODS),
  ...Object.entries(DISCOVERY),
]);
