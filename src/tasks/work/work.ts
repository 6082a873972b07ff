/**
 * A batch as backends take it: columns that were checked, cut into *units* that can be computed apart. A unit is a
 * message, a signature, or a tree of 2^height leaves (the last one may have fewer).
 */

const HASH = 32;

export interface HashWork {
  readonly kind: 'sha256';
  readonly bytes: Uint8Array;
  /** Message i lies at `offsets[i]` to `offsets[i + 1]` of `bytes`. */
  readonly offsets: Uint32Array;
  readonly twice: boolean;
}

/** Columns of equal rows: see {@link WIDTHS}. */
export interface SignatureWork {
  readonly kind: 'schnorr' | 'ecdsa';
  readonly columns: readonly Uint8Array[];
}

export interface ForestWork {
  readonly kind: 'forest';
  readonly leaves: Uint8Array;
  /** Trees are computed up to this level; a level of odd length repeats its last node, also its only one. */
  readonly height: number;
  /** Whether the nodes of all levels are wanted, not only the roots. */
  readonly wantsLevels: boolean;
}

export type Work = HashWork | SignatureWork | ForestWork;
export type WorkKind = Work['kind'];

export interface WorkAnswer {
  /** Per unit 32 bytes (digest, root of its tree) or one (1 for a valid signature, 0 for another). */
  readonly bytes: Uint8Array;
  /** Of trees, if wanted: the nodes of levels 1 to `height`. */
  readonly levels: readonly Uint8Array[];
  /** Of trees: two different nodes next to each other are equal. */
  readonly mutated: boolean;
}

/** Where an answer is written, piece by piece. */
export type AnswerRoom = Pick<WorkAnswer, 'bytes' | 'levels'>;

/** Takes any work. Rejects with an EnvironmentError GPU_… if it cannot do it now. */
export interface Backend {
  run(work: Work): Promise<WorkAnswer>;
  close(): Promise<void>;
}

/**
 * Bytes of a row in each column. Schnorr: message, key, signature. ECDSA: digest, x and y of the key, signature, kind
 * of the key (2 and 3: only x and the parity of y are known, 4: both, anything else: no key).
 */
export const WIDTHS = { schnorr: [32, 32, 64], ecdsa: [32, 64, 64, 1] } as const;

export function unitsOf(work: Work): number {
  switch (work.kind) {
    case 'sha256':
      return work.offsets.length - 1;
    case 'forest':
      return Math.ceil(work.leaves.length / treeBytes(work));
    default:
      return work.columns[0].length / WIDTHS[work.kind][0];
  }
}

/** Bytes of an answer for each unit. */
function unitBytes({ kind }: Work): number {
  return kind === 'schnorr' || kind === 'ecdsa' ? 1 : HASH;
}

/** Units `from` to `to`, over the same memory. */
export function sliceOf(work: Work, from: number, to: number): Work {
  switch (work.kind) {
    case 'sha256': {
      const first = work.offsets[from];
      const offsets = work.offsets.slice(from, to + 1);
      for (let i = 0; i < offsets.length; i++) offsets[i] -= first;
      return { ...work, bytes: work.bytes.subarray(first, work.offsets[to]), offsets };
    }
    case 'forest': {
      const tree = treeBytes(work);
      return { ...work, leaves: work.leaves.subarray(from * tree, to * tree) };
    }
    default: {
      const widths = WIDTHS[work.kind];
      return { ...work, columns: work.columns.map((column, c) => column.subarray(from * widths[c], to * widths[c])) };
    }
  }
}

/** Room for the answer of `work`. */
export function roomFor(work: Work): AnswerRoom {
  return {
    bytes: new Uint8Array(unitsOf(work) * unitBytes(work)),
    levels: levelLengths(work).map((length) => new Uint8Array(length)),
  };
}

