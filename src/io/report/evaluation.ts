/** The report's section on how good the generator is, in numbers beside those of real images. */

import { lineChart, type Point } from '../chart.js';
import type { Comparison, Evaluation, Measure } from '../evaluation.js';
import { type Html, html } from '../html.js';
import type { EvaluationPart } from './data.js';
import { count, label, plural } from './format.js';

type Metric = Exclude<keyof Comparison, 'reference' | 'compared'>;

interface MetricText {
  readonly name: string;
  /** What it asks, for readers who do not know it. */
  readonly meaning: string;
}

const METRICS: Readonly<Record<Metric, MetricText>> = {
  frechet: {
    name: 'Fréchet distance',
    meaning: 'How far apart both sets lie and how unlike they are in shape: 0 is best.',
  },
  kernel: {
    name: 'Kernel distance',
    meaning: 'The same without supposing a shape, and fair to small sets: about 0 is best.',
  },
  precision: { name: 'Precision', meaning: 'The share of these pictures that lies where training pictures are.' },
  recall: { name: 'Recall', meaning: 'The share of training pictures that lies where these pictures are: variety.' },
  density: { name: 'Density', meaning: 'How thickly these pictures lie where training pictures are: 1 as real ones.' },
  coverage: { name: 'Coverage', meaning: 'The share of training pictures that have one of these near them.' },
};

const metrics = Object.keys(METRICS) as Metric[];

/** `steps` is the report's own checkpoint. */
export function evaluationSection({ numbers, sheet }: EvaluationPart, steps: number): Html {
  return html`<section aria-labelledby="evaluation">
<h2 id="evaluation">How good are the synthetic pictures?</h2>
<p>A small network, trained to tell the classes of the training pictures apart, turned every picture into
${numbers.features.dimensions} numbers, its features. Pictures that look alike have like features, so that whole sets can be compared. No such number
means much by itself: what counts is how it compares with the columns of real pictures. Below each stands where it lies with 95 % confidence.</p>
${numbers.step !== steps && html`<p class="caution">This is of step ${count(numbers.step)}; the rest of this report is of step ${count(steps)}. Evaluate the run again to bring it up to date.</p>`}
${numbers.notes.map((note) => html`<p class="caution">${note}</p>`)}
${overallTable(numbers)}
${judgesTable(numbers)}
${neighboursPart(numbers, sheet)}
${classTable(numbers)}
</section>`;
}

/** Metrics down, kinds of images across. */
function overallTable({ overall, k }: Evaluation): Html {
  const columns = [
    { name: 'Synthetic', comparison: overall.generated },
    { name: 'Synthetic, as many as held out', comparison: overall.generatedFew },
    { name: 'Held-out real', comparison: overall.heldOut },
    { name: 'One half of training, against the other', comparison: overall.halves },
  ].filter(({ comparison }) => comparison !== undefined);
  return html`<div class="scroll"><table class="evaluation">
<caption>Against the training pictures</caption>
<thead><tr><th scope="col"></th>${columns.map(({ name, comparison }) => html`<th scope="col">${name}<small>${plural(comparison!.compared, 'picture')}</small></th>`)}</tr></thead>
<tbody>
${metrics.map(
  (
    metric,
  ) => html`<tr><th scope="row">${METRICS[metric].name}<small>${METRICS[metric].meaning}</small></th>${columns.map(
    ({ comparison }) => html`<td>${measureCell(comparison![metric])}</td>`,
  )}</tr>
`,
)}</tbody></table></div>
<p>Few pictures look further from the training pictures than many: that is why the columns of equal numbers are the ones to compare. “Where training pictures
are” is within reach of one of them, as far as its ${count(k)} nearest fellows.</p>`;
}

function judgesTable({ accuracy }: Evaluation): Html {
  const rows = [
    ['real', 'held-out real', accuracy.real.overall, 'What the other two are to be compared with.'],
    [
      'synthetic',
      'held-out real',
      accuracy.ganTrain.overall,
      'GAN-train: is there enough in synthetic pictures to learn the classes from?',
    ],
    ['real', 'synthetic', accuracy.ganTest.overall, 'GAN-test: do synthetic pictures show what their labels say?'],
  ] as const;
  return html`<div class="scroll"><table class="evaluation">
<caption>Classifiers as judges</caption>
<thead><tr><th scope="col">Trained on pictures that are</th><th scope="col">tested on</th><th scope="col">named right</th><th scope="col"></th></tr></thead>
<tbody>
${rows.map(
  ([
    trained,
    tested,
    measure,
    meaning,
  ]) => html`<tr><th scope="row">${trained}</th><td>${tested}</td><td>${measureCell(measure)}</td><td><small>${meaning}</small></td></tr>
`,
)}</tbody></table></div>
<p>Always naming the commonest class would get ${digits(accuracy.chance)} of the held-out pictures right.</p>`;
}

