/** Thrown inside the translator where a whole program has no kernel; the message is the reason that is shown. */
export class Unsupported extends Error {}
