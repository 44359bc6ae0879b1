/** lyrebird prepare --labels: recordings anywhere, and tables that say what sounds where. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../src/audio/wav.js';
import type { DatasetIndex } from '../../src/data/schema.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird, type Ran } from './console.js';
import { json, put, tone } from './fixtures.js';

const folder = temporaryFolder();
const dir = path.join(folder, 'field');
for (const [i, name] of ['a.wav', 'b.wav', 'deep/c.wav', 'unheard.wav'].entries()) {
  put(path.join(dir, name), encodeWav(tone(2000, { seconds: 9, seed: i }), 24000));
}
const out = path.join(folder, 'set');
const prepare = (...options: string[]) => lyrebird('prepare', dir, '--out', out, '--size', '32', ...options);
const indexOf = () => json<DatasetIndex>(out, 'dataset.json');

describe('a table', () => {
  const table = path.join(folder, 'labels.csv');
  const head = 'file,start,end,label,recordist\n';
  const rows = ['a.wav,1,2,wren,Ada', 'a.wav,4,8,robin,Ada', 'b.wav,2,2.5,wren,Ben', 'c.wav,,,robin,Cy'];
  let ran: Ran;
  beforeAll(async () => {
    writeFileSync(
      table,
      `${head}${rows.join('\n')}\nb.wav,30,31,wren,Ben\n../x.wav,1,2,wren,Ada\nb.wav,5,3,wren,Ben\n`,
    );
    ran = await prepare('--labels', table);
  });

  it('gives windows of each label, and says where they are from', () => {
    const { images, recordings, classes } = indexOf();
    expect(classes).toEqual(['robin', 'wren']);
    expect(recordings.map(({ source, label, recordist }) => [source, label, recordist])).toEqual([
      ['a.wav', undefined, 'Ada'],
      ['b.wav', undefined, 'Ben'],
      ['deep/c.wav', 'robin', 'Cy'],
    ]);
    expect(images.map(({ file, source }) => [file, source])).toEqual([
      ['wren/a_0.50.png', 'a.wav'],
      ['robin/a_4.00.png', 'a.wav'],
      ['robin/a_5.00.png', 'a.wav'],
      ['robin/a_6.00.png', 'a.wav'],
      ['wren/b_1.25.png', 'b.wav'],
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((start) => [`robin/deep_c_${start}.00.png`, undefined]),
    ]);
    expect(readdirSync(path.join(out, 'wren'))).toEqual(['a_0.50.png', 'b_1.25.png']);
  });

  it('keeps a recording in one part, whatever it holds', () => {
    for (const source of ['a.wav', 'b.wav']) {
      const parts = indexOf().images.flatMap((image) => (image.source === source ? [image.split] : []));
      expect(new Set(parts).size).toBe(1);
    }
  });

  it('has lines that cannot be used: each is said, and the exit code is 3', () => {
    expect(ran.exitCode).toBe(3);
    const said = ran.stderr.split('\n').filter((line) => line.startsWith('left out: '));
    expect(said).toEqual([
      `left out: ${table}, line 8: it ends (3 s) before it starts (5 s).`,
      `left out: ${table}, line 7: "../x.wav" leads out of the folder of recordings.`,
    ]);
    expect(ran.stdout).toMatch(/note: 1 of 4 recordings have no label and are not used\./);
    expect(ran.stdout).toMatch(/note: "b\.wav" ends after 9\.0 s, before 1 of its annotations begin\./);
    const skipped = indexOf().skipped.map(({ file, line, start }) => [file, line, start]);
    expect(skipped).toEqual([
      [table, 8, undefined],
      [table, 7, undefined],
      ['b.wav', undefined, 30],
    ]);
    expect(indexOf().counts).toMatchObject({ skippedFiles: 0, skippedLines: 2, skippedWindows: 1 });
  });

  it('that changes makes only what it is about anew', async () => {
    writeFileSync(table, `${head}${rows.join('\n').replace('2,2.5', '6,6.5')}\n`);
    const again = await prepare('--labels', table);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(readdirSync(path.join(out, 'wren'))).toEqual(['a_0.50.png', 'b_5.25.png']);
    expect(again.stdout).toContain(`${out}: 13 images of 2 classes from 3 recordings`);
  });
});

it('a folder of tables may be the folder of recordings', async () => {
  put(path.join(dir, 'a.txt'), '1\t2\twren\n\\\t1500\t6000\n');
  put(path.join(dir, 'deep/c.Table.1.selections.txt'), 'Selection\tBegin Time (s)\tEnd Time (s)\n1\t3\t4\n');
  put(path.join(dir, 'notes.txt'), 'It rained.\n');
  const { exitCode, stdout } = await prepare('--labels', dir);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('left out: 1 file of another kind;');
  expect(indexOf().images.map(({ file, low, high }) => [file, low, high])).toEqual([
    ['wren/a_0.50.png', 1500, 6000],
    ['deep/deep_c_2.50.png', undefined, undefined],
  ]);
});

it.each([
  [['--columns', 'file=clip'], 1, /--columns is about tables of labels: name them by --labels, too/],
  [['--labels', 'nowhere.csv'], 1, /no file or folder "nowhere\.csv"/],
  [['--labels', 'x', '--columns', 'clip'], 2, /Give FIELD=NAME,FIELD=NAME with fields among file, start/],
  [['--labels', 'x', '--min-confidence', '50'], 2, /Give a number from 0 to 1/],
  [['--labels', 'x', '--format', 'excel'], 2, /raven, audacity, birdnet, csv/],
])('%j are refused', async (options, code, sentence) => {
  const { exitCode, stderr } = await prepare(...options);
  expect(exitCode).toBe(code);
  expect(stderr).toMatch(sentence);
});
