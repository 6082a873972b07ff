// What a frame is given and may take (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../../src/program/module.js';
import { prepareProgram } from '../../../src/program/prepare.js';
import { concatBytes, fromHex, readU32, toHex, u128Bytes } from '../../../src/util/bytes.js';
import {
  call as callFunction,
  else_,
  end,
  get,
  i32,
  i64,
  if_,
  loop,
  OP,
  op,
  set,
  store,
  WasmBuilder,
} from '../../helpers/wasm-builder.js';
import { call, makeTx, World } from '../world.js';
import {
  ABORT,
  ACTOR,
  balance,
  burn,
  callsProgram,
  makeCall,
  numbers,
  put,
  RETURNED,
  type Script,
  TRAP,
} from './actor.js';
import { answering, burning, caller, numberBytes, place, sized, slotsOf } from './by-hand.js';

const A = '2:1';
const RECURSION = callsProgram('recursion');

function act(world: World, target: string, ...steps: Script[]) {
  return world.message(call(target, ...steps.flat())).messages[0];
}

/** A contract that answers its context. */
function mirror(): Uint8Array {
  const b = new WasmBuilder();
  const [request, load] = [b.import('__request_context'), b.import('__load_context')];
  const [length, from] = [0, 104];
  return b
    .execute(
      [
        ...[callFunction(request), set(length), i32(from + 20), callFunction(load), op(OP.drop)],
        // The length word of the context becomes that of a map without entries.
        ...[i32(from), i32(0), store(16)],
        ...[i32(from - 4), get(length), i32(20), op(OP.i32Add), store(0), i32(from)],
      ],
      ['i32'],
    )
    .bytes();
}

describe('the context of a child', () => {
  const pair = (a: number, b: number) => toHex(numberBytes(a, b));
  const parcel = [
    ['9:9', 4n],
    ['2:1', 0n],
    ['9:9', 1n],
  ] as const;
  const rest = toHex(numberBytes(4, 3, 9, 9, 4, 2, 1, 0, 9, 9, 1, 77, 78));

  it.each([
    ['call', pair(2, 2) + pair(2, 1)],
    ['staticcall', pair(2, 2) + pair(2, 1)],
    ['delegatecall', pair(2, 1) + pair(0, 0)],
  ] as const)('%s: myself, caller, shadow output, the parcel as it came, the inputs behind the target', (kind, ids) => {
    const world = new World();
    world.deploy(ACTOR);
    place(world, '2:2', mirror());
    world.setBalance('9:9', A, 5n);
    const message = act(world, A, makeCall(kind, '2:2', [[77n, 78n]], { parcel }));
    expect(message.status).toBe('OK');
    expect(message.data.slice(32)).toBe(ids + rest);
  });
});

describe('fuel of frames', () => {
  it('a child has what is left, and its caller what the child left', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const message = act(world, id, makeCall('call', id, [burn(1_000)]), makeCall('call', id, [burn(2_000)]));
    const [first, second] = message.calls.map(({ fuelUsed }) => fuelUsed);
    const { entryFuel } = prepareProgram(ACTOR);
    expect(second - first).toBeGreaterThan(1_000);
    expect(first).toBeGreaterThan(entryFuel);
    expect(message.fuelUsed).toBeGreaterThan(first + second + entryFuel);
  });

  it('fuel that ends in the child at exactly 0', () => {
    const ending = (amount: number) => {
      const world = new World();
      place(world, '2:2', filler(amount));
      place(world, A, caller({ cellpack: numberBytes(2, 2) }).bytes());
      return act(world, A);
    };
    const { fuelUsed, status } = ending(2);
    expect(status).toBe('OK');
    // What the caller pays for its own result comes after the child.
    const exact = 2 + 3_500_000 - fuelUsed + 401;
    expect(ending(exact)).toMatchObject({ status: 'OUT_OF_FUEL', calls: [{ status: 'OK' }] });
    expect(ending(exact + 1)).toMatchObject({ status: 'OUT_OF_FUEL', calls: [{ status: 'OUT_OF_FUEL' }] });
    expect(ending(exact - 401)).toMatchObject({ status: 'OK', fuelUsed: 3_500_000 });
    expect(ending(exact - 400)).toMatchObject({ status: 'OUT_OF_FUEL' });
  });

  /** A contract that burns so much beside entry, result and a few: a loop, then what is left of it. */
  function filler(amount: number): Uint8Array {
    const b = new WasmBuilder();
    b.data(100, sized(new Uint8Array(20)));
    const A_TURN = 7;
    const turns = Math.max(0, Math.floor((amount - 20) / A_TURN));
    const left = amount - turns * A_TURN;
    const body = [i32(0), set(1), get(0), i32(1), op(OP.i32Sub), op(OP.localTee, 0), op(OP.brIf, 0)];
    const loops = turns === 0 ? [] : [i32(turns), set(0), loop(), ...body, end];
    const setUp = turns === 0 ? burning(2) : [];
    return b.execute([...loops, ...setUp, ...burning(left), i32(104)], ['i32', 'i32']).bytes();
  }

  it('a child without fuel for its result ends OUT_OF_FUEL, and so does the message', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const used = act(world, id, makeCall('call', id, [])).fuelUsed;
    const turnFuel = (act(world, id, burn(2_000)).fuelUsed - act(world, id, burn(1_000)).fuelUsed) / 1_000;
    const puts = Array.from({ length: 100 }, (_, i) => put(i, 1));
    // 100 entries cost more than 600,000; less than that is left when the child ends.
    const turns = Math.floor((3_500_000 - used - 500_000) / turnFuel);
    const message = act(world, id, makeCall('call', id, [burn(turns), ...puts]));
    expect(message).toMatchObject({ status: 'OUT_OF_FUEL', fuelUsed: 3_500_000 });
    expect(message.calls).toMatchObject([{ status: 'OUT_OF_FUEL', transfers: 0 }]);
  });

  it('two messages of one transaction, the second with the fuel that the first and its calls left', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const burner = world.deploy(callsProgram('burner'));
    const message = (bytes: Uint8Array) => ({ pointer: 0, refund: 0, message: bytes });
    const first = message(call(id, ...makeCall('call', id, [burn(10_000), put(1, 1)])));
    const [{ messages }] = world.run(makeTx({ protostones: [first, message(call(burner, 3, 10))] }));
    expect(messages.map(({ status }) => status)).toEqual(['OK', 'OUT_OF_FUEL']);
    expect(messages[0].fuelUsed + messages[1].fuelUsed).toBe(3_500_000);
  });
});

