/** Signatures of the first submission: some 100 ms on a slow integrated GPU. */
const FIRST = 8_192;
const MOST = 131_072;
const LEAST = 256;
/** Milliseconds that a submission may take: drivers take two seconds for a hang. */
const LONGEST_MS = 400;

/** How many signatures a submission may have, from what earlier ones took. */
export class Pace {
  #most: number;

  /** `unbounded`: no driver takes a long submission for a hang. */
  constructor(private readonly unbounded = false) {
    this.#most = unbounded ? MOST : FIRST;
  }

  get most(): number {
    return this.#most;
  }

  /** A submission of `units` took `ms` milliseconds at most. */
  note(units: number, ms: number): void {
    if (this.unbounded) return;
    const fits = Math.floor((units * LONGEST_MS) / Math.max(ms, 1));
    // A narrow one that was quick says nothing of wide ones: most of its time is the way to the device and back.
    if (ms > LONGEST_MS) this.#most = Math.max(LEAST, Math.min(this.#most, fits));
    else if (units >= this.#most) this.#most = Math.min(MOST, 4 * this.#most, fits);
  }
}