function neighboursPart({ neighbours, classes }: Evaluation, sheet: Uint8Array | undefined): Html {
  const { features, pixels } = neighbours;
  const series = [
    { name: 'synthetic', points: shares(features.generated) },
    { name: 'held-out real', points: shares(features.heldOut) },
  ].filter(({ points }) => points.length > 0);
  return html`<h3>Is it copying?</h3>
<p>${copyingVerdict(features.nearer, pixels.nearer)} The chance that a synthetic picture is nearer to a training picture than a held-out one is:
${measureText(features.nearer)} by features, ${measureText(pixels.nearer)} by plain differences of brightness. 0.5 means as near as new recordings; a generator
that learns by heart comes near 1.</p>
<figure>${lineChart({
    description: 'The share of synthetic and of held-out pictures within a distance of their nearest training picture.',
    xLabel: 'distance to the nearest training picture, by features',
    yLabel: 'share of pictures within it',
    yRange: [0, 1],
    smooth: false,
    series,
  })}<figcaption>Where the line of synthetic pictures runs left of that of held-out ones, they are nearer to what was trained on than new
recordings are.</figcaption></figure>
${sheet && sheetFigure(sheet, classes.length)}`;
}

function sheetFigure(sheet: Uint8Array, classes: number): Html {
  const base64 = Buffer.from(sheet.buffer, sheet.byteOffset, sheet.byteLength).toString('base64');
  return html`<details${classes <= SHORT && html` open`}>
<summary>Synthetic pictures beside the training pictures nearest to them</summary>
<figure class="sheet"><img src="data:image/png;base64,${base64}" alt="Synthetic pictures, each beside the training pictures nearest to it">
<figcaption>Left a synthetic picture, right of it the training pictures that are nearest to it: for each class the synthetic picture that is nearest to any, and one
from the middle. Copies would show here.</figcaption></figure>
</details>`;
}

/** Classes whose sheet does not hide the rest of the page. */
const SHORT = 6;

/** Only where both ways of measuring agree are copies spoken of, or ruled out. */
function copyingVerdict(byFeatures: Measure, byPixels: Measure): Html | undefined {
  const intervals = [byFeatures, byPixels].map((measure) => ('value' in measure ? measure.interval : undefined));
  if (intervals.every((interval) => interval && interval[0] > 0.5)) {
    return html`<strong>Synthetic pictures lie nearer to training pictures than new recordings do:</strong> look below whether they are copies.`;
  }
  if (intervals.some((interval) => interval === undefined)) return undefined;
  if (intervals.some((interval) => interval![0] > 0.5)) {
    return html`<strong>The two ways of measuring disagree:</strong> look below whether there are copies.`;
  }
  return html`<strong>There is no sign of copying.</strong>`;
}

/** Which share of the values is at most as large as each of them. */
function shares(values: readonly number[]): Point[] {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.map((value, i) => [value, (i + 1) / sorted.length] as const);
}

/** One line a class: synthetic beside held-out pictures, of equal numbers. */
function classTable({ classes, perClass, counts, accuracy }: Evaluation): Html {
  const pair = (i: number, metric: Metric): Html => {
    const { generated, generatedFew, heldOut } = perClass[i]!;
    return html`${short((generatedFew ?? generated)[metric])}<small>${heldOut ? short(heldOut[metric]) : '–'}</small>`;
  };
  return html`<details>
<summary>Class by class</summary>
<p>In each cell above what synthetic pictures give, below it what as many held-out ones do. A dash: too few pictures, or none.</p>
<div class="scroll"><table class="evaluation classes">
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Training</th><th scope="col" class="number">Held out</th>${metrics.map(
    (metric) => html`<th scope="col" class="number">${METRICS[metric].name.replace(' distance', '')}</th>`,
  )}<th scope="col" class="number">GAN-test<small>real</small></th><th scope="col" class="number">GAN-train</th></tr></thead>
<tbody>
${classes.map(
  (
    name,
    i,
  ) => html`<tr><th scope="row">${label(name)}</th><td class="number">${count(counts.training[i]!)}</td><td class="number">${count(counts.heldOut[i]!)}</td>${metrics.map(
    (metric) => html`<td class="number">${pair(i, metric)}</td>`,
  )}<td class="number">${short(accuracy.ganTest.perClass[i]!)}<small>${short(accuracy.real.perClass[i]!)}</small></td><td class="number">${short(accuracy.ganTrain.perClass[i]!)}</td></tr>
`,
)}</tbody></table></div>
</details>`;
}

function measureCell(measure: Measure): Html {
  if ('reason' in measure) return html`<small>none: ${measure.reason}</small>`;
  const { value, interval } = measure;
  return html`${digits(value)}${interval && html`<small class="interval">${digits(interval[0])} to ${digits(interval[1])}</small>`}`;
}

function measureText(measure: Measure): string {
  if ('reason' in measure) return `unknown (${measure.reason})`;
  const { value, interval } = measure;
  return interval ? `${digits(value)} (${digits(interval[0])} to ${digits(interval[1])})` : digits(value);
}

const short = (measure: Measure): string => ('value' in measure ? digits(measure.value) : '–');

/** Three digits, and no more than three decimals: 31.2, 0.908. */
const digits = (value: number): string =>
  value.toFixed(Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))));
