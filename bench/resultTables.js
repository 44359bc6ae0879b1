/**
 * The tables of README.md that show some of the columns of files in bench/results/, under friendlier names:
 *
 *   node bench/resultTables.js            puts them there
 *   node bench/resultTables.js --check    only says whether they are there, by its exit code
 *
 * Bold is what those files mark as better or worse.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ROOT, readReadme, withTable, writeReadme } from './readme.js';

const TABLES = {
  ablation: {
    file: 'ablation-birds.md',
    /** Digits after the point. */
    columns: { 'Frechet distance': 1, coverage: 2, 'GAN-test': 2 },
    /** All of them, in the order of the readme; where they are not named, they are as there. */
    rows: {
      base: 'base: CBAM, skip connections, transposed convolutions, cross-entropy, Adam',
      'no attention': '*the generator:* without CBAM',
      'no skips': 'without skip connections',
      nearest: 'nearest pixels and a convolution',
      'conditional norm': 'class-conditional batch norms',
      dynamic: 'dynamic convolutions',
      'no average': "images by the last step's weights, not their average",
      hinge: '*the losses:* hinge',
      smoothed: 'smoothed labels of real images',
      adc: 'two classes of each species, real and generated (ADC)',
      'class loss of real only': 'class loss of real images alone',
      'two updates': '*the steps:* two updates of the discriminator for each of the generator',
      'balanced reals': 'each class equally often among real images',
      'balanced fakes': 'each class equally often among generated images',
      rmsprop: 'RMSprop',
      'momentum 0': 'Adam without momentum (beta1 0)',
      'low rates': 'learning rates of the reference, 2e-4',
      'warm-up': 'learning rates that rise over 50 steps',
      linear: 'learning rates that fall along a line',
      cosine: 'learning rates that fall along a cosine',
      'spectral warm-up': '15 power iterations before the first step',
      shifted: '*what is judged:* shifted in time and changed in gain',
      cutout: 'with a square masked',
      'held-out real images': 'held-out real images',
    },
  },
  experiment: {
    file: 'experiment-birds.md',
    columns: {
      'real only': 1,
      'real + 20 generated': 1,
      'filled up to equal counts': 1,
      '60 generated only': 1,
      'traditional augmentation': 1,
    },
  },
};

/** The first table of a file: of each row, by the text of its first cell, all cells by column. */
function readTable(file) {
  const lines = readFileSync(new URL(`bench/results/${file}`, ROOT), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const cellsOf = (line) => line.split(/ *\| */).slice(1, -1);
  const [head, , ...rows] = lines.slice(start, lines.indexOf('', start)).map(cellsOf);
  return new Map(rows.map((cells) => [cells[0], Object.fromEntries(head.map((name, i) => [name, cells[i]]))]));
}

/** `15.0 ± 2.78; +3.93 (−7.74 to +15.6) ▼` becomes `**15.0**`. */
function shown(cell, digits) {
  const text = Number.parseFloat(cell).toFixed(digits);
  return /[▲▼]/.test(cell) ? `**${text}**` : text;
}

function tableOf({ file, columns, rows }) {
  const results = readTable(file);
  const names = rows ?? Object.fromEntries([...results.keys()].map((name) => [name, name]));
  const nameless = [...results.keys()].filter((row) => !(row in names));
  if (nameless.length > 0)
    throw new Error(`bench/resultTables.js has no names for rows of ${file}: ${nameless.join(', ')}`);
  const cellOf = (row, column) => {
    const cell = results.get(row)?.[column];
    if (cell === undefined) throw new Error(`${file} has no ${column} of '${row}'`);
    return cell === '' ? '' : ` ${shown(cell, columns[column])}`;
  };
  const heads = Object.keys(columns);
  return [
    `| | ${heads.join(' | ')} |`,
    `|---|${'---:|'.repeat(heads.length)}`,
    ...Object.entries(names).map(
      ([row, name]) => `| ${name} |${heads.map((head) => `${cellOf(row, head)} |`).join('')}`,
    ),
  ].join('\n');
}

const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
const before = readReadme();
let after = before;
for (const [name, table] of Object.entries(TABLES)) after = withTable(after, name, 'resultTables.js', tableOf(table));
if (!values.check) writeReadme(after);
else if (after !== before) {
  console.error("README.md does not show what bench/results/ holds: run 'node bench/resultTables.js'.");
  process.exitCode = 1;
}
