/** The numbers of a run's log: what they are called, and which of them belong into one chart. */

import type { Point, Series } from './chart.js';
import type { LogRecord } from './log.js';

interface Group {
  readonly title: string;
  readonly yLabel: string;
  /** What its numbers are called, by their fields in the log. */
  readonly fields: Readonly<Record<string, string>>;
  /** What to see in it. */
  readonly caption?: string;
  readonly yRange?: readonly [low: number, high: number];
  readonly reference?: { readonly value: number; readonly label: string };
  /** Whether moving averages are drawn over its lines. Default true. */
  readonly smooth?: boolean;
}

/** In the order in which they are shown. Fields that are not listed make groups by themselves; see `groupOf`. */
const GROUPS: Readonly<Record<string, Group>> = {
  losses: {
    title: 'Losses',
    yLabel: 'loss',
    fields: {
      lossD: 'discriminator',
      lossG: 'generator',
      loss: 'training',
      'validation.loss': 'validation',
    },
  },
  kernelDistance: {
    title: 'Distance of synthetic from training images',
    yLabel: 'kernel distance',
    fields: { kernelDistance: 'at 8 × 8 pixels, mean over the classes' },
    caption:
      'It should fall, and would be 0 if the images could not be told apart. The checkpoint of the step where it was least is ' +
      'kept as the best.',
    smooth: false,
  },
  judgement: {
    title: 'Losses of the judgement, real or synthetic',
    yLabel: 'loss',
    fields: { sourceD: 'discriminator', sourceG: 'generator' },
  },
  classes: {
    title: 'Losses of the classes',
    yLabel: 'loss',
    fields: { classD: 'discriminator', classG: 'generator' },
  },
  realism: {
    title: 'Told rightly from each other',
    yLabel: 'share told rightly',
    fields: { accReal: 'real images taken for real', accFake: 'synthetic images found out' },
    caption:
      'How often the discriminator saw through the game. At 1 throughout, the generator never deceived it; near a coin toss, ' +
      'real and synthetic images look alike to it.',
    yRange: [0, 1],
    reference: { value: 0.5, label: 'coin toss' },
    smooth: false,
  },
  diversity: {
    title: 'How much images of a class vary',
    yLabel: 'variety (real: 1)',
    fields: { diversity: 'synthetic images' },
    caption: 'Near 0, the generator makes the same image of a class again and again.',
    reference: { value: 1, label: 'as real images' },
    smooth: false,
  },
  accuracy: {
    title: 'Classes named right',
    yLabel: 'share named right',
    fields: {
      heldOutAccuracy: 'held-out images',
      syntheticAccuracy: 'synthetic images',
      'validation.accuracy': 'validation images',
    },
    yRange: [0, 1],
    smooth: false,
  },
  rates: {
    title: 'Learning rates',
    yLabel: 'learning rate',
    fields: { learningRateD: 'discriminator', learningRateG: 'generator', learningRate: 'learning rate' },
    smooth: false,
  },
};

/** What a step costs: kept, but no curves to look at. */
const COSTS: readonly string[] = [
  'seconds',
  'epoch',
  'loaderWait',
  'gpuBytes',
  'gpuAllocations',
  'peakGpuBytes',
  'parametersG',
  'parametersD',
];

/** A chart of a run: the lines that belong together. */
export interface Panel extends Omit<Group, 'fields'> {
  /** Of the group. */
  readonly key: string;
  readonly series: readonly (Series & { readonly field: string })[];
}

/** The numbers of a record by `group/field`, as TensorBoard groups them. */
export function scalarsOf(record: LogRecord): Record<string, number> {
  return Object.fromEntries(
    numbersOf(record).map(([field, value]) => [`${COSTS.includes(field) ? 'costs' : groupOf(field)}/${field}`, value]),
  );
}

/** All that can be drawn over the steps. Of a step that was recorded twice, the later number counts. */
export function panelsOf(records: readonly LogRecord[]): Panel[] {
  const fields = new Map<string, Map<number, number>>();
  for (const record of records) {
    if (record.step === undefined) continue;
    for (const [field, value] of numbersOf(record)) {
      if (!fields.has(field)) fields.set(field, new Map());
      fields.get(field)!.set(record.step, value);
    }
  }
  const shown = [...fields.keys()].filter((field) => !COSTS.includes(field));
  const found = new Set(shown.map(groupOf));
  const known = Object.keys(GROUPS);
  const keys = [...known.filter((key) => found.has(key)), ...[...found].filter((key) => !known.includes(key)).sort()];
  return keys.map((key) => {
    const { fields: names, ...group } = GROUPS[key] ?? {
      title: capitalised(wordsOf(key)),
      yLabel: wordsOf(key),
      fields: {},
    };
    const listed = Object.keys(names);
    const series = shown
      .filter((field) => groupOf(field) === key)
      .sort((a, b) => listed.indexOf(a) - listed.indexOf(b) || a.localeCompare(b))
      .map((field) => ({ field, name: names[field] ?? nameOf(field), points: pointsOf(fields.get(field)!) }));
    return { key, ...group, series };
  });
}

/** Numbers by their fields; those of objects within it as `validation.loss`. Texts that stand for numbers are numbers. */
function numbersOf({ step: _, ...record }: LogRecord): [field: string, value: number][] {
  return Object.entries(record).flatMap(([field, value]): [string, number][] => {
    if (typeof value === 'number') return [[field, value]];
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return [[field, Number(value)]];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    return numbersOf({ ...value }).map(([inner, each]) => [`${field}.${inner}`, each]);
  });
}

/**
 * Of a field that no group lists, its name without the letter of a network: gradientNormD and gradientNormG are in gradientNorm;
 * of a number within an object, the name of that.
 */
function groupOf(field: string): string {
  const known = Object.entries(GROUPS).find(([, { fields }]) => Object.hasOwn(fields, field));
  return known?.[0] ?? field.replace(/\..*$/, '').replace(/(?<=[a-z])[DG]$/, '');
}

const nameOf = (field: string): string =>
  field.includes('.')
    ? field.slice(field.indexOf('.') + 1)
    : /[a-z]D$/.test(field)
      ? 'discriminator'
      : /[a-z]G$/.test(field)
        ? 'generator'
        : wordsOf(field);

/** `gradient norm` */
const wordsOf = (field: string): string =>
  field
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll('.', ' ')
    .trim();

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const pointsOf = (values: ReadonlyMap<number, number>): Point[] => [...values].sort(([a], [b]) => a - b);
