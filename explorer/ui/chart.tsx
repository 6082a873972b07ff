import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';

export interface Series {
  readonly name: string;
  /** Name of the style's variable that has its colour. */
  readonly colour: string;
  readonly values: readonly number[];
  readonly kind: 'area' | 'bars';
}

interface ChartProps {
  readonly label: string;
  /** Where each value stands: ascending. */
  readonly x: readonly number[];
  readonly series: readonly Series[];
  readonly height?: number;
  readonly xText: (x: number) => string;
}

const HEIGHT = 160;
/** Steps of the axis are these times 1, 2 or 5. */
const POWERS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/** A chart over x; its library is loaded with the first one that is shown. */
export function Chart({ label, x, series, height = HEIGHT, xText }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = [x, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const names = series.map(({ name, colour, kind }) => `${name} ${colour} ${kind}`).join();
  const shape = useRef({ series, xText });
  shape.current = { series, xText };
  // Made anew when other series are shown.
  useEffect(() => {
    let wanted = true;
    const { current } = place;
    if (current === null) return;
    const width = (): number => Math.max(120, current.clientWidth);
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: width(), height }));
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const make = async (): Promise<void> => {
      const { default: Plot } = await import('uplot');
      if (!wanted) return;
      plot.current?.destroy();
      plot.current = new Plot(optionsOf(Plot, shape.current, { width: width(), height }), latest.current, current);
    };
    const changed = (): void => void make();
    void make();
    resized.observe(current);
    scheme.addEventListener('change', changed);
    return () => {
      wanted = false;
      resized.disconnect();
      scheme.removeEventListener('change', changed);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [names, height]);
  useEffect(() => plot.current?.setData(latest.current));
  return <div class="chart" role="img" aria-label={label} ref={place} style={{ minHeight: `${height}px` }} />;
}

function optionsOf(
  Plot: typeof uPlot,
  { series, xText }: Pick<ChartProps, 'series' | 'xText'>,
  size: { readonly width: number; readonly height: number },
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = `11px ${style.getPropertyValue('--sans')}`;
  const axis = {
    stroke: colour('--text-2'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const hasBars = series.some(({ kind }) => kind === 'bars');
  const bars = Plot.paths.bars?.({ size: [0.8, 28], align: 0 });
  return {
    ...size,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 24, 0, 0],
    scales: {
      x: { time: false, range: (_, low, high) => (hasBars ? [low - 0.6, high + 0.6] : [low, high]) },
      y: { range: (_, _low, high) => [0, Math.max(1, high * 1.1)] },
    },
    axes: [
      { ...axis, size: 28, grid: { show: false }, space: 90, values: (_, at) => at.map(xText) },
      {
        ...axis,
        size: 44,
        space: 32,
        incrs: [1, 2, 5].flatMap((step) => POWERS.map((power) => step * power)).sort((a, b) => a - b),
      },
    ],
    series: [
      {},
      ...series.map(({ name, colour: of, kind }): uPlot.Series => {
        const fill = colour(of);
        const isBars = kind === 'bars';
        return {
          label: name,
          stroke: fill,
          width: isBars ? 0 : 1.5,
          fill: isBars ? fill : `color-mix(in srgb, ${fill} 18%, transparent)`,
          points: { show: false },
          ...(isBars && bars !== undefined && { paths: bars }),
        };
      }),
    ],
  };
}
