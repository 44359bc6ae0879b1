/** The report of a training run: one HTML file, for biologists, which needs nothing but itself. */

import { writeAtomically } from './files.js';
import type { Html } from './html.js';
import { curvesSection, growthSection } from './report/curves.js';
import type { ReportData } from './report/data.js';
import { evaluationSection } from './report/evaluation.js';
import { datasetSection, picturesSection } from './report/input.js';
import { reportPage } from './report/page.js';
import { accuracySection, verdict } from './report/results.js';
import { runSection } from './report/run.js';
import type { Score } from './report/scores.js';

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
  return reportPage({
    kicker: 'Lyrebird training report',
    title: data.title,
    synthetic: data.synthetic,
    verdict: verdict(data),
    sections: [
      picturesSection(data),
      accuracySection(data),
      data.evaluation && evaluationSection(data.evaluation, data.run.steps),
      curvesSection(data),
      growthSection(data),
      datasetSection(data),
      runSection(data),
    ],
  });
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
