/** The report's sections on what went in, and on what the images look like. */

import { groupBy } from '../groupBy.js';
import { type Html, html } from '../html.js';
import type { LeftOut, ReportData } from './data.js';
import { count, factsTable, label, plural, settingText } from './format.js';

/** Real and synthetic pictures of each class side by side. */
export function picturesSection({ grids, dataset, synthetic: isArtificial }: ReportData): Html | undefined {
  if (grids.length === 0) return undefined;
  // Of pictures that this program did not make, it does not know what they show.
  const isSpectrograms = Object.keys(dataset.parameters).length > 0;
  const recorded = isArtificial ? 'Artificial recordings' : 'Real';
  return html`<section aria-labelledby="pictures">
<h2 id="pictures">${recorded} and synthetic pictures, side by side</h2>
${
  isSpectrograms
    ? html`<p>Each small picture is the spectrogram of a moment of sound: time runs from left to right, pitch from low at the
bottom to high at the top, and brighter means louder. On the left are pictures of ${isArtificial && 'artificial '}recordings, on the right
pictures that the generator invented for the same class. Good synthetic pictures share the bands, rhythm and texture of their
class without repeating one recording or each other.</p>`
    : html`<p>On the left are pictures of the data set, on the right pictures that the generator invented for the same class. Good
synthetic pictures look as if they were of their class without repeating a picture of the data set or each other.</p>`
}
<div class="pictures">
<div class="heads" aria-hidden="true"><span>${recorded}</span><span>Synthetic</span></div>
${grids.map(
  ({ label: name, real, synthetic }) => html`<div class="pair">
<h3>${label(name)}</h3>
<figure><figcaption>${recorded}</figcaption>${image(real, `${recorded}: pictures of ${name}`)}</figure>
<figure><figcaption>Synthetic</figcaption>${image(synthetic, `Synthetic: pictures of ${name}`)}</figure>
</div>
`,
)}</div>
</section>`;
}

function image(png: Uint8Array, alt: string): Html {
  const base64 = Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64');
  return html`<img src="data:image/png;base64,${base64}" alt="${alt}">`;
}

/** The classes with their numbers of images, how the images were made, and what was left out. */
export function datasetSection({ dataset }: ReportData): Html {
  const { source, classes, skipped, parameters } = dataset;
  const most = Math.max(1, ...classes.map(({ training, heldOut }) => training + heldOut));
  const training = classes.reduce((sum, each) => sum + each.training, 0);
  const heldOut = classes.reduce((sum, each) => sum + each.heldOut, 0);
  const unmeasured = classes.filter((each) => each.heldOut === 0);
  const settings = Object.entries(parameters);
  return html`<section aria-labelledby="dataset">
<h2 id="dataset">The recordings that went in</h2>
<p>${source !== undefined && html`From ${label(source)}: `}${plural(training, 'image')} to train on and
${heldOut === 0 ? 'none' : count(heldOut)} held out, in ${plural(classes.length, 'class', 'classes')}. ${
    heldOut > 0 &&
    'Held-out images were never shown to either network in training, so that they can tell learning from memorising.'
  }</p>
${
  unmeasured.length > 0 &&
  heldOut > 0 &&
  html`<p class="caution">${plural(unmeasured.length, 'class has', 'classes have')} no held-out images, so
nothing in this report measures how well ${unmeasured.length === 1 ? 'it was' : 'they were'} learnt.</p>`
}
<div class="scroll"><table class="classes">
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Training</th><th scope="col" class="number">Held out</th>
<th scope="col"><span class="key"><i class="training"></i>training <i class="heldout"></i>held out</span></th></tr></thead>
<tbody>
${classes.map(
  (each) => html`<tr><th scope="row">${label(each.label)}</th><td class="number">${count(each.training)}</td>
<td class="number">${count(each.heldOut)}</td><td class="stack" aria-hidden="true"><i class="training" style="width: ${share(each.training, most)}%"></i><i
class="heldout" style="width: ${share(each.heldOut, most)}%"></i></td></tr>
`,
)}</tbody>
<tfoot><tr><th scope="row">All</th><td class="number">${count(training)}</td><td class="number">${count(heldOut)}</td><td></td></tr></tfoot>
</table></div>
${
  settings.length > 0 &&
  factsTable(
    'How they became images',
    settings.map(([name, value]) => [name, settingText(value)]),
  )
}
${leftOut(skipped)}
</section>`;
}

function share(part: number, whole: number): string {
  return ((part / whole) * 100).toFixed(1);
}

function leftOut(skipped: readonly LeftOut[]): Html {
  if (skipped.length === 0) return html`<p>Nothing was left out.</p>`;
  const windows = skipped.filter(({ start }) => start !== undefined);
  const lines = skipped.filter(({ line }) => line !== undefined);
  const files = skipped.length - windows.length - lines.length;
  const counts = [
    ...(files > 0 ? [plural(files, 'file')] : []),
    ...(windows.length > 0 ? [plural(windows.length, 'window')] : []),
    ...(lines.length > 0 ? [plural(lines.length, 'line of tables', 'lines of tables')] : []),
  ];
  const rows = [...skipped.filter(({ start }) => start === undefined), ...firstOfEach(windows)];
  // Short lists are open, so that nobody overlooks them; long ones would hide the rest of the page.
  return html`<details${rows.length <= 12 && html` open`}>
<summary>Left out: ${counts.join(', ')}</summary>
<div class="scroll"><table><thead><tr><th scope="col">File</th><th scope="col">Reason</th></tr></thead><tbody>
${rows.map(
  ({
    file,
    line,
    reason,
  }) => html`<tr><td class="path">${label(file)}${line !== undefined && `, line ${line}`}</td><td>${label(reason)}</td></tr>
`,
)}</tbody></table></div>
</details>`;
}

/** A row for each recording that windows are left out of, of which hours of silence have thousands. */
function firstOfEach(windows: readonly LeftOut[]): LeftOut[] {
  return [...groupBy(windows, ({ file }) => file)].map(([file, [first, ...others]]) => ({
    file,
    reason:
      `at ${Number(first!.start!.toFixed(2))} s ${first!.reason}` +
      (others.length > 0 ? `; and ${plural(others.length, 'more window')}` : ''),
  }));
}
