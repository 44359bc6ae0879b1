/** Gathers what a run's report tells: the data set, the curves, and what the discriminator says of real and synthetic images. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Dataset, readIndex } from '../data/read.js';
import { type ImageStore, openImages, sourceOf } from '../data/store.js';
import { EVALUATION_FILES, readEvaluation } from '../io/evaluation.js';
import { gridPng } from '../io/image.js';
import { type LogRecord, readLog } from '../io/log.js';
import type { ReportData } from '../io/report.js';
import { sampledSteps, smallSheet } from '../io/samples.js';
import { panelsOf } from '../io/scalars.js';
import type { Engine } from '../kernel/engine.js';
import { type Checkpoint, loadNetwork, openGenerator, type Weights } from './checkpoint.js';
import { createDiscriminator } from './gan.js';
import { judgeImages } from './judge.js';
import { examples, generateImages, padded, toLevels } from './sample.js';

/** Synthetic images judged for each class, and images shown for each. */
const JUDGED = 40;
const SHOWN = 4;

/** Sample sheets that are shown. */
const SHEETS = 8;

export interface SummaryOptions {
  readonly title: string;
  /** Where the recordings came from. */
  readonly source: string;
  /** Of the generator. Default: the average, if there is one. */
  readonly weights?: Weights | undefined;
}

export interface Summary {
  readonly report: ReportData;
  /** Whether the data set's training images are those that it was trained on: if not, its held-out ones may be among them. */
  readonly sameImages: boolean;
  /** Images of the data set that cannot be read. */
  readonly skipped: ImageStore['skipped'];
  /** One sheet as PNG: a row for each class, recordings on the left, generated images on the right. */
  readonly comparison: Buffer;
}

/** Generates, judges and counts; takes some seconds. */
export async function summarise(
  e: Engine,
  run: string,
  dataset: Dataset,
  checkpoint: Checkpoint,
  { title, source, weights }: SummaryOptions,
): Promise<Summary> {
  const { config, classes } = checkpoint;
  const { batch, size, channels, seed } = config;
  const g = openGenerator(e, checkpoint, weights);
  const d = createDiscriminator(e, config, classes.length, { trained: false });
  loadNetwork(checkpoint, 'd.', d);
  const [train, test] = [await openImages(dataset, 'train', config), await openImages(dataset, 'test', config)];
  const skipped = [...train.skipped, ...test.skipped];
  const labels = Int32Array.from({ length: JUDGED * classes.length }, (_, i) => Math.floor(i / JUDGED));
  const synthetic = await generateImages(e, g, labels, { seed: seed + 2, batch });
  const accuracy = {
    training: await judgeImages(e, d, train, batch),
    synthetic: await judgeImages(e, d, sourceOf(synthetic, labels, size), batch),
    ...(test.labels.length > 0 && { heldOutReal: await judgeImages(e, d, test, batch) }),
  };
  g.destroy();
  d.destroy();

  // A checkpoint that was copied alone has no log: then there are no curves.
  const log = path.join(run, 'log.jsonl');
  const records = existsSync(log) ? readLog(log) : [];
  const last: LogRecord & { peakGpuBytes?: number; adapter?: string } = {};
  for (const record of records) Object.assign(last, record);
  const made = toLevels(synthetic, size, channels);
  const shown = await Promise.all(
    classes.map(async (label, i) => {
      return { label, real: await examples(train, i, SHOWN), synthetic: made.slice(i * JUDGED, i * JUDGED + SHOWN) };
    }),
  );
  const sheet = (images: Uint8Array[]) => gridPng(images, { columns: SHOWN, size, background: 'transparent' });
  const countIn = (part: { readonly labels: Int32Array }, label: number): number =>
    part.labels.filter((l) => l === label).length;
  const report: ReportData = {
    title,
    synthetic: checkpoint.synthetic,
    dataset: {
      source,
      classes: classes.map((label, i) => ({ label, training: countIn(train, i), heldOut: countIn(test, i) })),
      skipped: [...(await skippedIn(dataset)), ...skipped],
      parameters: dataset.parameters ?? {},
    },
    run: {
      steps: checkpoint.step,
      batch,
      size,
      seed,
      adapter: last.adapter ?? e.gpu.info.name,
      secondsTotal: secondsTrained(records),
      ...(last.peakGpuBytes !== undefined && { peakGpuBytes: last.peakGpuBytes }),
      parametersG: g.parameterCount,
      parametersD: d.parameterCount,
      settings: Object.fromEntries(Object.entries(config).map(([name, value]) => [name, settingOf(value)])),
    },
    curves: panelsOf(records),
    samples: await growthOf(run),
    accuracy,
    evaluation: await evaluationOf(run),
    grids: await Promise.all(
      shown.map(async ({ label, real, synthetic: generated }) => ({
        label,
        real: await sheet(real),
        synthetic: await sheet(generated),
      })),
    ),
  };
  const rows = shown.flatMap(({ real, synthetic: generated }) => [...padded(real, SHOWN, size), ...generated]);
  const ofSound = checkpoint.synthetic ? 'synthesised recordings' : 'recordings';
  const words = dataset.parameters ? ofSound : 'real pictures';
  const comparison = await gridPng(rows, {
    columns: 2 * SHOWN,
    size,
    rowLabels: classes,
    title: `left: ${words}, right: generated after ${checkpoint.step} steps`,
  });
  return { report, skipped, comparison, sameImages: train.hash === checkpoint.data };
}

/** What `lyrebird evaluate` left in the run, if it did. */
async function evaluationOf(run: string): Promise<ReportData['evaluation']> {
  const file = path.join(run, EVALUATION_FILES.numbers);
  if (!existsSync(file)) return undefined;
  const sheet = path.join(run, EVALUATION_FILES.sheet);
  return { numbers: await readEvaluation(file), sheet: existsSync(sheet) ? await readFile(sheet) : undefined };
}

/** What a config's field may hold. */
type Setting = string | number | boolean | null | number[] | Readonly<Record<string, number>>;

/** A setting as the report shows it: of several strengths, those that are not 0. */
export function settingOf(value: Setting): string | number | boolean {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value !== 'object') return value;
  const strengths = Object.entries(value ?? {}).filter(([, strength]) => strength !== 0);
  return strengths.map(([name, strength]) => `${name} ${strength}`).join(', ') || 'none';
}

const skippedIn = async ({ dir, parameters }: Dataset): Promise<ReportData['dataset']['skipped']> =>
  parameters ? (await readIndex(dir)).skipped : [];

const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** Some of the run's sample sheets, the first and the last among them, made small. */
async function growthOf(run: string): Promise<ReportData['samples']> {
  const steps = await sampledSteps(run);
  const count = Math.min(SHEETS, steps.length);
  const chosen = Array.from(
    { length: count },
    (_, i) => steps[Math.round((i * (steps.length - 1)) / Math.max(1, count - 1))]!,
  );
  return Promise.all(chosen.map(async (step) => ({ step, sheet: await smallSheet(run, step) })));
}

/** The clock of the log starts anew whenever a run is resumed: its rises are what was spent. */
function secondsTrained(records: readonly LogRecord[]): number {
  let total = 0;
  let before = 0;
  for (const record of records) {
    const now = number(record.seconds);
    if (now === undefined) continue;
    total += now >= before ? now - before : now;
    before = now;
  }
  return total;
}
