// Prints what an index says of its last blocks: node read.js FOLDER, the folder of a database that no process has open.
import { openReader, WarpshrewError } from 'warpshrew';

const BLOCKS = 5;
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node read.js FOLDER');
  process.exit(2);
}

try {
  const reader = await openReader(folder);
  try {
    print(reader);
  } finally {
    await reader.close();
  }
} catch (error) {
  if (!(error instanceof WarpshrewError)) throw error;
  console.error(error.explain());
  process.exit(error.exitStatus);
}

function print(reader) {
  const { network } = reader.identity();
  const { height } = reader.tip();
  console.log(`${network}, height ${height}, state root ${reader.roots(height).state}`);
  for (let at = Math.max(0, height - BLOCKS + 1); at <= height; at++) {
    const { laneTxs, colours } = reader.plan(at);
    console.log(`block ${at}: ${laneTxs} transactions of the parallel lane in ${colours} batches`);
  }
}
