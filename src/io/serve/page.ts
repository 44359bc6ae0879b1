/** The live page, before a run's numbers are filled in by live.js. It looks like the report. */

import { chartStyle } from '../chart.js';
import { html, trusted } from '../html.js';
import { label } from '../report/format.js';
import { reportStyle } from '../report/style.js';

const style = `
progress { display: block; width: 100%; height: 0.6rem; accent-color: var(--accent); }
.lost { position: sticky; top: 0; z-index: 1; margin: 0; padding: 0.6rem 1.25rem; background: var(--notice); color: var(--notice-ink); text-align: center; }
.sheets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; align-items: start; }
.sheets figure { margin: 0; }
.sheets img { display: block; width: 100%; height: auto; border-radius: 0.3rem; }
.steps { display: flex; gap: 1rem; align-items: center; margin: 0.8rem 0; }
.steps input { flex: 1; accent-color: var(--accent); }
.steps output { min-width: 7rem; font-variant-numeric: tabular-nums; }
.charts .wide { grid-column: 1 / -1; }
.u-legend { font-size: 0.8rem; text-align: left; }
.u-legend tr { border: 0; }
.u-legend th { font-weight: 400; }
.u-select { background: color-mix(in srgb, var(--accent) 25%, transparent); }
[hidden] { display: none !important; }
`;

/** `name` is that of the run's folder. */
export const livePage = (name: string): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="uPlot.css">
<style>${trusted(reportStyle + chartStyle + style)}</style>
<script type="module" src="live.js"></script>
</head>
<body>
<p class="lost" id="lost" role="status" hidden>Nobody answers: lyrebird serve has ended. What is below is the last that it told.</p>
<main>
<header>
<p class="kicker">Lyrebird, live</p>
<h1>${label(name)}</h1>
<div id="status"><p class="verdict">Looking …</p></div>
</header>
<section id="pictures" aria-labelledby="pictures-title" hidden>
<h2 id="pictures-title">Real and synthetic pictures</h2>
<p>A row for each class. Time runs from left to right, pitch from low at the bottom to high at the top. Each place on the synthetic sheet is
always made of the same noise: move the slider to see how a picture came about.</p>
<div class="steps"><input type="range" id="step" aria-label="Step of the synthetic pictures" min="0" step="1"><output id="shown" for="step"></output></div>
<div class="sheets">
<figure id="real"><img alt="Real pictures of every class"><figcaption>Real</figcaption></figure>
<figure id="synthetic"><img alt="Synthetic pictures of every class"><figcaption>Synthetic</figcaption></figure>
</div>
</section>
<section id="curves" aria-labelledby="curves-title" hidden>
<h2 id="curves-title">How training goes</h2>
<p>Point at a chart to read its values; drag across it to look closer, and click twice to see all again.</p>
<div class="charts" id="charts"></div>
</section>
<div id="evaluation"></div>
<section id="settings" aria-labelledby="settings-title" hidden>
<h2 id="settings-title">Settings</h2>
<div></div>
</section>
</main>
</body>
</html>
`.html;
