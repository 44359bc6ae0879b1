import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RecordingFile } from '../../../src/audio/find.js';
import { labelRecordings } from '../../../src/data/labels/label.js';
import { UserError } from '../../../src/io/errors.js';
import { temporaryFolder } from '../../temporary.js';

const dir = '/birds';
const recordings: RecordingFile[] = ['a.wav', 'b.wav', 'wren/c.wav'].map((name) => ({
  ...(name.startsWith('wren') && { label: 'wren' }),
  path: path.join(dir, name),
  recording: name.slice(0, -4),
}));

function labelled(tables: Record<string, string>, options = {}) {
  const place = temporaryFolder();
  for (const [name, text] of Object.entries(tables)) {
    mkdirSync(path.dirname(path.join(place, name)), { recursive: true });
    writeFileSync(path.join(place, name), text);
  }
  const names = Object.keys(tables);
  const only = names.length === 1 ? path.join(place, names[0]!) : place;
  return labelRecordings(dir, recordings, { path: only, ...options });
}

const shown = (found: RecordingFile[]) => found.map(({ path: _, ...recording }) => recording);

describe('a table', () => {
  test('labels recordings, wholly or in part, and names their recordists', async () => {
    const { recordings: found, notes } = await labelled({
      't.csv':
        'file,label,start,end,recordist,low,high\na.wav,robin,3,4,Ada,2000,8000\na.wav,wren,1,2,,,\nb.wav,robin,,,Ben,,\n',
    });
    expect(shown(found)).toEqual([
      {
        recording: 'a',
        recordist: 'Ada',
        annotations: [
          { start: 1, end: 2, label: 'wren' },
          { start: 3, end: 4, label: 'robin', low: 2000, high: 8000 },
        ],
      },
      { recording: 'b', label: 'robin', recordist: 'Ben' },
    ]);
    expect(notes).toEqual(['1 of 3 recordings have no label and are not used.']);
  });

  test('without labels leaves those of the folders', async () => {
    const { recordings: found, skipped } = await labelled({
      't.csv': 'file,start,end,label\nc.wav,1,2,\na.wav,1,2,\n',
    });
    expect(shown(found)).toEqual([{ recording: 'wren/c', annotations: [{ start: 1, end: 2, label: 'wren' }] }]);
    expect(skipped).toEqual([expect.objectContaining({ line: 3, reason: expect.stringMatching(/^it has no label/) })]);
  });

  test('may name what is no recording, which is said once for each', async () => {
    const rows = [
      'gone.wav,1,2,wren',
      'a.wav,1,2,wren',
      'gone.wav,3,4,wren',
      '../up.wav,1,2,wren',
      '/etc/passwd,1,2,wren',
    ];
    const { recordings: found, skipped } = await labelled({ 't.csv': `file,start,end,label\n${rows.join('\n')}\n` });
    expect(found).toHaveLength(1);
    expect(skipped.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
      '2: "gone.wav" (and in 1 more lines) is not among the recordings.',
      '5: "../up.wav" leads out of the folder of recordings.',
      '6: "/etc/passwd" is not among the recordings.',
    ]);
  });

  test('of a recogniser counts where it is sure', async () => {
    const text =
      'Start (s),End (s),Scientific name,Common name,Confidence,File\n' +
      [0.3, 0.6, 0.9].map((c, i) => `${3 * i},${3 * i + 3},Troglodytes,Wren,${c},a.wav\n`).join('');
    const starts = async (options: object) =>
      (await labelled({ 't.csv': text }, options)).recordings[0]!.annotations!.map(({ start }) => start);
    expect(await starts({})).toEqual([3, 6]);
    expect(await starts({ minConfidence: 0.8 })).toEqual([6]);
    expect((await labelled({ 't.csv': text })).notes[0]).toBe(
      '1 annotations have a confidence below 0.5 and are not used.',
    );
  });

  test('that says two things of one recording is not believed', async () => {
    const text = 'file,label\na.wav,wren\na.wav,robin\nb.wav,wren\nb.wav,wren\n';
    const { recordings: found, skipped } = await labelled({ 't.csv': text });
    expect(shown(found)).toEqual([{ recording: 'b', label: 'wren' }]);
    expect(skipped).toEqual([{ file: '/birds/a.wav', reason: expect.stringMatching(/"wren" and "robin" as a whole/) }]);
  });

  test('of one recording as a whole and in part is believed in part, and the rest is listed', async () => {
    const text = 'file,label,start,end\na.wav,wren,,\na.wav,robin,1,2\n';
    const { recordings: found, skipped } = await labelled({ 't.csv': text });
    expect(shown(found)).toEqual([{ recording: 'a', annotations: [{ start: 1, end: 2, label: 'robin' }] }]);
    expect(skipped).toEqual([
      {
        file: expect.stringMatching(/t\.csv$/),
        line: 2,
        reason: expect.stringMatching(/^it labels all of the recording "wren", but others label parts of it/),
      },
    ]);
  });

  test('that labels nothing is an error', async () => {
    const error = await labelled({ 't.csv': 'file,label\nx.wav,wren\n' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(
      /t\.csv" labels none of the recordings in "\/birds"\. The first problem of 1: ".*t\.csv", line 2: "x\.wav" is not among/,
    );
  });
});

test('what is no table is said to be none, with what it begins with', async () => {
  await expect(labelled({ 't.csv': 'Clip;Vogel\n1;Amsel\n' })).rejects.toThrow(
    /t\.csv" is no table \(it begins "Clip;Vogel"\) of labels that is known: .*--columns file=NAME/,
  );
});

describe('a folder of tables', () => {
  test('holds one for each recording, of any kind; what two of them say counts once', async () => {
    const raven = 'Selection\tView\tBegin Time (s)\tEnd Time (s)\tSpecies\n1\tSpectrogram 1\t1\t2\twren\n';
    const {
      recordings: found,
      skipped,
      tables,
    } = await labelled({
      'a.Table.1.selections.txt': raven,
      'a.txt': '1.0\t2.0\twren\n5\t6\trobin\n',
      'sub/b.txt': '1\t2\twren\n',
      'notes.txt': 'It rained.\n',
    });
    expect(shown(found)).toEqual([
      {
        recording: 'a',
        annotations: [
          { start: 1, end: 2, label: 'wren' },
          { start: 5, end: 6, label: 'robin' },
        ],
      },
      { recording: 'b', annotations: [{ start: 1, end: 2, label: 'wren' }] },
    ]);
    expect(skipped).toEqual([]);
    expect(tables.map((table) => path.basename(table))).toEqual(['a.Table.1.selections.txt', 'a.txt', 'b.txt']);
  });

  test('may hold bad ones', async () => {
    const { recordings: found, skipped } = await labelled({
      'a.txt': '1\t2\twren\n',
      'b.txt': 'Selection\tView\tEnd Time (s)\n1\tSpectrogram 1\t2\n',
      'd.txt': '1\t2\twren\n',
    });
    expect(found).toHaveLength(1);
    expect(skipped.map(({ file, reason }) => [path.basename(file), reason])).toEqual([
      ['b.txt', expect.stringMatching(/^is a Raven selection table without the column "begin time \(s\)"/)],
      ['d.txt', 'names no recordings, and is not called after one.'],
    ]);
  });

  test('without tables is an error', async () => {
    await expect(labelled({ 'a.txt': 'notes', 'b.md': 'notes' })).rejects.toThrow(
      /holds no table of labels that is known/,
    );
  });
});
