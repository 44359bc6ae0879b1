/** An experiment as a page to look at: what is shown and what not, every gain with its interval, the table, and the paper's numbers. */
import { armName, type Experiment, type ExperimentArm, type Gain, PAPER, PAPER_BEST, shows } from '../experiment.js';
import { points, rangeText, signedPoints, verdictOf } from '../experimentTable.js';
import { type Html, html } from '../html.js';
import { count, factsTable, label, percent, plural } from './format.js';
import { reportPage } from './page.js';

/** The page as HTML text; it needs nothing but itself. */
export function experimentPage(experiment: Experiment): string {
  const { classes, recordings, folds, seeds, complete, chance, images, synthetic } = experiment;
  return reportPage({
    kicker: 'Lyrebird experiment',
    title: `What augmentation gains: ${plural(classes.length, 'class', 'classes')}, ${plural(recordings, 'recording')}`,
    synthetic,
    verdict: html`${verdictOf(experiment).map(
      (sentence) => html`<p class="verdict">${sentence}</p>
`,
    )}
<p>${plural(images, 'window')} in ${plural(folds.length, 'fold')}, each of which tests once; ${plural(seeds.length, 'seed')}. Generators and classifiers saw
the other folds alone. Every classifier made about as many updates (whole epochs), whatever it was trained on. Always naming the commonest class would get ${percent(chance)} right.</p>
${!complete && html`<p class="caution">Not all is done: the numbers are of what is.</p>`}`,
    sections: [
      gainsSection(experiment),
      tableSection(experiment),
      dynamicSection(experiment),
      paperSection(experiment),
      failuresSection(experiment),
      settingsSection(experiment),
    ],
  }).html;
}

/** Pixels: of a line, of the axis, of the plot and of all with the names to the left of it. */
const [ROW, HEAD, PLOT, WIDTH] = [22, 26, 520, 900];

/** Each gain as a point with its interval, beside 0. */
function gainsSection({ arms }: Experiment): Html | undefined {
  const lines = arms.flatMap((arm) => (arm.gain?.interval ? [{ ...arm, gain: arm.gain }] : []));
  if (lines.length === 0) return undefined;
  const most = Math.max(0.02, ...lines.flatMap(({ gain }) => [...gain.interval!, gain.mean].map(Math.abs)));
  const left = WIDTH - PLOT;
  const x = (share: number): string => (left + PLOT / 2 + ((share / most) * (PLOT - 20)) / 2).toFixed(1);
  const height = HEAD + ROW * lines.length + 6;
  const step = most > 0.25 ? 0.1 : most > 0.08 ? 0.05 : 0.01;
  const ticks = Array.from({ length: 2 * Math.floor(most / step) + 1 }, (_, i) => (i - Math.floor(most / step)) * step);
  return html`<section aria-labelledby="gains">
<h2 id="gains">Gains over real images alone</h2>
<p>By how many percentage points more windows are named rightly than by the same network without what was added, on the same recordings. Lines are 95 % intervals,
by drawing recordings; <b class="good">green</b> and <b class="poor">red</b> are differences that remain when it is taken into account how many are looked at (Holm 1979).
The rest may be chance.</p>
<div class="scroll"><svg viewBox="0 0 ${String(WIDTH)} ${String(height)}" width="${String(WIDTH)}" role="img" aria-label="Gains of all networks and mixes; the same numbers are in the table below" font-size="13" fill="currentColor">
${ticks.map(
  (
    tick,
  ) => html`<line x1="${x(tick)}" x2="${x(tick)}" y1="${String(HEAD - 6)}" y2="${String(height)}" stroke="currentColor" stroke-opacity="${Math.abs(tick) < step / 2 ? '0.7' : '0.15'}"/><text x="${x(tick)}" y="14" text-anchor="middle">${signedPoints(tick)}</text>
`,
)}${lines.map(({ network, dynamic, mix, gain }, i) => {
  const y = HEAD + ROW * i + ROW / 2;
  const verdict = shows(gain);
  const colour = verdict === 'gain' ? 'var(--good)' : verdict === 'loss' ? 'var(--poor)' : 'currentColor';
  return html`<g stroke="${colour}" fill="${colour}"><line x1="${x(gain.interval![0])}" x2="${x(gain.interval![1])}" y1="${String(y)}" y2="${String(y)}" stroke-width="2"/><circle cx="${x(gain.mean)}" cy="${String(y)}" r="4"/></g><text x="${String(left - 12)}" y="${String(y + 4)}" text-anchor="end">${armName(network, dynamic)}: ${mix}</text>
`;
})}</svg></div>
</section>`;
}

function tableSection({ arms, mixes, networks, seeds }: Experiment): Html {
  const rows = networks.flatMap((network) => [false, true].map((dynamic) => ({ network, dynamic })));
  const cellOf = (network: string, dynamic: boolean, mix: string): ExperimentArm | undefined =>
    arms.find((arm) => arm.network === network && arm.dynamic === dynamic && arm.mix === mix);
  const known = rows.filter(({ network, dynamic }) => mixes.some(({ name }) => cellOf(network, dynamic, name)));
  return html`<section aria-labelledby="table">
<h2 id="table">Accuracy</h2>
<p>Windows named rightly, in percent: mean over folds and seeds ± standard deviation. Below it the gain over real images alone in percentage points, over all recordings, and its 95 % interval;
intervals are of these very trainings: how much another seed would change is not in them, ${seeds.length > 1 ? 'but in the deviation' : 'and with one seed is not known'}.</p>
<div class="scroll"><table class="arms">
<thead><tr><th scope="col">network</th>${mixes.map(({ name, what }) => html`<th scope="col" title="${what}">${label(name)}</th>`)}</tr></thead>
<tbody>
${known.map(
  ({ network, dynamic }) => html`<tr><th scope="row">${armName(network, dynamic)}</th>${mixes.map(
    ({ name }) => html`<td>${accuracyCell(cellOf(network, dynamic, name))}</td>`,
  )}</tr>
`,
)}</tbody></table></div>
<table><caption>What was trained on</caption><tbody>
${mixes.map(
  ({ name, what }) => html`<tr><th scope="row">${label(name)}</th><td>${what}</td></tr>
`,
)}</tbody></table>
</section>`;
}

