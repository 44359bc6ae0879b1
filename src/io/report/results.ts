/** The report's sections on what was learnt: verdict, accuracies and confusion matrices. */

import { type Html, html } from '../html.js';
import type { Panel } from '../scalars.js';
import { confusionMatrix } from './confusion.js';
import type { ReportData } from './data.js';
import { count, percent, percentRange, plural } from './format.js';
import { type Judgement, judge, type Score } from './scores.js';

/** The first thing to read: what the run shows, in a sentence or two, and four numbers. */
export function verdict(data: ReportData): Html {
  const { accuracy, run, dataset } = data;
  const heldOut = accuracy.heldOutReal && judge(accuracy.heldOutReal);
  const training = dataset.classes.reduce((sum, each) => sum + each.training, 0);
  const diverged = divergence(data.curves);
  return html`<p class="verdict">${heldOut && accuracy.heldOutReal ? heldOutVerdict(accuracy.heldOutReal, heldOut) : unmeasured}</p>
${diverged !== undefined && html`<p class="caution"><strong>Training broke down at step ${count(diverged)}:</strong> the losses were no longer numbers. Nothing after that step can be used.</p>`}
<ul class="tiles">
${heldOut && html`<li><b>${percent(heldOut.accuracy)}</b>held-out images named right<small>guessing: at most ${percent(heldOut.chance)}</small></li>`}
<li><b>${count(dataset.classes.length)}</b>${dataset.classes.length === 1 ? 'class' : 'classes'}</li>
<li><b>${count(training)}</b>training ${training === 1 ? 'image' : 'images'}<small>${run.size} × ${run.size} pixels</small></li>
<li><b>${count(run.steps)}</b>training ${run.steps === 1 ? 'step' : 'steps'}<small>of ${plural(run.batch, 'image')}</small></li>
</ul>`;
}

const unmeasured = 'There were no held-out images, so this run does not show whether anything general was learnt.';

function heldOutVerdict({ correct, total }: Score, { isAboveChance, chance, interval }: Judgement): Html {
  const found = `The discriminator named ${count(correct)} of ${count(total)} held-out images right`;
  const range = `(${percentRange(interval)} with 95 % confidence)`;
  return isAboveChance
    ? html`${found} ${range}: <strong>above chance</strong>, which is ${percent(chance)}. It has learnt something about the classes that holds beyond
the images it was trained on.`
    : html`${found} ${range}: <strong>not above chance</strong>, which is ${percent(chance)}. This run gives no evidence that anything was learnt that holds
beyond the images it was trained on.`;
}

/** The first step whose losses are not numbers. */
function divergence(curves: readonly Panel[]): number | undefined {
  const losses = curves.find(({ key }) => key === 'losses');
  const steps = (losses?.series ?? []).flatMap(
    ({ points }) => points.find(([, loss]) => !Number.isFinite(loss))?.[0] ?? [],
  );
  return steps.length > 0 ? Math.min(...steps) : undefined;
}

interface Measured {
  name: string;
  score: Score;
  judgement: Judgement;
  /** What this number means. */
  meaning: string;
}

/** Accuracies against chance, and the confusion matrices of held-out and synthetic images. */
export function accuracySection({ accuracy, dataset }: ReportData): Html | undefined {
  const { heldOutReal, training, synthetic } = accuracy;
  const rows = [
    measured('Held-out recordings', heldOutReal, 'What was learnt in general: the number that counts.'),
    measured(
      'Training recordings',
      training,
      'What was learnt or memorised. Far above the held-out number, it is memorised.',
    ),
    measured(
      'Synthetic images',
      synthetic,
      'How well generator and discriminator agree. It cannot show that the images are true to nature.',
    ),
  ].filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  const labels = dataset.classes.map((each) => each.label);
  return html`<section aria-labelledby="accuracy">
<h2 id="accuracy">Are the classes told apart?</h2>
<p>Besides judging whether an image is real, the discriminator names its class. Chance is what always naming the
commonest class would get right. “Above chance” is said only where guessing would do as well less than once in a
hundred times. Images cut from one recording resemble each other, so that the true uncertainty is somewhat larger than the
intervals say.</p>
<div class="scroll"><table class="accuracy">
<thead><tr><th scope="col">Images</th><th scope="col" class="number">Named right</th><th scope="col">Accuracy, 95 % interval and chance</th><th scope="col">Verdict</th></tr></thead>
<tbody>${rows.map(accuracyRow)}</tbody>
</table></div>
<p class="key"><i class="bar"></i>accuracy <i class="whisker"></i>95 % interval <i class="tick"></i>chance</p>
<div class="matrices${labels.length > 10 && ' wide'}">
${heldOutReal && heldOutReal.total > 0 && confusionMatrix('Held-out recordings', heldOutReal.confusion, labels)}
${synthetic && synthetic.total > 0 && confusionMatrix('Synthetic images', synthetic.confusion, labels)}
</div>
<p>Each row of these tables holds the images of one class, each column the class that the discriminator named, in the same order. Right answers lie on the
diagonal; colour off the diagonal shows which classes are taken for which. The stronger the colour, the larger a cell’s share of its row.</p>
</section>`;
}

function measured(name: string, score: Score | undefined, meaning: string): Measured | undefined {
  const judgement = score && judge(score);
  return score && judgement && { name, score, judgement, meaning };
}

function accuracyRow({ name, score, judgement, meaning }: Measured): Html {
  const { accuracy, interval, chance, isAboveChance } = judgement;
  const style = `--accuracy: ${accuracy}; --low: ${interval[0]}; --high: ${interval[1]}; --chance: ${chance}`;
  return html`<tr><th scope="row">${name}<small>${meaning}</small></th>
<td class="number">${count(score.correct)} of ${count(score.total)}</td>
<td><span class="gauge" style="${style}" aria-hidden="true"><i class="bar"></i><i class="whisker"></i><i class="tick"></i></span>
<b>${percent(accuracy)}</b> (${percentRange(interval)}); chance ${percent(chance)}</td>
<td><span class="${isAboveChance ? 'good' : 'poor'}">${isAboveChance ? 'above chance' : 'not above chance'}</span></td></tr>
`;
}