describe('a child that fails', () => {
  it.each([
    ['REVERT', 'abort', ABORT],
    ['TRAP', 'trap', TRAP],
    ['OUT_OF_FUEL', 'out of fuel', burn(2 ** 31)],
    ['REJECTED', 'no code at the target', makeCall('call', '7:7', [])],
  ] as const)('%s: the message fails at once with its status and reason, whatever the kind', (status, error, step) => {
    for (const kind of ['call', 'delegatecall', 'staticcall'] as const) {
      const world = new World();
      const id = world.deploy(ACTOR);
      const message = act(world, id, makeCall('call', id, [makeCall(kind, id, [step]), TRAP]), TRAP);
      expect(message).toMatchObject({ status, error, calls: [{ status }, { status, kind }] });
      if (status === 'OUT_OF_FUEL') expect(message.fuelUsed).toBe(3_500_000);
      else expect(message.fuelUsed).toBeLessThan(1_000_000);
    }
  });

  it('a result that does not parse, or a bad pointer: REJECTED', () => {
    const world = new World();
    world.deploy(ACTOR);
    const bad = new WasmBuilder().execute([i32(-1)]).bytes();
    const malformed = new WasmBuilder()
      .data(100, sized(new Uint8Array(19)))
      .execute([i32(104)])
      .bytes();
    place(world, '4:1', bad);
    place(world, '4:2', malformed);
    expect(act(world, A, makeCall('call', '4:1', []))).toMatchObject({
      status: 'REJECTED',
      error: 'bad result pointer',
      calls: [{ status: 'REJECTED' }],
    });
    expect(act(world, A, makeCall('call', '4:2', []))).toMatchObject({ error: 'malformed result' });
  });
});

describe('return data', () => {
  it('is empty before the first call, and that of the last one after two calls', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const steps = [makeCall('call', id, [balance(id, id)]), RETURNED, makeCall('call', id, []), RETURNED];
    const message = act(world, id, RETURNED, ...steps);
    expect(numbers(message.data)).toEqual([0n, 16n, 0n, 32n, 0n, 16n]);
  });

  it('is the result of the child without its storage map, and the call returns its length', () => {
    const world = new World();
    place(
      world,
      '2:2',
      answering(concatBytes(numberBytes(1, 2, 2, 5), fromHex('01000000010000006b0100000076'), fromHex('0a0b0c'))),
    );
    place(world, A, caller({ cellpack: numberBytes(2, 2) }).bytes());
    const message = act(world, A);
    expect(message.status).toBe('OK');
    expect(readU32(fromHex(message.data), 0)).toBe(16 + 48 + 3);
    world.deploy(ACTOR);
    place(world, '2:3', ACTOR);
    expect(act(world, '2:3', makeCall('staticcall', '2:2', [])).data).toBe(`${toHex(u128Bytes(3n))}0a0b0c`);
  });

  it('is of this frame alone: that of its caller is empty for a child, and stays', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const inner = makeCall('call', id, [RETURNED, makeCall('call', id, [balance(id, id)]), RETURNED]);
    expect(numbers(act(world, id, inner, RETURNED).data)).toEqual([64n, 0n, 16n, 0n, 32n, 80n]);
  });

  it('is what the child answered, though others answered the child at greater length', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const long = numberBytes(...new Array(50).fill(7));
    place(world, '2:9', answering(concatBytes(numberBytes(0), new Uint8Array(4), long)));
    const asksLong = makeCall('call', '2:9', []);
    const asksShort = makeCall('call', id, [asksLong, makeCall('call', id, [balance(id, id)])]);
    const message = act(world, id, asksShort, RETURNED, asksLong);
    const inner = [800n, ...new Array(50).fill(7n), 16n, 0n];
    expect(numbers(message.data)).toEqual([16n * 53n, ...inner, 16n * 54n, 800n, ...new Array(50).fill(7n)]);
  });
});

