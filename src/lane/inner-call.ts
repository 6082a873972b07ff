/** A call that one contract makes of another (docs/lane-rules.md, section 9). */
import { CallRequest } from '../program/call-buffers.js';
import { MAX_DEPTH } from '../program/frame.js';
import type { ProgramResult } from '../program/result.js';
import { RunStop } from '../program/run-stop.js';
import type { CallBuffers, CallingFrame } from '../program/types.js';
import { readU128 } from '../util/bytes.js';
import { CREATION_FUEL } from './allowance.js';
import { move } from './balances.js';
import { builtIn, isBuiltIn } from './built-ins.js';
import type { CallTree } from './call-tree.js';
import { isCreation, resolveTarget } from './creation.js';
import { endOfFrame, Frame, FrameHost } from './frame.js';
import type { FailedStatus } from './types.js';

/**
 * Carries out a call that `caller` makes, in the order of lane rules 9: parse, depth, charge, checkpoint, resolve or
 * create, parcel, run, result. Gives the return data; throws {@link RunStop} where the calling run ends, `inner-call`
 * after it has told `tree` how the message fails.
 */
export function makeCall(
  caller: Frame,
  tree: CallTree,
  isDryRun: boolean,
  buffers: CallBuffers,
  from: CallingFrame,
): Uint8Array {
  const request = CallRequest.read(buffers);
  if (request === undefined) throw new RunStop('malformed-call');
  const { target, fuel } = request;
  const call = new InnerCall(caller, tree, isDryRun, request, from);
  if (isBuiltIn(target)) {
    from.charge(fuel);
    return call.builtIn();
  }
  if (from.depth >= MAX_DEPTH) throw new RunStop('call-depth');
  from.charge(fuel + (isCreation(target) ? CREATION_FUEL : 0));
  return call.run();
}

class InnerCall {
  constructor(
    readonly caller: Frame,
    readonly tree: CallTree,
    readonly isDryRun: boolean,
    readonly request: CallRequest,
    readonly from: CallingFrame,
  ) {}

  builtIn(): Uint8Array {
    const answer = builtIn(this.request.target, this.caller.running.context.block);
    if (answer === undefined) this.#fail('REJECTED', 'no code at the target');
    this.from.charge(answer.fuel);
    return answer.data;
  }

  run(): Uint8Array {
    const { view } = this.caller.running;
    const isTrial = this.request.buffers.kind === 'staticcall';
    if (isTrial) view.beginTrial();
    const { counted, data } = this.#runTarget();
    if (isTrial) view.endTrial();
    return this.from.returned(counted, data);
  }

  /** Everything from the checkpoint on. */
  #runTarget(): ProgramResult {
    const { caller, request, from, tree } = this;
    const { input, view, allowance } = caller.running;
    const { kind } = request.buffers;
    caller.store(request.checkpoint);
    const resolved = resolveTarget(request.target, input.tx, view, allowance);
    if (!resolved.ok) this.#fail('REJECTED', resolved.error);
    const { id, program } = resolved;
    const isDelegated = kind === 'delegatecall';
    const stuck = isDelegated ? undefined : move(view, caller.myself, id, request.parcel);
    if (stuck !== undefined) this.#fail('REJECTED', stuck);

    const { inputBytes, parcelBytes } = request;
    const [myself, by] = isDelegated ? [caller.myself, caller.caller] : [id, caller.myself];
    const frame = new Frame(caller.running, myself, by, caller.shadowVout, parcelBytes, inputBytes);
    const opcode = inputBytes.length > 0 ? readU128(inputBytes, 0) : undefined;
    tree.enter({ depth: from.depth + 1, kind, target: id, program }, opcode, request.triples, from.fuelLeft);
    const run = from.run(program, new FrameHost(frame, tree, this.isDryRun, makeCall));
    if (run === undefined) this.#failInside('REJECTED', 'more than 2,048 pages of memory');
    const end = endOfFrame(run, tree);
    if (!end.ok) this.#failInside(end.failure.status, end.failure.error);
    const { result } = end;
    from.charge(result.fuel);
    frame.store(result.storage);
    const owed = isDelegated ? undefined : move(view, id, caller.myself, result.transfers);
    if (owed !== undefined) this.#failInside('REJECTED', owed);
    tree.leave('OK', from.fuelLeft, result);
    return result;
  }

  /** The frame that was entered fails. */
  #failInside(status: FailedStatus, error: string): never {
    this.tree.leave(status, status === 'OUT_OF_FUEL' ? 0 : this.from.fuelLeft);
    this.#fail(status, error);
  }

  /** The message fails. */
  #fail(status: FailedStatus, error: string): never {
    if (status === 'OUT_OF_FUEL') throw new RunStop('out-of-fuel');
    this.tree.failure = { status, error };
    throw new RunStop('inner-call');
  }
}
