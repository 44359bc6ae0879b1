/** An ablation as a page to look at: the table, and what each variant's generator makes of the same noise. */
import { type Ablation, type AblationVariant, judged, MEASURES, type MeasureName, measureNames } from '../ablation.js';
import { settingsText, short, signed } from '../ablationTable.js';
import { type Html, html } from '../html.js';
import { count, label, plural } from './format.js';
import { reportPage } from './page.js';

export interface AblationPictures {
  /** Whether the recordings were made by this program. */
  readonly synthetic: boolean;
  /** Of some classes, in the order of the pictures' columns. */
  readonly classes: readonly string[];
  /** Training images, a column for each class: PNG. */
  readonly real: Uint8Array;
  /** The same of each variant's generator, by the variant's name; absent of those that are not done. */
  readonly variants: ReadonlyMap<string, Uint8Array>;
}

const style = `
main { max-width: 84rem; }
.ablation td { white-space: nowrap; padding-right: 0.7rem; }
.ablation th[scope="row"] { min-width: 11rem; }
.ablation td small { font-size: 0.76rem; }
.ablation td small.better { color: var(--good); font-weight: 600; }
.ablation td small.worse { color: var(--poor); font-weight: 600; }
.variants { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, max(15rem, 4.5rem * var(--classes))), 1fr)); gap: 1.2rem 2rem; }
.variants figure { margin: 0; }
.variants img { display: block; width: 100%; height: auto; image-rendering: pixelated; }
`;

/** The page as HTML text; it needs nothing but itself. */
export function ablationPage(ablation: Ablation, pictures: AblationPictures): string {
  const { variants, seeds, counts, classes, complete } = ablation;
  return reportPage({
    kicker: 'Lyrebird ablation',
    title: `${plural(variants.length, 'variant')}, ${plural(seeds.length, 'seed')}`,
    synthetic: pictures.synthetic,
    verdict: html`<p class="verdict">Each variant differs from <b>${variants[0]!.name}</b> in one thing, and was trained on the same ${plural(counts.training, 'picture')}
of ${plural(classes.length, 'class', 'classes')} with the same seeds; ${count(counts.generated)} pictures of each generator are compared with the training pictures.</p>
${!complete && html`<p class="caution">Not all runs are done: the same command goes on.</p>`}`,
    sections: [tableSection(ablation), picturesSection(ablation, pictures), settingsSection(ablation)],
    style,
  }).html;
}

function tableSection({ variants, heldOut, counts }: Ablation): Html {
  return html`<section aria-labelledby="numbers">
<h2 id="numbers">Numbers</h2>
<p>Means over the seeds, with their standard deviation. Below, the difference from ${variants[0]!.name}, seed by seed, and where it lies with 95 % confidence;
<b class="good">green</b> is better and <b class="poor">red</b> worse where that range does not reach 0. Of many numbers one in twenty does so by chance: look whether measures agree.</p>
<div class="scroll"><table class="ablation">
<thead><tr><th scope="col">variant</th>${measureNames.map((name) => html`<th scope="col">${MEASURES[name].name}<small>${MEASURES[name].better} is better</small></th>`)}</tr></thead>
<tbody>
${variants.map((variant) => variantRow(variant))}</tbody>
<tfoot><tr><th scope="row">held-out real pictures<small>${plural(counts.heldOut, 'picture')}; few look further away than many</small></th>${measureNames.map(
    (name) => html`<td>${heldOut[name] === undefined ? '' : short(heldOut[name])}</td>`,
  )}</tr></tfoot>
</table></div>
</section>`;
}

function variantRow(variant: AblationVariant): Html {
  const { name, what, runs, spread } = variant;
  const failures = runs.filter(({ failed }) => failed !== undefined);
  const nothing = failures.length > 0 && Object.keys(spread).length === 0;
  return html`<tr><th scope="row">${label(name)}<small>${what}</small></th>${
    nothing
      ? html`<td colspan="${measureNames.length}"><span class="poor">failed</span></td>`
      : measureNames.map((measure) => html`<td>${measureCell(variant, measure)}</td>`)
  }</tr>
${failures.map(
  ({
    seed,
    failed,
  }) => html`<tr><td></td><td colspan="${measureNames.length}" style="white-space: normal"><small>Seed ${String(seed)} failed: ${failed}</small></td></tr>
`,
)}`;
}

function measureCell({ spread, difference }: AblationVariant, name: MeasureName): Html | undefined {
  const known = spread[name];
  if (!known) return undefined;
  const change = difference[name];
  const deviation = known.deviation === undefined ? '' : ` ± ${short(known.deviation)}`;
  const interval = change?.interval?.map(signed).join(' to ');
  const verdict = change && judged(name, change);
  return html`${short(known.mean)}${deviation}${
    change &&
    html`<small class="${verdict ?? 'open'}">${signed(change.mean)}${interval && html`<br>${interval}`}</small>`
  }`;
}

function picturesSection({ variants, seeds }: Ablation, pictures: AblationPictures): Html {
  const columns = pictures.classes.map((name) => name).join(', ');
  const shown = variants.flatMap((variant) => {
    const picture = pictures.variants.get(variant.name);
    return picture ? [{ ...variant, picture }] : [];
  });
  return html`<section aria-labelledby="pictures">
<h2 id="pictures">Pictures</h2>
<p>Columns are ${columns}. Every generator was given the same noise${seeds.length > 1 && html`; shown is one seed of each`}.</p>
<div class="variants" style="--classes: ${pictures.classes.length}">
${figure(pictures.real, html`<b>training pictures</b>`)}
${shown.map(({ name, what, picture }) => figure(picture, html`<b>${label(name)}</b> ${what}`))}
</div>
</section>`;
}

function figure(picture: Uint8Array, caption: Html): Html {
  const base64 = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength).toString('base64');
  return html`<figure><img src="data:image/png;base64,${base64}" alt=""><figcaption>${caption}</figcaption></figure>
`;
}

function settingsSection({ variants, settings }: Ablation): Html {
  return html`<section aria-labelledby="settings">
<h2 id="settings">Settings</h2>
<table class="facts"><caption>What is other than in ${variants[0]!.name}</caption><tbody>
${variants.map(
  ({
    name,
    overrides,
  }) => html`<tr><th scope="row">${label(name)}</th><td>${settingsText(overrides) || 'nothing'}</td></tr>
`,
)}</tbody></table>
<details><summary>What all share</summary><table class="facts"><tbody>
${Object.entries(settings).map(
  ([name, value]) => html`<tr><th scope="row">${name}</th><td>${JSON.stringify(value)}</td></tr>
`,
)}</tbody></table></details>
</section>`;
}
