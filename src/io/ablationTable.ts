/** An ablation as tables: Markdown to read, CSV to compute with. */
import { type Ablation, type AblationVariant, judged, MEASURES, type MeasureName, measureNames } from './ablation.js';
import { csvText } from './table.js';

/** Three digits that count, and never an exponent: 1234, 12.3, 0.123, 0. */
export function short(value: number): string {
  if (Math.abs(value) >= 99.95) return value.toFixed(0);
  if (Math.abs(value) >= 9.995) return value.toFixed(1);
  return value.toFixed(Math.abs(value) >= 0.9995 ? 2 : 3);
}

/** With its sign, which is a minus that is as wide as a plus; what rounds to 0 has a plus. */
export function signed(value: number): string {
  const digits = short(Math.abs(value));
  return `${value < 0 && Number(digits) > 0 ? '−' : '+'}${digits}`;
}

const mark = { better: ' ▲', worse: ' ▼' } as const;

/** A table with a row for each variant: means, deviations, differences from the base. */
export function ablationMarkdown(ablation: Ablation): string {
  const { variants, seeds, heldOut, complete } = ablation;
  const rows = [
    ['variant', ...measureNames.map((name) => MEASURES[name].name)],
    ['---', ...measureNames.map(() => '---')],
    ...variants.map((variant) => [
      variant.name.replaceAll('|', '\\|'),
      ...measureNames.map((name) => cell(variant, name)),
    ]),
    ['held-out real images', ...measureNames.map((name) => (heldOut[name] === undefined ? '' : short(heldOut[name])))],
  ];
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`);
  const failures = variants.flatMap(({ name, runs }) =>
    runs.flatMap(({ seed, failed }) => (failed === undefined ? [] : [`- ${name}, seed ${seed}: ${failed}`])),
  );
  return [
    `Means over the seeds ${seeds.join(', ')} ± their standard deviation; then the difference from ${variants[0]!.name}, seed by seed, with its`,
    '95 % interval (Student). ▲ better, ▼ worse: the interval does not reach 0; of many, one in twenty does so by chance.',
    ...(complete ? [] : ['Not all runs are done.']),
    '',
    ...lines,
    '',
    '| variant | what is other | settings |',
    '| --- | --- | --- |',
    ...variants.map(
      ({ name, what, overrides }) => `| ${[name, what, settingsText(overrides)].map(inCell).join(' | ')} |`,
    ),
    ...(failures.length > 0 ? ['', 'Failed:', '', ...failures] : []),
    '',
  ].join('\n');
}

const inCell = (text: string): string => text.replaceAll('|', '\\|');

/** `adversarial "hinge", beta1 0` */
export const settingsText = (overrides: Readonly<Record<string, unknown>>): string =>
  Object.entries(overrides)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ');

function cell({ spread, difference, runs }: AblationVariant, name: MeasureName): string {
  const known = spread[name];
  if (!known) return runs.some(({ failed }) => failed !== undefined) ? 'failed' : '';
  const deviation = known.deviation === undefined ? '' : ` ± ${short(known.deviation)}`;
  const change = difference[name];
  if (!change) return `${short(known.mean)}${deviation}`;
  const verdict = judged(name, change);
  const interval = change.interval ? ` (${change.interval.map(signed).join(' to ')})` : '';
  return `${short(known.mean)}${deviation}; ${signed(change.mean)}${interval}${verdict ? mark[verdict] : ''}`;
}

const COLUMNS = [
  'variant',
  'measure',
  'mean',
  'deviation',
  'seeds',
  'difference',
  'low',
  'high',
  'pairs',
  'failed',
] as const;

/** A line for each variant and measure. */
export function ablationCsv({ variants }: Ablation): string {
  const lines = variants.flatMap(({ name: variant, spread, difference, runs }) =>
    measureNames.map((measure) => {
      const [known, change] = [spread[measure], difference[measure]];
      const { mean, deviation, count = 0 } = known ?? {};
      const failed = runs.filter((run) => run.failed !== undefined).length;
      const [low, high] = change?.interval ?? [];
      return [variant, measure, mean, deviation, count, change?.mean, low, high, change?.count, failed];
    }),
  );
  return csvText([COLUMNS, ...lines.map((cells) => cells.map((value) => value ?? ''))]);
}
