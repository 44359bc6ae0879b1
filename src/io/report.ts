/** The report of a training run: one HTML file, for biologists, which needs nothing but itself. */

import { chartStyle } from './chart.js';
import { writeAtomically } from './files.js';
import { type Html, html, trusted } from './html.js';
import { curvesSection, growthSection } from './report/curves.js';
import type { ReportData } from './report/data.js';
import { evaluationSection } from './report/evaluation.js';
import { datasetSection, picturesSection } from './report/input.js';
import { accuracySection, verdict } from './report/results.js';
import { runSection } from './report/run.js';
import type { Score } from './report/scores.js';
import { reportStyle } from './report/style.js';

export type { ReportData, Settings } from './report/data.js';
export type { Score } from './report/scores.js';

/** Writes the report. Throws a RangeError if a confusion matrix does not fit its counts, a UserError if it cannot write. */
export async function writeReport(file: string, data: ReportData): Promise<void> {
  await writeAtomically(file, renderReport(data));
}

/** The report as HTML text. */
export function renderReport(data: ReportData): string {
  for (const [name, score] of Object.entries(data.accuracy)) {
    if (score) checkScore(name, score, data.dataset.classes.length);
  }
  return page(data).html;
}

function page(data: ReportData): Html {
  // The policy makes it certain that opening a report asks nothing of any network, whatever a label says.
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${data.title}</title>
<style>${trusted(reportStyle + chartStyle)}</style>
</head>
<body>
<main>
<header>
<p class="kicker">Lyrebird training report</p>
<h1>${data.title}</h1>
${data.synthetic && syntheticNotice()}
${verdict(data)}
</header>
${picturesSection(data)}
${accuracySection(data)}
${data.evaluation && evaluationSection(data.evaluation, data.run.steps)}
${curvesSection(data)}
${growthSection(data)}
${datasetSection(data)}
${runSection(data)}
</main>
</body>
</html>
`;
}

function syntheticNotice(): Html {
  return html`<aside class="notice" role="note">
<strong>These recordings are artificial.</strong>
They were made by a program, to try out the method. Nothing in this report says anything about real animals.
</aside>`;
}

function checkScore(name: string, { correct, total, confusion }: Score, classes: number): void {
  const isSquare = confusion.length === classes && confusion.every((row) => row.length === classes);
  if (!isSquare) throw new RangeError(`accuracy.${name}.confusion is not ${classes} rows of ${classes} classes`);
  const counted = confusion.flat().reduce((sum, count) => sum + count, 0);
  const diagonal = confusion.reduce((sum, row, index) => sum + row[index]!, 0);
  if (counted !== total || diagonal !== correct) {
    throw new RangeError(`accuracy.${name}: ${correct} of ${total}, but its confusion holds ${diagonal} of ${counted}`);
  }
}
