/** What `GET /status` says, as far as it is shown; `serve` says less than `index`. */

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

interface Load {
  readonly running: number;
  readonly waiting: number;
  readonly refused: number;
}

export interface Status {
  readonly version: string;
  readonly node: string;
  readonly network: string;
  readonly label: string | null;
  readonly phase: string;
  readonly tip: {
    readonly height: number;
    readonly hash: string;
    readonly roots?: { readonly state: string; readonly standard: string; readonly lane: string } | null;
  } | null;
  readonly source?: { readonly name: string; readonly height: number | null; readonly behind: number | null };
  readonly block?: { readonly height: number; readonly ms?: number } | null;
  readonly failure?: Problem | null;
  readonly trouble?: Problem | null;
  readonly sinceStart: {
    readonly seconds: number;
    readonly blocks?: number;
    readonly bytes?: number;
    readonly reorgs?: number;
    readonly deepestReorg?: number;
    readonly blocksUndone?: number;
  };
  readonly speed?: { readonly blocksPerSecond: number; readonly bytesPerSecond: number };
  readonly lane?: {
    readonly txs: number;
    readonly ok: number;
    readonly executors: Readonly<Record<'reuse' | 'gpu' | 'cpu' | 'sequential', number>>;
    readonly repaired: number;
    readonly predicted: number;
    readonly mispredicted: number;
    readonly demoted: number;
    readonly punted: number;
    readonly phaseMs: Readonly<Record<string, number>>;
  };
  readonly engine?: { readonly policy: string; readonly adapter: string | null; readonly gpu: string };
  readonly threads: { readonly views: Load | null; readonly laneViews: Load };
  readonly store: { readonly folder: string; readonly bytes: number };
  readonly memory: { readonly rss: number; readonly heapUsed: number };
}

export async function fetchStatus(): Promise<Status> {
  const answer = await fetch('/status');
  if (!answer.ok) throw new Error(`the server answers /status with ${answer.status}`);
  return (await answer.json()) as Status;
}
