// Says what a transaction asks of the runes protocol and of contracts: node decode.js FILE, a file with its hex.
import { readFileSync } from 'node:fs';
import {
  decodeCellpack,
  decodeProtostones,
  decodeRunestone,
  findEnvelope,
  parseTransaction,
  WarpshrewError,
} from 'warpshrew';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node decode.js FILE');
  process.exit(2);
}

try {
  print(parseTransaction(Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')));
} catch (error) {
  if (!(error instanceof WarpshrewError)) throw error;
  console.error(error.explain());
  process.exit(error.exitStatus);
}

function print(transaction) {
  // Txids are shown in the opposite order of their bytes.
  console.log(`transaction ${Buffer.from(transaction.txid).reverse().toString('hex')}`);
  const envelope = findEnvelope(transaction);
  if (envelope !== undefined) console.log(`  carries a program: ${envelope.length} bytes, compressed`);
  const runestone = decodeRunestone(transaction.outputs);
  console.log(`  runestone: ${runestone.kind === 'cenotaph' ? `cenotaph (${runestone.flaw})` : runestone.kind}`);
  if (runestone.kind !== 'runestone' || runestone.protocol === undefined) return;
  const found = decodeProtostones(runestone.protocol, transaction.outputs.length);
  if (!found.ok) {
    console.log(`  protostones: ${found.error}`);
    return;
  }
  for (const { index, protocolTag, message } of found.protostones) {
    const cellpack = decodeCellpack(message);
    const call = cellpack && `calls ${cellpack.target.block}:${cellpack.target.tx} with ${cellpack.inputs.join(', ')}`;
    console.log(`  protostone ${index}, tag ${protocolTag}: ${call ?? 'no call'}`);
  }
}
