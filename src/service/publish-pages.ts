/** What the pages of a service say of the stream that it publishes to. */
import type { StreamCode } from '../errors/codes/registry.js';
import type { ErrorCode } from '../errors/errors.js';
import type { MetricsPage, Sample } from './prometheus.js';
import type { PublishFigures } from './publishing.js';

/** For `/status`. `tip`: height of the index. */
export function publishStatus(figures: PublishFigures | undefined, tip: number | undefined): object | null {
  if (figures === undefined) return null;
  const { stream, height, blocks, undone, leftOut, failures, trouble } = figures;
  return {
    ...{ stream, height: height ?? null, behind: lagOf(figures, tip) ?? null },
    ...{ blocks, undone, leftOut, failures },
    trouble: trouble === undefined ? null : { code: trouble.code, message: trouble.message, facts: trouble.facts },
  };
}

/** For `/health`: what is wrong with it. */
export function publishCodes(figures: PublishFigures | undefined): ErrorCode[] {
  const leftOut: StreamCode[] = figures !== undefined && figures.leftOut > 0 ? ['STREAM_BLOCK_LEFT_OUT'] : [];
  return figures?.trouble === undefined ? leftOut : [figures.trouble.code, ...leftOut];
}

export function addPublishMetrics(
  page: MetricsPage,
  figures: PublishFigures | undefined,
  tip: number | undefined,
): MetricsPage {
  const optional = (value: number | undefined): Sample[] => (value === undefined ? [] : [[value]]);
  const events: Sample[] =
    figures === undefined
      ? []
      : [
          [figures.blocks, { event: 'block' }],
          [figures.undone, { event: 'undone' }],
        ];
  return page
    .gauge('warpshrew_published_height', 'Height of the tip of the stream.', ...optional(figures?.height))
    .gauge(
      'warpshrew_publish_lag_blocks',
      'Blocks of the index that are not in the stream.',
      ...optional(figures && lagOf(figures, tip)),
    )
    .counter('warpshrew_published_total', 'Events added to the stream, by kind.', ...events)
    .counter(
      'warpshrew_publish_failures_total',
      'Failures of publishing after which it was tried again.',
      ...optional(figures?.failures),
    )
    .counter(
      'warpshrew_publish_left_out_total',
      'Blocks that are not in the stream and will not be.',
      ...optional(figures?.leftOut),
    );
}

function lagOf({ height }: PublishFigures, tip: number | undefined): number | undefined {
  return height === undefined || tip === undefined ? undefined : Math.max(0, tip - height);
}
