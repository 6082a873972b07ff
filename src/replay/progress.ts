import { type Options, SingleBar } from 'cli-progress';
import { terminal } from '../util/terminal.js';

export interface Progress {
  start(total: number, at: number): void;
  update(at: number, facts: { height: number; laneTxs: number }): void;
  stop(): void;
}

/** No output: for `--json` and for callers that are not a terminal. */
export const SILENT: Progress = { start() {}, update() {}, stop() {} };

/** A progress bar on stderr; one line every 50 blocks if stderr is not a terminal. */
export function terminalProgress(label: string): Progress {
  const stream = terminal();
  if (stream === undefined) {
    let size = 0;
    return {
      start(total) {
        size = total;
        process.stderr.write(`${label}: ${total} blocks\n`);
      },
      update(at, facts) {
        if (at % 50 === 0) process.stderr.write(`${label}: ${at}/${size} height ${facts.height}\n`);
      },
      stop() {},
    };
  }
  const format: Options = {
    format: `${label} [{bar}] {percentage}% {value}/{total} blocks, height {height}, {laneTxs} lane txs`,
    stream,
  };
  const bar = new SingleBar(format);
  return {
    start: (total, at) => bar.start(total, at, { height: '-', laneTxs: 0 }),
    update: (at, facts) => bar.update(at, facts),
    stop: () => bar.stop(),
  };
}
