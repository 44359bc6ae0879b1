/** What was taken for what, as a table. */

import { type Html, html } from '../html.js';
import { count, label } from './format.js';

/** Rows are the true classes, columns what was named; `confusion[true class][named class]` are numbers of images. */
export function confusionMatrix(
  name: string,
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): Html {
  return html`<div class="scroll"><table class="confusion">
<caption>${name}: named as</caption>
<thead><tr><td></td>${labels.map((text, index) => html`<th scope="col"><abbr title="${text}">${index + 1}</abbr></th>`)}</tr></thead>
<tbody>
${confusion.map(
  (
    row,
    index,
  ) => html`<tr><th scope="row">${label(labels[index]!)} <span class="index">${index + 1}</span></th>${row.map(
    (value, column) =>
      confusionCell(
        value,
        value /
          Math.max(
            1,
            row.reduce((sum, each) => sum + each, 0),
          ),
        index === column,
      ),
  )}</tr>
`,
)}</tbody></table></div>`;
}

function confusionCell(value: number, share: number, isDiagonal: boolean): Html {
  if (value === 0) return html`<td class="none${isDiagonal && ' diagonal'}">·</td>`;
  return html`<td class="${isDiagonal && 'diagonal'}" style="--share: ${share.toFixed(3)}">${count(value)}</td>`;
}
