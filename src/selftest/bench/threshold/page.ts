/** A page about one or two reports of `bench threshold`: charts and all figures, without scripts or other files. */
import { CSV_HEAD, ratiosOf, type ThresholdPoint, type ThresholdReport, type ThresholdWay, WAYS } from './report.js';

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 320, 64, 16, 16, 40];
const COLOURS: Readonly<Record<ThresholdWay, string>> = {
  'one thread': '#b45309',
  'all threads': '#1d4ed8',
  kernel: '#15803d',
  'block: auto': '#be123c',
  'block: balance': '#7e22ce',
  'block: cpu': '#0891b2',
  'block: gpu': '#4d7c0f',
  'block: sequential': '#78716c',
};
/** What the lines of two reports look like, and the second one's in SVG. */
const LINES = ['Full lines: ', 'Dashed lines: '] as const;
const DASHES = '6 4';

interface Line {
  readonly name: string;
  readonly way: ThresholdWay;
  readonly isSecond: boolean;
  readonly points: readonly ThresholdPoint[];
}

/** `others`: what is drawn beside `report`, in dashes. Text of the reports is escaped: files may be anybody's. */
export function thresholdPage(report: ThresholdReport, others?: ThresholdReport): string {
  const reports = others === undefined ? [report] : [report, others];
  const programs = [...new Set(reports.flatMap(({ points }) => points.map(({ program }) => program)))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Where the kernel begins to win</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c1917; }
table { border-collapse: collapse; font-size: 0.875rem; }
th, td { border-bottom: 1px solid #d6d3d1; padding: 0.25rem 0.75rem; text-align: right; }
th:first-child, td:first-child, .word { text-align: left; }
svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #1c1917; color: #f5f5f4; } svg { background: #f5f5f4; } }
</style>
</head>
<body>
<h1>Where the kernel begins to win</h1>
<p>Milliseconds of a batch of messages, medians; the thin lines reach from the least to the 90th of 100. Both axes are
logarithmic.</p>
${reports.map((each, i) => about(each, reports.length === 1 ? '' : LINES[i])).join('\n')}
${programs.map((program) => section(program, reports)).join('\n')}
</body>
</html>
`;
}

function about({ run, at, version, machine, differences }: ThresholdReport, lines: string): string {
  const { processor, threads, node, adapter } = machine;
  const where = `${processor}, ${threads} threads, Node ${node}, ${adapter ?? 'no GPU'}`;
  const text = `run ${run} of ${at}, warpshrew ${version}, on ${where}; ${differences} differences.`;
  return `<p>${lines}${escaped(text)}</p>`;
}

function section(program: string, reports: readonly ThresholdReport[]): string {
  const lines = reports.flatMap(({ points }, i) =>
    WAYS.flatMap((way): Line[] => {
      const own = points.filter((point) => point.program === program && point.way === way);
      if (own.length === 0) return [];
      const name = reports.length === 1 ? way : `${way}, ${i === 0 ? 'first' : 'second'}`;
      return [{ name, way, isSecond: i > 0, points: [...own].sort((a, b) => a.count - b.count) }];
    }),
  );
  const crossings = reports.flatMap(({ crossings: all }, i) =>
    all
      .filter((crossing) => crossing.program === program)
      .map(({ way, count }) => {
        const of = reports.length === 1 ? '' : i === 0 ? 'First: ' : 'Second: ';
        const from = count === undefined ? 'at none of these sizes' : `from ${count} messages on`;
        return `<li>${of}the kernel takes less than ${way} ${from}.</li>`;
      }),
  );
  const ratios = reports.flatMap(({ points }, i) =>
    ratiosOf(points)
      .filter((ratio) => ratio.program === program)
      .map(({ count, auto, balance }) => {
        const of = reports.length === 1 ? '' : i === 0 ? 'First: ' : 'Second: ';
        const said = [
          ...(auto === undefined ? [] : [`auto is ${auto} times as fast as the best policy`]),
          ...(balance === undefined ? [] : [`balance ${balance} times as fast as the better of cpu and gpu`]),
        ];
        return `<li>${of}blocks of ${count}: ${said.join(', ')}.</li>`;
      }),
  );
  const rows = reports.flatMap(({ run, points }) =>
    points.filter((point) => point.program === program).map((point) => rowOf(run, point)),
  );
  return `<h2>${escaped(program)}</h2>
${chart(program, lines)}
<ul>${[...crossings, ...ratios].join('')}</ul>
<table>
<thead><tr>${HEAD.map((title) => `<th>${title}</th>`).join('')}</tr></thead>
<tbody>${rows.join('')}</tbody>
</table>`;
}

/** Titles of the table: those of the CSV, but for the lists. */
const HEAD = CSV_HEAD.split(',').slice(0, 9);

function rowOf(run: string, { program, count, way, median, p90, least, most, samples }: ThresholdPoint): string {
  const cells = [run, program, count, way, median, p90, least, most, samples.length];
  return `<tr>${cells.map((cell) => `<td>${escaped(String(cell))}</td>`).join('')}</tr>`;
}

function chart(program: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const x = scale(
    points.map(({ count }) => count),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    points.flatMap(({ least, p90 }) => [least, p90]),
    HEIGHT - BOTTOM,
    TOP,
  );
  const axis = [
    ...x.ticks.map((at) => tick(x.of(at), HEIGHT - BOTTOM, String(at), 'middle', 0, 16)),
    ...y.ticks.map((at) => tick(LEFT, y.of(at), `${at} ms`, 'end', -6, 4)),
  ];
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-size="12">
<title>${escaped(`${program}: milliseconds by messages of a batch`)}</title>
<g stroke="#a8a29e"><path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none"/></g>
<g fill="#44403c">${axis.join('')}</g>
${lines.map((line) => drawn(line, x.of, y.of)).join('\n')}
<g>${lines.map((line, i) => legend(line, i)).join('')}</g>
</svg>`;
}

function drawn({ name, way, isSecond, points }: Line, x: Place, y: Place): string {
  const colour = COLOURS[way];
  const dash = isSecond ? ` stroke-dasharray="${DASHES}"` : '';
  const path = points.map(({ count, median }) => `${x(count)},${y(median)}`).join(' ');
  const reach = points.map(({ count, least, p90 }) => `M${x(count)} ${y(least)}V${y(p90)}`).join('');
  const dots = points.map(({ count, median }) => `<circle cx="${x(count)}" cy="${y(median)}" r="3" fill="${colour}"/>`);
  return `<g data-line="${name}"><polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>
<path d="${reach}" stroke="${colour}" stroke-opacity="0.5"/>${dots.join('')}</g>`;
}

function legend({ name, way, isSecond }: Line, i: number): string {
  const [x, y] = [LEFT + 12, TOP + 12 + 16 * i];
  const dash = isSecond ? ` stroke-dasharray="${DASHES}"` : '';
  return (
    `<path d="M${x} ${y}h24" stroke="${COLOURS[way]}" stroke-width="2"${dash}/>` +
    `<text x="${x + 32}" y="${y + 4}" fill="#44403c">${name}</text>`
  );
}

function tick(x: number, y: number, text: string, anchor: string, dx: number, dy: number): string {
  return `<text x="${x}" y="${y}" dx="${dx}" dy="${dy}" text-anchor="${anchor}">${text}</text>`;
}

type Place = (value: number) => number;

/** Places of values between `from` and `to`, by their logarithms, and the powers of ten among them. */
function scale(values: readonly number[], from: number, to: number): { readonly of: Place; readonly ticks: number[] } {
  // What takes no time at all by this clock still has a place.
  const exponents = values.map((value) => Math.log10(Math.max(value, 0.001)));
  const least = Math.floor(Math.min(...exponents));
  const most = Math.max(least + 1, Math.ceil(Math.max(...exponents)));
  const of: Place = (value) => {
    const share = (Math.log10(Math.max(value, 0.001)) - least) / (most - least);
    return Math.round((from + share * (to - from)) * 10) / 10;
  };
  const ticks = Array.from({ length: most - least + 1 }, (_, i) => Number((10 ** (least + i)).toPrecision(1)));
  return { of, ticks };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
