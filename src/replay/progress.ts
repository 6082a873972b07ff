import { statusLine, timeText } from '../util/status-line.js';

export interface Progress {
  start(total: number): void;
  update(at: number, facts: { height: number; laneTxs: number }): void;
  stop(): void;
}

/** No output: for `--json` and for callers that are not a terminal. */
export const SILENT: Progress = { start() {}, update() {}, stop() {} };

/** One status line on stderr. */
export function statusProgress(label: string): Progress {
  const line = statusLine();
  let total = 0;
  let started = 0;
  return {
    start(blocks) {
      total = blocks;
      started = performance.now();
    },
    update(at, { height, laneTxs }) {
      line.show(() => {
        const seconds = (performance.now() - started) / 1000;
        const left = timeText(Math.ceil(((total - at) * seconds) / at));
        const rate = (at / seconds).toFixed(1);
        const share = Math.floor((100 * at) / total);
        const so = `block ${height}  ${at} of ${total}  ${share}%`;
        return `${label}  ${so}  ${rate} blocks/s  ${laneTxs} lane txs  ${left} left`;
      });
    },
    stop: () => line.clear(),
  };
}
