/**
 * A training step of the reference networks on this machine's adapter, in every way that it can be computed here, beside PyTorch:
 *
 *   node bench/step.js [--sizes 32,64,128,256] [--batch 16] [--rounds 5] [--adapter NAME] [--out FOLDER]
 *                      [--rule-only] [--torch "python3 bench_torch.py"] [--torch-precisions fp32,tf32,bf16]
 *
 * f32 and, if the adapter has it, f16; each with plans chosen by rule and, unless `--rule-only` is given, as `lyrebird tune` measures
 * them first, in turns on one device. `--torch` is a command that times the same step in PyTorch: it is given --size, --batch and --precision, and prints
 * `{"torch": version, "msPerStep": {"median": ...}}` as its last line; it runs before and after, and the quicker one counts.
 *
 * Prints a table, and writes it to FOLDER (default bench/results) as step-<adapter>.md, with all figures in the .json beside it.
 * What cannot be measured, such as a size for which there is no memory, is a line with the reason. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withFastEngine } from '../dist/cli/engine.js';
import { describeHost } from '../dist/cli/host.js';
import { main } from '../dist/cli/main.js';
import { measureInTurns } from '../dist/cli/measure.js';
import { prepareStep } from '../dist/cli/stepBenchmark.js';
import { threeDigits } from '../dist/cli/table.js';
import { version } from '../dist/cli/version.js';
import { writeAtomically } from '../dist/io/files.js';
import { loadTuning } from '../dist/io/tuning.js';
import { Engine } from '../dist/kernel/engine.js';
import { presetConfig, SIZES } from '../dist/train/config.js';
import { precisionNote } from '../dist/train/precision.js';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '32,64,128,256' },
    batch: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    adapter: { type: 'string' },
    'rule-only': { type: 'boolean' },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
    torch: { type: 'string' },
    'torch-precisions': { type: 'string', default: 'fp32,tf32,bf16' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const batch = Number(values.batch);
const rounds = Number(values.rounds);
const { adapter } = values;
if (!sizes.every((size) => SIZES.includes(size)) || !(batch >= 1) || !(rounds >= 1)) {
  console.error(`--sizes are of ${SIZES.join(', ')}; --batch and --rounds are numbers of at least 1.`);
  process.exit(2);
}

const torchPrecisions = values.torch ? values['torch-precisions'].split(',') : [];

/** Of PyTorch's step what `timeOwn` gives of lyrebird's. */
function timeTorch(size, precision) {
  const command = `${values.torch} --size ${size} --batch ${batch} --precision ${precision}`;
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8' });
  if (status !== 0) throw new Error(`'${command}' failed: ${stderr.trim().split('\n').at(-1)}`);
  const { torch, msPerStep } = JSON.parse(stdout.trim().split('\n').at(-1));
  return [{ way: `PyTorch ${torch}, ${precision}`, precision, milliseconds: msPerStep.median }];
}

/** The engine, and one that chooses by what `lyrebird tune` measures for this step now. */
async function enginesFor(e, config, folder) {
  if (values['rule-only']) return { 'by rule': e };
  const file = path.join(folder, `${config.size}-${config.precision}.json`);
  const flags = ['--size', config.size, '--batch', batch, '--precision', config.precision, '--out', file];
  const code = await main(
    ['tune', '--preset', 'reference', ...flags, ...(adapter ? ['--adapter', adapter] : [])].map(String),
  );
  if (code !== 0) throw new Error(`lyrebird tune failed (exit code ${code})`);
  const tuning = await loadTuning(e.gpu.info, file, (line) => console.error(line));
  return { 'by rule': e, tuned: new Engine(e.gpu, {}, tuning) };
}

/** Milliseconds of every way to compute a step here. */
async function timeOwn(e, size, folder) {
  const ways = [];
  for (const precision of ['f32', 'f16']) {
    const config = { ...presetConfig('reference', size), batch, precision };
    if (precisionNote(e, precision)) continue;
    for (const [plans, engine] of Object.entries(await enginesFor(e, config, folder))) {
      ways.push({ way: `lyrebird, ${precision}, ${plans}`, precision, e: engine, ...prepareStep(engine, config) });
    }
  }
  const times = await measureInTurns(ways, { rounds, milliseconds: 500 });
  for (const { release } of ways) release();
  return ways.map(({ way, precision }, i) => ({ way, precision, milliseconds: times[i] }));
}

/** All that can be measured of a size, and why the rest cannot. */
async function measureSize(e, size, folder) {
  const faults = new Set();
  const attempt = async (work) => {
    try {
      return await work();
    } catch (error) {
      faults.add(error.message.split('\n')[0]);
      return [];
    }
  };
  const allTorch = async () => {
    const runs = [];
    for (const precision of torchPrecisions) runs.push(...(await attempt(() => timeTorch(size, precision))));
    return runs;
  };
  const before = await allTorch();
  const own = await attempt(() => timeOwn(e, size, folder));
  const after = await allTorch();
  const quicker = before.map((one) => {
    const other = after.find(({ precision }) => precision === one.precision) ?? one;
    return { ...one, milliseconds: Math.min(one.milliseconds, other.milliseconds) };
  });
  return { size, ways: [...own, ...quicker], faults: [...faults] };
}

/** Speed in units of a PyTorch's: above 1 is quicker. */
function table(results) {
  const empty = torchPrecisions.map(() => '');
  const lines = [
    ['size', 'step', 'ms', 'images/s', ...torchPrecisions.map((precision) => `speed, PyTorch ${precision} = 1`)],
    ['---', '---', '---:', '---:', ...torchPrecisions.map(() => '---:')],
  ];
  for (const { size, ways, faults } of results) {
    const extent = `${size} x ${size}`;
    for (const { way, milliseconds } of ways) {
      const ratios = torchPrecisions.map((precision) => {
        const torch = ways.find((other) => other.precision === precision);
        return threeDigits(torch && torch.milliseconds / milliseconds);
      });
      lines.push([extent, way, threeDigits(milliseconds), threeDigits((1000 * batch) / milliseconds), ...ratios]);
    }
    for (const fault of faults) lines.push([extent, fault, '', '', ...empty]);
  }
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Writes what has been measured so far; returns it as text. */
async function save(info, results) {
  const host = describeHost();
  const text = [
    `A training step of DR-ACGAN (preset reference, batch ${batch}), medians of ${rounds} rounds, by \`node bench/step.js\`, lyrebird ${version}.`,
    `${info.name}: ${info.driver}; ${host.cores} cores of ${host.processor}.`,
    table(results),
  ].join('\n\n');
  const stem = path.join(values.out, `step-${info.name}`);
  const all = { lyrebird: version, date: new Date().toISOString(), host, adapter: info, batch, rounds, results };
  await writeAtomically(`${stem}.md`, `${text}\n`);
  await writeAtomically(`${stem}.json`, `${JSON.stringify(all, undefined, 2)}\n`);
  return text;
}

const folder = mkdtempSync(path.join(tmpdir(), 'lyrebird-step-'));
const results = [];
let text;
try {
  for (const size of sizes) {
    // Each on a device of its own, so that a size begins with all of the memory, whatever became of the one before it.
    await withFastEngine({ adapter, tuned: 'none' }, async (e) => {
      results.push(await measureSize(e, size, folder));
      text = await save(e.gpu.info, results);
    });
  }
  console.log(`\n${text}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
