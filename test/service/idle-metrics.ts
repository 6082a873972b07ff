import { metricsText } from '../../src/service/metrics.js';
import { ServiceState } from '../../src/service/service-state.js';

/** The metrics of a service that has done nothing. */
export function idleMetrics(): Promise<string> {
  return metricsText({
    state: new ServiceState(),
    height: undefined,
    blockSeconds: 0,
    slowestBlockSeconds: 0,
    queued: 0,
    inKernel: 0,
    dbBytes: 0,
    views: undefined,
    laneViews: undefined,
    publishing: undefined,
    version: '1',
    labels: {},
  });
}
