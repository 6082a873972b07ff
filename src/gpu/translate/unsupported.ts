/** Thrown inside the translator for a program that it does not take; the message is the reason that is shown. */
export class Unsupported extends Error {}
