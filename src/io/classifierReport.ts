/** The report of a classifier: one HTML file that says how well it tells species apart, for whom, and how sure of itself it is. */

import { lineChart } from './chart.js';
import { writeAtomically } from './files.js';
import { type Content, type Html, html } from './html.js';
import { formatDuration } from './progress.js';
import { confusionMatrix } from './report/confusion.js';
import { charts } from './report/curves.js';
import type { Settings } from './report/data.js';
import { count, factsTable, label, percent, percentRange, plural, settingText } from './report/format.js';
import { reportPage } from './report/page.js';
import type { Panel } from './scalars.js';

interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** How a classifier did on windows, or on recordings; see metrics/classification.ts. */
export interface ReportedScores {
  readonly count: number;
  readonly accuracy: number;
  readonly top3: number;
  readonly macro: Scores;
  readonly perClass: readonly (Scores & { readonly count: number })[];
  readonly confusion: readonly (readonly number[])[];
  readonly calibrationError: number;
  readonly bins: readonly { readonly count: number; readonly confidence: number; readonly accuracy: number }[];
}

export interface ClassifierReport {
  readonly title: string;
  /** Whether the recordings were made by this program. */
  readonly synthetic: boolean;
  /** Where the images came from. */
  readonly source: string;
  readonly classes: readonly string[];
  /** Images of each class. */
  readonly counts: Readonly<Record<'training' | 'extra' | 'validation' | 'test', readonly number[]>>;
  /** Missing where nothing was held out. */
  readonly test?:
    | {
        readonly windows: ReportedScores;
        readonly recordings: ReportedScores;
        readonly interval?: readonly [low: number, high: number] | undefined;
        readonly chance: number;
      }
    | undefined;
  /** What is wrong with the data set or its split, in sentences. */
  readonly notes: readonly string[];
  readonly curves: readonly Panel[];
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly threshold: number | null;
  readonly parameters: number;
  readonly settings: Settings;
  readonly seconds: number;
  readonly adapter: string;
}

/** Writes the report. Throws a UserError if it cannot be written. */
export async function writeClassifierReport(file: string, report: ClassifierReport): Promise<void> {
  await writeAtomically(file, renderClassifierReport(report));
}

/** The report as HTML text. */
export function renderClassifierReport(report: ClassifierReport): string {
  return reportPage({
    kicker: 'Lyrebird classifier report',
    title: report.title,
    synthetic: report.synthetic,
    verdict: verdict(report),
    sections: [
      classesSection(report),
      confusionSection(report),
      calibrationSection(report),
      curves(report),
      making(report),
    ],
  }).html;
}

function verdict({ test, counts, classes, parameters, notes }: ClassifierReport): Html {
  const training = total(counts.training) + total(counts.extra);
  return html`<p class="verdict">${test ? sentence(test) : 'There were no held-out images, so this does not show whether anything general was learnt.'}</p>
${notes.map((note) => html`<p class="caution">${note}</p>`)}
<ul class="tiles">
${
  test &&
  html`<li><b>${percent(test.windows.accuracy)}</b>held-out windows named right<small>guessing: at most ${percent(test.chance)}</small></li>
<li><b>${percent(test.recordings.accuracy)}</b>held-out recordings named right<small>by all windows of each together</small></li>`
}
<li><b>${count(classes.length)}</b>classes</li>
<li><b>${count(training)}</b>training images<small>${total(counts.extra) > 0 && `of which ${count(total(counts.extra))} generated`}</small></li>
<li><b>${count(parameters)}</b>parameters</li>
</ul>`;
}

function sentence({ windows, recordings, interval, chance }: NonNullable<ClassifierReport['test']>): Html {
  const range = interval && ` (${percentRange(interval)} with 95 % confidence, recordings taken as wholes)`;
  const isAbove = interval !== undefined && interval[0] > chance;
  return html`It names ${percent(windows.accuracy)} of ${plural(windows.count, 'window')} of recordings right that it never heard${range}; always naming the
commonest class would be right for ${percent(chance)}. ${isAbove ? html`That is <strong>above chance</strong>.` : html`That is <strong>not shown to be above chance</strong>.`} Of ${plural(recordings.count, 'recording')} as wholes, ${percent(recordings.accuracy)}.`;
}

