/**
 * The table that compares lyrebird with other libraries, for README.md, from the results of the harness that times them all:
 *
 *   node bench/peersTable.js FOLDER            prints it
 *   node bench/peersTable.js FOLDER --write    puts it into README.md, and saves it with the machine's name in bench/results/
 *
 * FOLDER holds a JSON file for each peer and round, `{ peer, version, info, results: { workload: { med, min } } }` in ms; of
 * several rounds the median of medians counts (the table says of how many). Ratios say how many times as long the other takes.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, readReadme, withTable, writeReadme } from './readme.js';

const OWN = 'lyrebird';
const WORKLOADS = {
  matmul512: 'matrix product 512^3',
  matmul1024: 'matrix product 1024^3',
  'conv3x3s1.fwd': 'conv 3x3 [8,32,32,32] -> 64, forward',
  'conv3x3s1.fwdbwd': 'the same, forward + both gradients',
  'conv4x4s2.fwd': 'conv 4x4 stride 2 [8,16,64,64] -> 32, forward',
  'conv4x4s2.fwdbwd': 'the same, forward + both gradients',
  'convT4x4s2.fwd': 'transposed 4x4 stride 2 [8,64,16,16] -> 32, forward',
  'convT4x4s2.fwdbwd': 'the same, forward + both gradients',
  acgan32: 'a small ACGAN step, 32 x 32, batch 16',
  acgan64: 'the same, 64 x 64',
};

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};
const show = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** Medians by peer and workload, and what the peers said of themselves. */
function read(folder) {
  const peers = new Map();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const { peer, version, info, results } = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
    if (!peers.has(peer)) peers.set(peer, { version, info, rounds: {} });
    for (const [workload, { med }] of Object.entries(results)) {
      const { rounds } = peers.get(peer);
      if (typeof med === 'number') rounds[workload] = [...(rounds[workload] ?? []), med];
    }
  }
  return peers;
}

function table(peers) {
  const own = peers.get(OWN);
  if (!own) throw new Error(`the folder holds no results of ${OWN}`);
  const others = [...peers.keys()].filter((name) => name !== OWN).sort();
  const heads = others.map((name) => `${name} ${peers.get(name).version}`.trim());
  const rounds = Math.max(
    ...[...peers.values()].flatMap((peer) => Object.values(peer.rounds).map(({ length }) => length)),
  );
  const lines = [
    `| ms, medians of ${rounds === 1 ? 'one run' : `up to ${rounds} runs`} | ${OWN} | ${heads.flatMap((head) => [head, 'ratio']).join(' | ')} |`,
    `|---|---:|${'---:|---:|'.repeat(others.length)}`,
  ];
  for (const [workload, name] of Object.entries(WORKLOADS)) {
    if (!own.rounds[workload]) continue;
    const mine = median(own.rounds[workload]);
    const cells = others.flatMap((other) => {
      const theirs = peers.get(other).rounds[workload];
      return theirs ? [show(median(theirs)), (median(theirs) / mine).toFixed(2)] : ['-', '-'];
    });
    lines.push(`| ${name} | ${show(mine)} | ${cells.join(' | ')} |`);
  }
  return [...lines, '', `${OWN} on ${own.info}; ${cpus().length} cores of ${cpus()[0].model.trim()}.`].join('\n');
}

const { values, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
const text = table(read(positionals[0] ?? '.'));
console.log(text);
if (values.write) {
  writeReadme(withTable(readReadme(), 'peers', 'peersTable.js', text));
  writeFileSync(new URL('bench/results/peers.md', ROOT), `${text}\n`);
}
