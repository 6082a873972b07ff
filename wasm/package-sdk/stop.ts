// Ends of a message that say why.

@external('env', 'abort')
declare function hostAbort(message: usize, file: usize, line: u32, column: u32): void;

/** Ends the message with REVERT; `why` stands in its receipt. Never returns. */
export function revertWith(why: string): void {
  hostAbort(changetype<usize>(why), 0, 0, 0);
  unreachable();
}

/** Ends the message with REVERT unless `condition` holds; `why`, if given, stands in its receipt. */
@inline
export function require(condition: bool, why: string = ''): void {
  if (!condition) revertWith(why);
}
