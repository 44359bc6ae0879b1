/** The report's section on how the run was made: all that is needed to repeat it. */

import { type Content, type Html, html } from '../html.js';
import { formatDuration } from '../progress.js';
import type { ReportData } from './data.js';
import { bytes, count, factsTable, label, settingText } from './format.js';

export function runSection({ run }: ReportData): Html {
  const settings: [Content, Content][] = [
    ['Steps', count(run.steps)],
    ['Images in a batch', count(run.batch)],
    ['Image size', `${run.size} × ${run.size} pixels`],
    ['Seed', String(run.seed)],
    ['Parameters of the generator', count(run.parametersG)],
    ['Parameters of the discriminator', count(run.parametersD)],
    ...Object.entries(run.settings ?? {}).map(([name, value]): [Content, Content] => [name, settingText(value)]),
  ];
  const costs: [Content, Content][] = [
    ['Computed on', label(run.adapter)],
    ['Time in all', formatDuration(run.secondsTotal)],
    ...(run.timings ?? []).map(({ part, seconds }): [Content, Content] => [part, formatDuration(seconds)]),
    ['Most GPU memory in use', run.peakGpuBytes === undefined ? 'not measured' : bytes(run.peakGpuBytes)],
  ];
  return html`<section aria-labelledby="run">
<h2 id="run">How it was made</h2>
<p>The same recordings, settings and seed give the same networks again on the same adapter.</p>
<div class="columns">
${factsTable('Settings', settings)}
${factsTable('Machine and time', costs)}
</div>
</section>`;
}