function accuracyCell(arm: ExperimentArm | undefined): Html | undefined {
  if (!arm) return undefined;
  const { spread, gain, members } = arm;
  const failed = members.filter((member) => member.failed !== undefined).length;
  const { mean, deviation } = spread.accuracy ?? {};
  if (mean === undefined) return failed > 0 ? html`<span class="poor">failed</span>` : undefined;
  return html`<b>${points(mean)}</b>${deviation !== undefined && `\u00a0±\u00a0${points(deviation)}`}${gain && html`<br>${gainText(gain)}`}${failed > 0 && html`<br><span class="poor">${String(failed)} failed</span>`}`;
}

function gainText(gain: Gain): Html {
  const verdict = shows(gain);
  const range = rangeText(gain);
  const style = verdict === 'gain' ? 'good' : verdict === 'loss' ? 'poor' : 'key';
  return html`<span class="${style}">${signedPoints(gain.mean)}</span>${range && html` <small>(${range})</small>`}`;
}

function dynamicSection({ dynamicGains }: Experiment): Html | undefined {
  if (dynamicGains.length === 0) return undefined;
  return html`<section aria-labelledby="dynamic">
<h2 id="dynamic">Dynamic convolutions</h2>
${factsTable(
  'Gain over ordinary convolutions in percentage points, over all that was trained on',
  dynamicGains.map(({ network, gain }) => [network, html`${gainText(gain)}${!shows(gain) && ' not shown'}`]),
)}
</section>`;
}

/** Theirs beside the largest of ours, for networks that both have. */
function paperSection({ arms, mixes, dynamicGains, networks }: Experiment): Html | undefined {
  const generated = new Set(mixes.filter((mix) => mix.generated).map(({ name }) => name));
  const rows = networks.flatMap((network) => {
    const theirs = PAPER[network];
    if (!theirs) return [];
    const ours = arms.filter((arm) => arm.network === network && !arm.dynamic && generated.has(arm.mix) && arm.gain);
    const best = ours.toSorted((a, b) => b.gain!.mean - a.gain!.mean)[0];
    return [{ network, theirs, best, dynamic: dynamicGains.find((each) => each.network === network)?.gain }];
  });
  if (rows.length === 0) return undefined;
  return html`<section aria-labelledby="paper">
<h2 id="paper">Beside the paper</h2>
<p>Fu et al. 2023 (Ecological Informatics, doi 10.1016/j.ecoinf.2023.102250) report gains in percentage points in their abstract, and ${percent(PAPER_BEST / 100)} as
the highest accuracy, of VGG16 with dynamic convolutions. <b>Theirs are of other recordings and larger networks</b>: nothing here has to come near them. Ours is the
largest gain of any mix with generated images; the largest of several lies above what the same mix would gain again.</p>
<div class="scroll"><table class="arms">
<thead><tr><th scope="col">network</th><th scope="col">augmentation, theirs</th><th scope="col">ours</th><th scope="col">dynamic convolutions, theirs</th><th scope="col">ours</th></tr></thead>
<tbody>
${rows.map(
  ({
    network,
    theirs,
    best,
    dynamic,
  }) => html`<tr><th scope="row">${network}</th><td>+${theirs.augmentation.toFixed(2)}</td><td>${
    best?.gain && html`${gainText(best.gain)} <small>${best.mix}</small>`
  }</td><td>+${theirs.dynamic.toFixed(2)}</td><td>${dynamic && gainText(dynamic)}</td></tr>
`,
)}</tbody></table></div>
</section>`;
}

function failuresSection({ arms, failures }: Experiment): Html | undefined {
  const lines = [
    ...failures.map(({ fold, seed, failed }) => [`generator, fold ${fold}, seed ${seed}`, failed] as const),
    ...arms.flatMap(({ network, dynamic, mix, members }) =>
      members.flatMap(({ fold, seed, failed }) =>
        failed === undefined
          ? []
          : [[`${armName(network, dynamic)}, ${mix}, fold ${fold}, seed ${seed}`, failed] as const],
      ),
    ),
  ];
  if (lines.length === 0) return undefined;
  return html`<section aria-labelledby="failed"><h2 id="failed">Failed</h2>
<ul>${lines.map(
    ([what, why]) => html`<li>${what}: ${why}</li>
`,
  )}</ul></section>`;
}

function settingsSection({ settings, dataset, notes, folds, seeds }: Experiment): Html {
  return html`<section aria-labelledby="settings">
<h2 id="settings">Settings</h2>
<p>Data set <span class="path">${dataset}</span>; folds ${folds.map(count).join(', ')}; seeds ${seeds.map(String).join(', ')}.</p>
${notes.map(
  (note) => html`<p>${note}</p>
`,
)}<details><summary>All settings</summary><table class="facts"><tbody>
${Object.entries(settings).map(
  ([name, value]) => html`<tr><th scope="row">${name}</th><td>${JSON.stringify(value)}</td></tr>
`,
)}</tbody></table></details>
</section>`;
}
