import { encodeEnvelope, gzipStored } from '../../../protocol/encode.js';
import { concatBytes, EMPTY_BYTES } from '../../../util/bytes.js';
import { call, id, laneMessage } from '../messages.js';
import { CREATE, FLOAT_MODULE, MINT_VALUE, SMALL_CAP, type World } from './world.js';

const OP_NOP = 0x61;

/** Creations: the bundled programs, reserved ids, clones; then everything that can go wrong with a creation. */
export function deployStage(world: World): void {
  const { director, programs, tree } = world;
  const envelope = (wasm: Uint8Array): Uint8Array => encodeEnvelope(gzipStored(wasm));

  // Four creations of one block race for the sequence; committed and revealed in one block.
  const create = (kind: string, wasm: Uint8Array, inputs: readonly (bigint | number)[]) =>
    director.create(CREATE, { kind, spend: [director.commit(envelope(wasm))], stones: [call(CREATE, inputs)] });
  create('create 1:0', programs.claim, tree.initialise());
  create('create 1:0', programs.amm, [0]);
  create('create 1:0', programs.mint, [0, 5_000, MINT_VALUE]);
  create('create 1:0', programs.probe, [0]);
  director.seal();

  reserved(world, envelope(programs.mint), envelope(programs.probe));
  clones(world);
  failingCreations(world, envelope);
  envelopes(world, envelope);
}

/** 3:n makes 4:n and leaves the sequence alone; envelopes are committed one block before they are revealed. */
function reserved({ director }: World, mint: Uint8Array, probe: Uint8Array): void {
  const coins = [mint, probe, probe].map((script) => director.commit(script));
  director.seal();
  director.create(id(3, 7), { kind: 'create 3:n', spend: [coins[0]], stones: [call(id(3, 7), [0, 3_000, 500_000])] });
  director.create(id(3, 65_000), { kind: 'create 3:n', spend: [coins[1]], stones: [call(id(3, 65_000), [0])] });
  director.send({
    kind: 'create 3:n, 4:n has code',
    spend: [coins[2]],
    stones: [call(id(3, 7), [0])],
    expect: ['REJECTED'],
  });
  director.seal();
}

function clones({ director }: World): void {
  const clone = (target: ReturnType<typeof id>, kind: string, inputs: readonly (bigint | number)[]) =>
    director.create(target, { kind, stones: [call(target, inputs)] });
  clone(id(5, 3), 'clone 5:n', [0, SMALL_CAP, 1_000]);
  clone(id(6, 7), 'clone 6:n', [0, 100, 7]);
  clone(id(5, 5), 'clone of a clone', [0, 9, 9]);
  const refused = (kind: string, target: ReturnType<typeof id>) =>
    director.send({ kind, stones: [call(target, [0, 1, 1])], expect: ['REJECTED'] });
  refused('clone 5:next naming itself', id(5, director.nextSequence));
  refused('clone of nothing', id(5, 40_000));
  refused('clone of nothing', id(6, 8));
  director.seal();
}

/** Creations that leave nothing, the sequence included, between creations that hold. */
function failingCreations({ director, programs }: World, envelope: (wasm: Uint8Array) => Uint8Array): void {
  const probe = envelope(programs.probe);
  const reveal = () => [director.commit(probe)];
  director.send({
    kind: 'creation fails by its call',
    spend: reveal(),
    stones: [call(CREATE, [1])],
    expect: ['REVERT'],
  });
  director.create(CREATE, { kind: 'create 1:0', spend: reveal(), stones: [call(CREATE, [16, 2, 1])] });
  director.send({
    kind: 'creation fails by its parcel',
    spend: reveal(),
    stones: [call(CREATE, [9, 2, 1, 1])],
    expect: ['REJECTED'],
  });
  director.send({
    kind: 'creation undone with its transaction',
    spend: reveal(),
    stones: [call(CREATE, [0]), { message: laneMessage(id(2, 4), [0]), pointer: 0 }],
    undone: true,
  });
  director.create(id(5, 4), { kind: 'clone 5:n', stones: [call(id(5, 4), [16, 2, 1])] });
  director.send({ kind: 'creation without envelope', stones: [call(CREATE, [0])], expect: ['REJECTED'] });
  director.seal();

  const refused = (kind: string, body: Uint8Array) =>
    director.send({
      kind,
      spend: [director.commit(encodeEnvelope(body))],
      stones: [call(CREATE, [0])],
      expect: ['REJECTED'],
    });
  const packed = gzipStored(programs.mint);
  const broken = Uint8Array.from(packed);
  broken[broken.length - 8] ^= 1; // CRC
  refused('creation from an empty body', EMPTY_BYTES);
  refused('creation from bare WASM', programs.mint);
  refused('creation from a cut gzip member', packed.subarray(0, packed.length - 9));
  refused('creation from a gzip member with a wrong CRC', broken);
  refused('creation from something that is not WASM', gzipStored(new TextEncoder().encode('not a module')));
  refused('creation from a module with floats', gzipStored(FLOAT_MODULE));
  director.seal();
}

/** Which envelope counts: the first whole one, in whatever input. */
function envelopes({ director, programs }: World, envelope: (wasm: Uint8Array) => Uint8Array): void {
  const probe = envelope(programs.probe);
  const mint = envelope(programs.mint);
  director.create(CREATE, {
    kind: 'two envelopes',
    spend: [director.commit(probe), director.commit(mint)],
    stones: [call(CREATE, [4, 1])],
  });
  director.create(CREATE, {
    kind: 'envelope in the second input',
    spend: [director.takeFunding(), director.commit(probe)],
    stones: [call(CREATE, [0])],
  });
  // The inner envelope stands inside the outer one, which a NOP voids: the script stays balanced for the interpreter.
  const voided = concatBytes(
    encodeEnvelope(EMPTY_BYTES).slice(0, -1),
    Uint8Array.of(OP_NOP),
    probe,
    Uint8Array.of(0x68),
  );
  director.create(CREATE, {
    kind: 'envelope voided halfway',
    spend: [director.commit(voided)],
    stones: [call(CREATE, [0])],
  });
  // The first attempt uses the envelope up, whether it holds or not.
  director.send({
    kind: 'envelope used twice',
    spend: [director.commit(probe)],
    stones: [call(CREATE, [0]), call(CREATE, [4, 7])],
    expect: ['OK', 'REJECTED'],
  });
  director.nextSequence++;
  director.seal();
}
