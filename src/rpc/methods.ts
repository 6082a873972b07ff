import { LANE_VIEW_METHODS } from './lane-view-methods.js';
import { LIST_METHODS } from './list-methods.js';
import { METASHREW_METHODS } from './metashrew-methods.js';
import type { Method } from './method.js';
import { TRACE_METHODS } from './trace-methods.js';
import { WARPSHREW_METHODS } from './warpshrew-methods.js';

/** Every method by name. */
export const METHODS: ReadonlyMap<string, Method> = new Map([
  ...Object.entries(METASHREW_METHODS),
  ...Object.entries(WARPSHREW_METHODS),
  ...Object.entries(TRACE_METHODS),
  ...Object.entries(LIST_METHODS),
  ...Object.entries(LANE_VIEW_METHODS),
]);