/** Precision, recall and F1 of each class, by windows and by recordings. */
function classesSection({ test, classes, counts }: ClassifierReport): Html | undefined {
  if (!test) return undefined;
  const row = (
    name: Content,
    windows: Scores | undefined,
    recordings: Scores | undefined,
    images: Content,
    heard: Content,
  ): Html => html`<tr><th scope="row">${name}</th>
<td class="number">${images}</td><td class="number">${known(windows?.precision)}</td><td class="number">${known(windows?.recall)}</td><td class="number">${known(windows?.f1)}</td>
<td class="number">${heard}</td><td class="number">${known(recordings?.recall)}</td><td class="number">${known(recordings?.f1)}</td></tr>
`;
  return html`<section aria-labelledby="classes">
<h2 id="classes">Class by class</h2>
<p>Precision: of what it calls by this name, how much is. Recall: of what is, how much it calls so. F1 is their harmonic mean. The means below count each class alike that has held-out windows.${
    classes.length > 3 &&
    html` The right class is among its first three guesses for ${percent(test.windows.top3)} of windows and ${percent(test.recordings.top3)} of recordings.`
  }</p>
<div class="scroll"><table class="classes">
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Held-out windows</th><th scope="col" class="number">Precision</th><th scope="col" class="number">Recall</th><th scope="col" class="number">F1</th>
<th scope="col" class="number">Recordings</th><th scope="col" class="number">Recall</th><th scope="col" class="number">F1</th></tr></thead>
<tbody>${classes.map((name, k) => {
    const [windows, recordings] = [test.windows.perClass[k]!, test.recordings.perClass[k]!];
    const trained = plural(counts.training[k]! + counts.extra[k]!, 'image');
    return row(
      html`${label(name)}<small>${trained} to learn from</small>`,
      windows.count > 0 ? windows : undefined,
      recordings.count > 0 ? recordings : undefined,
      count(windows.count),
      count(recordings.count),
    );
  })}</tbody>
<tfoot>${row('Mean of the classes', test.windows.macro, test.recordings.macro, count(test.windows.count), count(test.recordings.count))}</tfoot>
</table></div>
</section>`;
}

/** A dash where nothing was there to be named. */
const known = (score: number | undefined): string => (score === undefined ? '–' : percent(score));

function confusionSection({ test, classes }: ClassifierReport): Html | undefined {
  if (!test) return undefined;
  return html`<section aria-labelledby="confusion">
<h2 id="confusion">What is taken for what</h2>
<p>Each row holds what is of one class, each column what it was named, in the same order. Right answers lie on the diagonal; the stronger the colour, the larger a
cell’s share of its row.</p>
<div class="matrices${classes.length > 10 && ' wide'}">
${confusionMatrix('Windows', test.windows.confusion, classes)}
${confusionMatrix('Recordings', test.recordings.confusion, classes)}
</div>
</section>`;
}

/** Whether its probabilities mean what they say. */
function calibrationSection({ test, threshold }: ClassifierReport): Html | undefined {
  if (!test) return undefined;
  const { bins, calibrationError } = test.windows;
  const points = bins.filter((bin) => bin.count > 0).map((bin) => [bin.confidence, bin.accuracy] as const);
  return html`<section aria-labelledby="calibration">
<h2 id="calibration">Does it know how sure it is?</h2>
<p>Of all windows that it names with 80 % probability, 80 % should be named right: then the line below follows the diagonal. Below the diagonal it is surer of itself than it
should be. On average the two are ${percent(calibrationError)} apart (expected calibration error).${
    threshold !== null &&
    html` What it names with less than ${percent(threshold)} is called unknown when it is used: 95 % of the validation windows that it names rightly lie above that.`
  }</p>
<figure>${lineChart({
    description: `Share named right against the probability given. The expected calibration error is ${percent(calibrationError)}.`,
    xLabel: 'probability that it gave',
    yLabel: 'share named right',
    yRange: [0, 1],
    smooth: false,
    series: [
      { name: 'held-out windows', points },
      {
        name: 'as it should be',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    ],
  })}</figure>
</section>`;
}

function curves({ curves: panels, bestEpoch, epochs, counts }: ClassifierReport): Html | undefined {
  if (panels.length === 0) return undefined;
  const isValidated = total(counts.validation) > 0;
  return html`<section aria-labelledby="curves">
<h2 id="curves">How training went</h2>
<p>${isValidated && 'Where the training loss goes on falling and the validation loss rises, it learns by heart. '}The weights kept are those of epoch ${count(bestEpoch)} of
${count(epochs)}, ${isValidated ? 'when the validation loss was lowest' : 'the last: nothing was kept to see when to stop'}.</p>
${charts(panels)}
</section>`;
}

function making(report: ClassifierReport): Html {
  const { source, settings, seconds, adapter, counts } = report;
  return html`<section aria-labelledby="making">
<h2 id="making">How it was made</h2>
<p>From ${label(source)}. The same images, settings and seed give the same classifier again on the same adapter.</p>
<div class="columns">
${factsTable('Images', [
  ['To train on', count(total(counts.training))],
  ['Generated, to train on', count(total(counts.extra))],
  ['To see when to stop', count(total(counts.validation))],
  ['Held out', count(total(counts.test))],
  ['Computed on', label(adapter)],
  ['Time', formatDuration(seconds)],
])}
${factsTable(
  'Settings',
  Object.entries(settings).map(([name, value]): [Content, Content] => [name, settingText(value)]),
)}
</div>
</section>`;
}

const total = (counts: readonly number[]): number => counts.reduce((sum, value) => sum + value, 0);