describe('depth', () => {
  it.each(['call', 'staticcall'])('33 frames of %s: depth 32 runs, 33 is refused', (kind) => {
    const world = new World();
    const id = world.deploy(RECURSION);
    const opcode = kind === 'call' ? 1 : 2;
    const [deepest] = world.message(call(id, opcode, 32)).messages;
    expect(deepest).toMatchObject({ status: 'OK', callTotal: 32 });
    expect(numbers(deepest.data)).toEqual([32n]);
    expect(deepest.calls.map(({ depth }) => depth)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    const [deeper] = world.message(call(id, opcode, 33)).messages;
    expect(deeper).toMatchObject({ status: 'REVERT', error: 'call-depth', callTotal: 32 });
    expect(new Set(deeper.calls.map(({ status }) => status))).toEqual(new Set(['REVERT']));
  });

  it('is refused before it is paid, and a creation at depth 33 leaves the envelope alone', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    const nested = (depth: number, last: Script): Script =>
      depth === 0 ? last : makeCall('call', id, [nested(depth - 1, last)]);
    const message = (...steps: Script[]) => ({ pointer: 0, refund: 0, message: call(id, ...steps.flat()) });
    const create = makeCall('call', '1:0', []);
    const [{ messages }] = world.run(makeTx({ protostones: [message(nested(32, create)), message(create)] }));
    expect(messages.map(({ error }) => error)).toEqual(['call-depth', 'no envelope']);
    const [plain, creating] = [makeCall('call', id, []), create].map(
      (last) => world.run(makeTx({ protostones: [message(nested(32, last))] }))[0].messages[0],
    );
    // They differ by what the scripts take.
    expect(Math.abs(plain.fuelUsed - creating.fuelUsed)).toBeLessThan(50_000);
  });
});

describe('slots', () => {
  /** Recurses `turns` times in its memory of `extra` locals, then does `last`. */
  function deep(turns: number, locals: number, last: readonly Instruction[], imports: readonly string[] = []) {
    const b = new WasmBuilder();
    for (const name of imports) b.import(name);
    b.data(100, sized(new Uint8Array(20)));
    b.data(200, sized(numberBytes(2, 2)));
    b.data(300, sized(numberBytes(0)));
    b.data(400, sized(new Uint8Array(4)));
    const self = b.nextFunction;
    const down = [get(0), i32(1), op(OP.i32Sub), callFunction(self)];
    b.function('(i32)->()', [get(0), if_(), ...down, else_, ...last, end]);
    const code = [i32(turns), callFunction(self), i32(104)];
    return b
      .execute(
        code,
        Array.from({ length: locals }, () => 'i32' as const),
      )
      .bytes();
  }

  it('a child has what is left of the 32,768 of the message, given back at its end', () => {
    const innerCall = [i32(204), i32(304), i32(404), i64(0n), callFunction(0), op(OP.drop)];
    const outer = (turns: number) => deep(turns, 0, [...innerCall, ...innerCall], ['__call']);
    const inner = (turns: number, locals: number) => deep(turns, locals, []);
    const taken = (wasm: Uint8Array, turns: number): number => {
      const [recursive, execute] = slotsOf(wasm);
      return execute + (turns + 1) * recursive;
    };
    const [outerTurns, innerTurns] = [700, 600];
    const first = outer(outerTurns);
    const used = taken(first, outerTurns) + taken(inner(innerTurns, 0), innerTurns);
    const room = 32_768 - used;
    expect(room).toBeGreaterThan(0);
    const perTurn = slotsOf(inner(0, 0))[0];
    const turns = innerTurns + Math.floor(room / perTurn);
    const locals = room % perTurn;
    const world = new World();
    place(world, A, first);
    place(world, '2:2', inner(turns, locals));
    expect(act(world, A)).toMatchObject({ status: 'OK', callTotal: 2 });
    place(world, '2:2', inner(turns, locals + 1));
    expect(act(world, A)).toMatchObject({ status: 'TRAP', calls: [{ status: 'TRAP' }] });
  });
});