/** The part of `room`, that of `work`, for units `from` to `to`. */
export function partOf(work: Work, room: AnswerRoom, from: number, to: number): AnswerRoom {
  const width = unitBytes(work);
  return {
    bytes: room.bytes.subarray(from * width, to * width),
    levels: room.levels.map((level, i) => {
      const nodes = HASH * 2 ** (room.levels.length - 1 - i);
      return level.subarray(from * nodes, to * nodes);
    }),
  };
}

/** The units named, which must ascend, as a work of its own. */
export function pickOf(work: Work, units: readonly number[]): Work {
  const pieces = units.map((unit) => sliceOf(work, unit, unit + 1));
  switch (work.kind) {
    case 'sha256': {
      const offsets = new Uint32Array(units.length + 1);
      const bytes = pieces.map((piece, i) => {
        const own = piece.kind === 'sha256' ? piece.bytes : new Uint8Array(0);
        offsets[i + 1] = offsets[i] + own.length;
        return own;
      });
      return { ...work, bytes: joined(bytes), offsets };
    }
    case 'forest':
      return { ...work, leaves: joined(pieces.map((piece) => (piece.kind === 'forest' ? piece.leaves : EMPTY))) };
    default:
      return {
        ...work,
        columns: work.columns.map((_, c) =>
          joined(pieces.map((piece) => ('columns' in piece ? piece.columns[c] : EMPTY))),
        ),
      };
  }
}

/** Answers of slices, in order, as one. */
export function mergedAnswers(parts: readonly WorkAnswer[]): WorkAnswer {
  if (parts.length === 1) return parts[0];
  const [first] = parts;
  return {
    bytes: joined(parts.map(({ bytes }) => bytes)),
    levels: first.levels.map((_, level) => joined(parts.map(({ levels }) => levels[level]))),
    mutated: parts.some(({ mutated }) => mutated),
  };
}

/** Whether an answer has what its work asks for. Nothing else is known of it. */
export function hasShape(work: Work, { bytes, levels }: WorkAnswer): boolean {
  if (bytes.length !== unitsOf(work) * unitBytes(work)) return false;
  const lengths = levelLengths(work);
  return levels.length === lengths.length && levels.every(({ length }, i) => length === lengths[i]);
}

/** Bytes of each level that is wanted. */
function levelLengths(work: Work): number[] {
  if (work.kind !== 'forest' || !work.wantsLevels) return [];
  const leaves = work.leaves.length / HASH;
  return Array.from({ length: work.height }, (_, i) => Math.ceil(leaves / 2 ** (i + 1)) * HASH);
}

/** Whether `answer` says of some units of `work` what `again`, the answer of those units alone, says. */
export function agrees(work: Work, units: readonly number[], answer: WorkAnswer, again: WorkAnswer): boolean {
  if (again.mutated && !answer.mutated) return false;
  if (!rowsAgree(unitBytes(work), units, answer.bytes, again.bytes)) return false;
  if (work.kind !== 'forest') return true;
  return answer.levels.every((level, i) => rowsAgree(HASH * 2 ** (work.height - i - 1), units, level, again.levels[i]));
}

function rowsAgree(width: number, units: readonly number[], all: Uint8Array, picked: Uint8Array): boolean {
  return units.every((unit, i) => {
    const a = all.subarray(unit * width, (unit + 1) * width);
    return Buffer.compare(a, picked.subarray(i * width, i * width + a.length)) === 0;
  });
}

/** Microseconds that one thread needs, about: to divide work, not to promise anything. */
export function costOf(work: Work): number {
  switch (work.kind) {
    case 'sha256':
      return (work.bytes.length + (work.twice ? 160 : 80) * unitsOf(work)) / 400;
    case 'forest':
      return (work.leaves.length / HASH) * 0.45;
    default:
      return unitsOf(work) * 90;
  }
}

const EMPTY = new Uint8Array(0);

function treeBytes({ height }: ForestWork): number {
  return HASH * 2 ** height;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
