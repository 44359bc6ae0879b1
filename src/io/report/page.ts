/** The page around a report's sections. */

import { chartStyle } from '../chart.js';
import { type Html, html, trusted } from '../html.js';
import { reportStyle } from './style.js';

export interface ReportPage {
  /** What kind of report it is. */
  readonly kicker: string;
  readonly title: string;
  /** Whether the recordings were made by this program. */
  readonly synthetic: boolean;
  /** The first thing to read. */
  readonly verdict: Html;
  readonly sections: readonly (Html | undefined)[];
  /** Of this page alone. */
  readonly style?: string;
}

export function reportPage({ kicker, title, synthetic, verdict, sections, style = '' }: ReportPage): Html {
  // The policy makes it certain that opening a report asks nothing of any network, whatever a label says.
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${trusted(reportStyle + chartStyle + style)}</style>
</head>
<body>
<main>
<header>
<p class="kicker">${kicker}</p>
<h1>${title}</h1>
${synthetic && syntheticNotice()}
${verdict}
</header>
${sections}
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
