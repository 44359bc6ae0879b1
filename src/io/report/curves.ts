/** The report's sections on how training went: every number of the log over the steps, and how the pictures grew. */

import { lineChart, type Point } from '../chart.js';
import { type Html, html } from '../html.js';
import type { Panel } from '../scalars.js';
import type { ReportData } from './data.js';
import { count } from './format.js';

/** Every number of a GAN's log. */
export function curvesSection({ curves }: ReportData): Html | undefined {
  if (curves.length === 0) return undefined;
  return html`<section aria-labelledby="curves">
<h2 id="curves">How training went</h2>
<p>The two networks play against each other, so that neither loss is meant to reach zero: one falls as the other gains. What to
look out for is a loss that runs away while the other falls to nothing: then one side has won, and the generator learns no more.</p>
${charts(curves)}
</section>`;
}

/** The losses large, all else in smaller charts below. */
export function charts(curves: readonly Panel[]): Html {
  const losses = curves.find(({ key }) => key === 'losses');
  const others = curves.filter((panel) => panel !== losses);
  const changes = (losses?.series ?? []).map(({ name, points }) => `${name} ${ends(points)}`);
  const change = `Mean loss over the first and the last tenth of the steps: ${changes.join(', ')}.`;
  return html`${
    losses &&
    html`<figure>${lineChart({ ...chartOf(losses), description: `Losses over the training steps. ${change}` })}<figcaption>Loss at each
recorded step (faint) and its moving average. ${change}</figcaption></figure>`
  }
<div class="charts">
${others.map(
  (panel) => html`<figure><h3>${panel.title}</h3>${lineChart({ ...chartOf(panel), half: true })}${
    panel.caption !== undefined && html`<figcaption>${panel.caption}</figcaption>`
  }</figure>
`,
)}</div>`;
}

const chartOf = ({ title, yLabel, yRange, reference, smooth = true, series }: Panel) => ({
  description: `${title}, over the training steps.`,
  xLabel: 'training step',
  yLabel,
  series,
  smooth,
  ...(yRange && { yRange }),
  ...(reference && { reference }),
});

/** The mean of the first and of the last tenth of a line: `5.80 to 4.71`. */
function ends(points: readonly Point[]): string {
  const tenth = Math.max(1, Math.round(points.length / 10));
  const mean = (part: readonly Point[]) => part.reduce((sum, [, value]) => sum + value, 0) / part.length;
  return `${mean(points.slice(0, tenth)).toFixed(2)} to ${mean(points.slice(-tenth)).toFixed(2)}`;
}

/** Sheets of the same noise at some of the steps, side by side. */
export function growthSection({ samples }: ReportData): Html | undefined {
  if (samples.length < 2) return undefined;
  return html`<section aria-labelledby="growth">
<h2 id="growth">How the pictures grew</h2>
<p>The generator’s pictures as training went on, a row for each class. Each place on the sheets is always made of the same noise, so that one can follow how a
picture came about. There is more to the right.</p>
<div class="strip" tabindex="0">
${samples.map(
  ({
    step,
    sheet,
  }) => html`<figure><img src="data:image/webp;base64,${base64(sheet)}" alt="Synthetic pictures of every class at step ${count(step)}"><figcaption>Step ${count(step)}</figcaption></figure>
`,
)}</div>
</section>`;
}

const base64 = (image: Uint8Array): string =>
  Buffer.from(image.buffer, image.byteOffset, image.byteLength).toString('base64');
