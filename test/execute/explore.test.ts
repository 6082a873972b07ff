import { it } from 'vitest';
import { ModelMachine, type ModelOptions } from './model-machine.js';
const A = 'a'.repeat(64);
const median = (l: number[]) => [...l].sort((a, b) => a - b)[Math.floor((l.length - 1) / 2)];
it('explore', () => {
  const out: string[] = [];
  for (const threads of [3, 7, 15])
    for (const count of [100, 1000, 5000, 50000])
      for (const us of [8, 15, 30, 55, 130])
        for (const row of [3, 8, 15, 25])
          for (const shape of [{}, { steady: 1 }, { stale: 1 }, {stale:1,width:50}]) {
            const calls = { us, stale: 0, steady: 0, width: 1, row, ...shape };
            const o: ModelOptions = { threads, programs: { [A]: calls }, crowded: 1.3, rehearsing: 1.04, fixed: 1, coldMs: 500, coldRuns: 400, engineColdMs: 0, startMs: 250, pause: 2 };
            const m = new ModelMachine(o);
            const rounds = Math.min(20, Math.max(3, Math.ceil(4000 / count))) + 7;
            for (let n = 0; n < rounds; n++) m.run({ [A]: count });
            const c = new ModelMachine(o);
            const cpu = m.blocks.map(() => c.runForced({ [A]: count }));
            const cpuBest = median(cpu.slice(2)) < m.blocks[0].sequential;
            const r = median(m.blocks.map((b, i) => (cpuBest ? cpu[i] : b.sequential) / b.took).slice(2));
            const first = m.blocks.slice(0, 3).map((b) => b.sequential / b.took);
            if (r < 0.95 || Math.min(...first) < 0.95)
              out.push(`t${threads} n${count} us${us} row${row} ${JSON.stringify(shape)} r=${r.toFixed(2)} gain=${(m.blocks[0].sequential / m.blocks[0].workers).toFixed(2)} first=${first.map((x) => x.toFixed(2))} ${m.blocks.map((b) => b.mode[0]).join('')}`);
          }
  console.log(out.length + '\n' + out.join('\n'));
});
