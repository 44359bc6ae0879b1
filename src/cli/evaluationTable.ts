/** An evaluation as tables for the terminal. */
import type { Comparison, ComparisonGroup, Evaluation, Measure } from '../io/evaluation.js';
import { formatTable, threeDigits } from './table.js';

/** The numbers of a comparison, as they are called. */
const METRICS = {
  frechet: 'Frechet distance',
  kernel: 'kernel distance',
  precision: 'precision',
  recall: 'recall',
  density: 'density',
  coverage: 'coverage',
} as const satisfies Partial<Record<keyof Comparison, string>>;

type Metric = keyof typeof METRICS;

const metrics = Object.keys(METRICS) as Metric[];

export function describeEvaluation(evaluation: Evaluation): string {
  const { step, checkpoint, weights, notes } = evaluation;
  const averaged = weights === 'ema' ? ', weights averaged' : '';
  const parts = [
    `${checkpoint}: after ${step} steps${averaged}, against the training images (95 % intervals in brackets)`,
    overallTable(evaluation),
    judgesTable(evaluation),
    nearness(evaluation),
    classTable(evaluation),
    notes.map((note) => `note: ${note}`).join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** What was generated beside what is real, all classes together. */
function overallTable({ overall }: Evaluation): string {
  const columns = [
    ['generated', overall.generated],
    ['generated, fewer', overall.generatedFew],
    ['held out', overall.heldOut],
    ['halves of training', overall.halves],
  ] as const;
  const known = columns.flatMap(([name, comparison]) => (comparison ? [{ name, comparison }] : []));
  const rows = [
    ['images', ...known.map(({ comparison }) => String(comparison.compared))],
    ...metrics.map((metric) => [METRICS[metric], ...known.map(({ comparison }) => measureText(comparison[metric]))]),
  ];
  return formatTable(['', ...known.map(({ name }) => name)], rows, ['left', ...known.map(() => 'left' as const)]);
}

function judgesTable({ accuracy }: Evaluation): string {
  const { real, ganTrain, ganTest, chance } = accuracy;
  const rows = [
    [
      'real images',
      'held-out images',
      measureText(real.overall),
      `what to compare with; chance is ${threeDigits(chance)}`,
    ],
    [
      'generated images',
      'held-out images',
      measureText(ganTrain.overall),
      'GAN-train: is there enough in them to learn from?',
    ],
    ['real images', 'generated images', measureText(ganTest.overall), 'GAN-test: are they what their labels say?'],
  ];
  return formatTable(['trained on', 'tested on', 'named right', ''], rows, ['left', 'left', 'left', 'left']);
}

function nearness({ neighbours }: Evaluation): string {
  const rows = Object.entries(neighbours).map(([space, { nearer }]) => [space, measureText(nearer)]);
  return (
    'chance that a generated image is nearer to a training image than a held-out one is\n' +
    '(0.5: as new recordings; towards 1: copied; towards 0: unlike any)\n' +
    formatTable(['by', ''], rows, ['left', 'left'])
  );
}

/** One line a class: generated, and held out beside it where that is of use. */
function classTable({ classes, counts, perClass, accuracy }: Evaluation): string {
  const value = (measure: Measure | undefined): string =>
    threeDigits(measure && 'value' in measure ? measure.value : undefined);
  const pair = ({ generated, generatedFew, heldOut }: ComparisonGroup, metric: Metric): string =>
    heldOut ? `${value(generatedFew?.[metric])} | ${value(heldOut[metric])}` : `${value(generated[metric])} | -`;
  const rows = classes.map((label, i) => [
    label,
    `${counts.training[i]}`,
    `${counts.heldOut[i]}`,
    ...metrics.map((metric) => pair(perClass[i]!, metric)),
    value(accuracy.real.perClass[i]),
    value(accuracy.ganTrain.perClass[i]),
    value(accuracy.ganTest.perClass[i]),
  ]);
  const header = [
    'class',
    'train',
    'held out',
    ...metrics.map((metric) => METRICS[metric].replace(' distance', '')),
    'real',
    'GAN-train',
    'GAN-test',
  ];
  const align = ['left', ...header.slice(1).map(() => 'right')] as ('left' | 'right')[];
  const measures = perClass.flatMap((group) =>
    [group.generatedFew ?? group.generated, group.heldOut].flatMap((each) => metrics.map((metric) => each?.[metric])),
  );
  const reasons = new Set(measures.flatMap((measure) => (measure && 'reason' in measure ? [measure.reason] : [])));
  return [
    'by class: generated | held out, as many of either',
    formatTable(header, rows, align),
    ...[...reasons].map((reason) => `-: ${reason}`),
  ].join('\n');
}

/** `0.477 (0.467 to 0.487)`, or why there is no number. */
function measureText(measure: Measure): string {
  if ('reason' in measure) return `none: ${measure.reason}`;
  const { value, interval } = measure;
  return interval
    ? `${threeDigits(value)} (${threeDigits(interval[0])} to ${threeDigits(interval[1])})`
    : threeDigits(value);
}
