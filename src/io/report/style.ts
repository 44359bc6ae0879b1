/** How the report looks: light and dark, on wide and narrow screens, and on paper. */

const lightColours = `
  --paper: #fdfcf9; --surface: #f4f1e9; --ink: #1c2326; --muted: #58646a; --rule: #d9d5c9; --accent: #0f6e84;
  --heat: #007a99; --bar: #7fb5c1; --held-out: #d98a4b; --good: #1c6b3c; --poor: #9a3412;
  --notice: #fff0c2; --notice-ink: #4a3200; --notice-rule: #d69e00;`;

const darkColours = `
  --paper: #14181a; --surface: #1d2326; --ink: #e8e9e5; --muted: #a6b1b5; --rule: #384145; --accent: #6ccbdf;
  --heat: #2ba3c0; --bar: #2f8296; --held-out: #d98a4b; --good: #7fd19b; --poor: #f0a27c;
  --notice: #3b2d05; --notice-ink: #ffe6a1; --notice-rule: #d69e00;`;

export const reportStyle = `
:root { ${lightColours} }
@media (prefers-color-scheme: dark) { :root { ${darkColours} } }
@media print { :root { ${lightColours} --paper: #ffffff; } }

* { box-sizing: border-box; }
html { color-scheme: light dark; background: var(--paper); color: var(--ink); font: 17px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
body { margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
section { margin-top: 3.5rem; }
h1, h2 { font-family: "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif; font-weight: 600; line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 2.4rem; margin: 0.2rem 0 1.2rem; }
h2 { font-size: 1.55rem; margin: 0 0 0.6rem; padding-bottom: 0.35rem; border-bottom: 1px solid var(--rule); }
p { max-width: 44rem; margin: 0.7rem 0; text-wrap: pretty; }
small { display: block; color: var(--muted); font-size: 0.82rem; font-weight: 400; line-height: 1.4; }
figure { margin: 1.2rem 0; }
figcaption { color: var(--muted); font-size: 0.88rem; max-width: 44rem; margin-top: 0.4rem; }
.kicker { margin: 0; color: var(--accent); font-size: 0.82rem; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase; }
.verdict { font-size: 1.15rem; max-width: 50rem; }
.notice { margin: 1.4rem 0; padding: 0.9rem 1.2rem; background: var(--notice); color: var(--notice-ink); border: 2px solid var(--notice-rule); border-left-width: 0.7rem; border-radius: 0.3rem; }
.notice strong { display: block; font-size: 1.2rem; }
.caution { padding: 0.6rem 0.9rem; border-left: 0.3rem solid var(--poor); background: var(--surface); }
.scroll { overflow-x: auto; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 0.9rem; margin: 1.6rem 0 0; padding: 0; list-style: none; }
.tiles li { padding: 0.9rem 1.1rem; background: var(--surface); border-radius: 0.5rem; line-height: 1.35; }
.tiles b { display: block; font-size: 1.75rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }

.pictures { margin-top: 1.4rem; }
.heads, .pair { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr) minmax(0, 1fr); gap: 0.9rem; align-items: center; }
.heads { color: var(--muted); font-weight: 600; font-size: 0.9rem; }
.heads span:first-child { grid-column: 2; }
.pair { padding: 0.55rem 0; border-top: 1px solid var(--rule); }
.pair h3 { margin: 0; font-size: 1rem; font-weight: 600; line-height: 1.3; overflow-wrap: break-word; }
.pair figure { margin: 0; }
.pair figcaption { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); }
.pair img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 2px; }

table { border-collapse: collapse; font-size: 0.93rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.34rem 0.9rem 0.34rem 0; text-align: left; vertical-align: top; }
tbody tr { border-top: 1px solid var(--rule); }
thead th { color: var(--muted); font-weight: 600; font-size: 0.86rem; vertical-align: bottom; }
th[scope="row"] { font-weight: 500; overflow-wrap: anywhere; }
tfoot { border-top: 2px solid var(--rule); font-weight: 600; }
caption { text-align: left; font-weight: 600; padding: 0.5rem 0; }
.number { text-align: right; white-space: nowrap; }
.path { overflow-wrap: anywhere; }
.classes, .accuracy, details table { width: 100%; }
.classes th[scope="row"] { min-width: 9rem; }
.stack { width: 45%; white-space: nowrap; font-size: 0; vertical-align: middle; }
.stack i { display: inline-block; height: 0.8rem; }
i.training { background: var(--bar); }
i.heldout { background: var(--held-out); }
.key { color: var(--muted); font-size: 0.86rem; font-weight: 400; }
.key i { display: inline-block; width: 1rem; height: 0.7rem; margin: 0 0.35rem 0 0.8rem; vertical-align: -0.02em; }
.key i:first-child { margin-left: 0; }
.key .bar { background: var(--bar); }
.key .whisker { height: 2px; background: var(--ink); vertical-align: 0.25em; }
.key .tick { width: 3px; height: 0.9rem; background: var(--poor); vertical-align: -0.12em; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0.5rem 3rem; align-items: start; }
.facts { width: 100%; max-width: 34rem; margin-top: 0.6rem; }
.facts td { text-align: right; padding-right: 0; overflow-wrap: anywhere; }
details { margin-top: 1.2rem; }
summary { cursor: pointer; font-weight: 600; }

.accuracy th[scope="row"] { min-width: 15rem; max-width: 22rem; }
.gauge { position: relative; display: block; width: 100%; min-width: 12rem; height: 1.1rem; margin: 0.25rem 0; background: var(--surface); }
.gauge i { position: absolute; top: 0; bottom: 0; }
.gauge .bar { left: 0; width: calc(var(--accuracy) * 100%); background: var(--bar); }
.gauge .whisker { left: calc(var(--low) * 100%); width: calc((var(--high) - var(--low)) * 100%); top: 50%; bottom: auto; height: 2px; margin-top: -1px; background: var(--ink); }
.gauge .tick { left: calc(var(--chance) * 100% - 1px); width: 3px; background: var(--poor); }
.good, .poor { white-space: nowrap; font-weight: 600; }
.good { color: var(--good); }
.poor { color: var(--poor); }

.matrices { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2.5rem; margin-top: 1rem; }
.matrices.wide { grid-template-columns: 1fr; }
.confusion { font-size: 0.82rem; }
.confusion tr { border: 0; }
.confusion th[scope="row"] { padding-right: 0.5rem; text-align: right; white-space: nowrap; max-width: 12rem; overflow: hidden; text-overflow: ellipsis; }
.confusion .index { display: inline-block; min-width: 1.3rem; color: var(--muted); }
.confusion thead th, .confusion tbody td { min-width: 1.62rem; padding: 0.2rem 0.1rem; text-align: center; vertical-align: middle; }
.confusion abbr { text-decoration: none; cursor: help; }
/* Never so strong that the numbers need another colour than the page's. */
.confusion tbody td { background: color-mix(in srgb, var(--heat) calc(var(--share, 0) * 65%), var(--surface)); border: 1px solid var(--paper); }
.confusion .none { color: var(--muted); }
.confusion .diagonal { outline: 1px solid var(--ink); outline-offset: -2px; font-weight: 600; }

.evaluation { margin-top: 1.2rem; }
.arms, .arms thead th { font-size: 0.82rem; }
.arms small { font-size: 0.74rem; }
.arms th, .arms td { padding-right: 0.5rem; }
.arms th[scope="row"] { overflow-wrap: normal; }
.arms b, .arms small { white-space: nowrap; }
.evaluation .interval { white-space: nowrap; }
.evaluation th[scope="row"] { max-width: 20rem; }
h3 { margin: 2rem 0 0.3rem; font-size: 1.1rem; }
.sheet img { display: block; max-width: 100%; height: auto; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0.5rem 2rem; align-items: start; }
.charts h3 { margin: 0.6rem 0 0.3rem; font-size: 1rem; }
.strip { display: flex; gap: 1rem; overflow-x: auto; padding-bottom: 0.6rem; }
.strip figure { flex: 0 0 auto; width: min(26rem, 80%); margin: 0; }
.strip img { display: block; width: 100%; height: auto; border-radius: 0.3rem; }

@media (max-width: 40rem) {
  main { padding-top: 1.5rem; }
  h1 { font-size: 1.8rem; }
  .accuracy thead, .heads { display: none; }
  .accuracy tr, .accuracy th[scope="row"], .accuracy td { display: block; max-width: none; padding-right: 0; text-align: left; }
  .pair { grid-template-columns: 1fr 1fr; }
  .pair h3 { grid-column: 1 / -1; }
  .pair figcaption { position: static; width: auto; height: auto; clip-path: none; }
}
@media print {
  html { font-size: 12px; color-scheme: light; }
  main { max-width: none; padding: 0; }
  section { margin-top: 2rem; }
  .scroll, .strip { overflow: visible; }
  .strip { flex-wrap: wrap; }
  .strip figure { width: 47%; }
  h2 { break-after: avoid; }
  tr, figure, .pair, .tiles li, .notice, .confusion { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
