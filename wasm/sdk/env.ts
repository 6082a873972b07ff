// What the host of the parallel lane offers (docs/lane-rules.md, "A call"). Pointers designate the first data byte of a
// buffer whose length stands in the four bytes before it.

@external('env', 'abort')
declare function hostAbort(message: u32, file: u32, line: u32, column: u32): void;
@external('env', '__request_storage')
export declare function requestStorage(key: usize): u32;
@external('env', '__load_storage')
export declare function loadStorage(key: usize, out: usize): u32;
@external('env', '__request_context')
export declare function requestContext(): u32;
@external('env', '__load_context')
export declare function loadContextInto(out: usize): u32;
@external('env', '__request_transaction')
export declare function requestTransaction(): u32;
@external('env', '__load_transaction')
export declare function loadTransactionInto(out: usize): void;
@external('env', '__sequence')
export declare function hostSequence(out: usize): void;
@external('env', '__balance')
export declare function hostBalance(who: usize, what: usize, out: usize): void;
@external('env', '__returndatacopy')
export declare function hostReturnData(out: usize): void;
@external('env', '__call')
export declare function hostCall(cellpack: usize, parcel: usize, checkpoint: usize, ignored: i64): u32;
@external('env', '__delegatecall')
export declare function hostDelegateCall(cellpack: usize, parcel: usize, checkpoint: usize, ignored: i64): u32;
@external('env', '__staticcall')
export declare function hostStaticCall(cellpack: usize, parcel: usize, checkpoint: usize, ignored: i64): u32;
/** 1 in a dry run, which may skip what does not change the keys that are touched; else 0. */
@external('env', '__is_dry_run')
export declare function isDryRun(): i32;
/** Declares that the key (a buffer) is read, without reading it. */
@external('env', '__record_get')
export declare function recordGet(key: usize): void;
/** Declares that the key (a buffer) is written, without writing it. */
@external('env', '__record_put')
export declare function recordPut(key: usize): void;

/** Ends the message with REVERT. Never returns. */
export function revert(): void {
  hostAbort(0, 0, 0, 0);
  unreachable();
}

/** Calls the host's abort, after which the program must not continue; for programs that test this. */
export function abortAndReturn(): void {
  hostAbort(0, 0, 0, 0);
}

@inline
export function require(condition: bool): void {
  if (!condition) revert();
}
