import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Columns, FormatName } from '../../../src/data/labels/format.js';
import { readLabelTable } from '../../../src/data/labels/read.js';
import { UserError } from '../../../src/io/errors.js';
import { temporaryFolder } from '../../temporary.js';

const folder = temporaryFolder();
const file = path.join(folder, 'table.txt');

function read(text: string | Uint8Array, options: { format?: FormatName; columns?: Columns } = {}) {
  writeFileSync(file, text);
  return readLabelTable(file, options);
}

async function messageFor(text: string, options = {}): Promise<string> {
  const error = await read(text, options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

const lines = (...rows: (string | number)[][]) => rows.map((row) => row.join('\t')).join('\r\n');

describe('Raven', () => {
  const columns = ['Selection', 'View', 'Channel', 'Begin Time (s)', 'End Time (s)', 'Low Freq (Hz)', 'High Freq (Hz)'];

  test('selections of several recordings, each at its place in its own', async () => {
    const table = lines(
      [...columns, 'Begin Path', 'File Offset (s)', 'Species'],
      [1, 'Waveform 1', 1, 61.5, 62.75, 0, 24000, 'C:\\birds\\b.wav', 1.5, 'wren'],
      [1, 'Spectrogram 1', 1, 61.5, 62.75, 2000, 8000.5, 'C:\\birds\\b.wav', 1.5, 'wren'],
      [2, 'Spectrogram 1', 1, 3, 4, 2000, 8000, 'C:\\birds\\a.wav', 3, 'robin'],
    );
    expect((await read(table))?.rows).toEqual([
      { line: 3, file: 'C:\\birds\\b.wav', start: 1.5, end: 2.75, low: 2000, high: 8000.5, label: 'wren' },
      { line: 4, file: 'C:\\birds\\a.wav', start: 3, end: 4, low: 2000, high: 8000, label: 'robin' },
    ]);
  });

  test('selections of one recording, with times as they are written in half of Europe', async () => {
    const table = lines(columns, [1, 'Spectrogram 1', 1, '1,5', '2,75', 2000, 8000]);
    expect((await read(table))?.rows).toEqual([{ line: 2, start: 1.5, end: 2.75, low: 2000, high: 8000 }]);
  });

  test('lines that cannot be used are named', async () => {
    const row = (...times: (string | number)[]) => [1, 'Spectrogram 1', 1, ...times];
    const table = await read(
      lines(
        columns,
        row(5, 3, 1, 2),
        row('x', 3, 1, 2),
        row(1, '', 1, 2),
        row(-1, 3, 1, 2),
        row(1, 3, 9000, 2),
        row(1, 3, 1, 2),
      ),
    );
    expect(table?.rows.map(({ line }) => line)).toEqual([7]);
    expect(table?.bad).toEqual([
      { line: 2, reason: 'it ends (3 s) before it starts (5 s).' },
      { line: 3, reason: 'its start is not a number.' },
      { line: 4, reason: 'it has a start, but no end.' },
      { line: 5, reason: 'it starts before the recording (-1 s).' },
      { line: 6, reason: 'its band is upside down (9000 to 2 Hz).' },
    ]);
  });

  test('without a column that is needed it is no use', async () => {
    expect(await messageFor(lines(['Selection', 'View', 'End Time (s)'], [1, 'Spectrogram 1', 2]))).toMatch(
      /is a Raven selection table without the column "begin time \(s\)"; its columns are selection, view, .*--columns start=NAME/,
    );
    expect(await messageFor(lines(['Selection', 'View', 'Begin Time (s)'], [1, 'Spectrogram 1', 2]))).toMatch(
      /without the column "end time \(s\)"/,
    );
    const several = lines(
      [...columns, 'Begin File'],
      [1, 'S', 1, 0, 1, 2, 3, 'a.wav'],
      [2, 'S', 1, 9, 10, 2, 3, 'b.wav'],
    );
    expect(await messageFor(several)).toMatch(/without the column "file offset \(s\)" \(it covers several recordings/);
  });
});

describe('Audacity', () => {
  test('labels with and without bands, and points', async () => {
    const track = '0.5\t1.25\twren\n\\\t1500.0\t6000.0\n3\t3\trobin song\n\\\t-1\t-1\n7\t8\t\n';
    expect((await read(track))?.rows).toEqual([
      { line: 1, start: 0.5, end: 1.25, label: 'wren', low: 1500, high: 6000 },
      { line: 3, start: 3, end: 3, label: 'robin song' },
      { line: 5, start: 7, end: 8 },
    ]);
  });

  test('lines that cannot be used are named', async () => {
    const track = await read('0.5\t1.25\twren\nsome notes\n4\t2\twren\n');
    expect(track?.bad).toEqual([
      { line: 2, reason: 'its start is not a number.' },
      { line: 3, reason: 'it ends (2 s) before it starts (4 s).' },
    ]);
  });
});

test('BirdNET: results with their confidence, one recording or several', async () => {
  const head = 'Start (s),End (s),Scientific name,Common name,Confidence';
  expect((await read(`${head}\n0.0,3.0,Turdus merula,Common Blackbird,0.93\n`))?.rows).toEqual([
    { line: 2, start: 0, end: 3, label: 'Common Blackbird', confidence: 0.93 },
  ]);
  const combined = `${head},File\n3,6,Turdus merula,Common Blackbird,0.2,/data/a.wav\n3,6,Turdus merula,Common Blackbird,85,/data/a.wav\n`;
  const table = await read(combined, { columns: { label: 'Scientific name' } });
  expect(table?.rows).toEqual([
    { line: 2, file: '/data/a.wav', start: 3, end: 6, label: 'Turdus merula', confidence: 0.2 },
  ]);
  expect(table?.bad).toEqual([{ line: 3, reason: 'its confidence (85) is not between 0 and 1.' }]);
});

test('BirdNET: a recording without detections has a row in its Raven table, but no species', async () => {
  const columns = ['Selection', 'View', 'Channel', 'Begin Time (s)', 'End Time (s)', 'Low Freq (Hz)', 'High Freq (Hz)'];
  const table = lines(
    [...columns, 'Common Name', 'Species Code', 'Confidence', 'Begin Path', 'File Offset (s)'],
    [1, 'Spectrogram 1', 1, 0, 3, 0, 15000, 'nocall', 'nocall', '1.0', '/data/a.wav', 0],
    [1, 'Spectrogram 1', 1, 3, 6, 0, 15000, 'Eurasian Blackbird', 'eurbla', 0.93, '/data/b.wav', 3],
  );
  expect((await read(table))?.rows).toEqual([
    {
      line: 3,
      file: '/data/b.wav',
      start: 3,
      end: 6,
      low: 0,
      high: 15000,
      label: 'Eurasian Blackbird',
      confidence: 0.93,
    },
  ]);
});

describe('any other table', () => {
  test('labels all of a recording, or parts of it', async () => {
    const table = await read(
      'filename;species;recordist;start;duration\na.wav;"wren; male";Ada;;\nb.wav;robin;;1,5;0,25\n',
    );
    expect(table?.rows).toEqual([
      { line: 2, file: 'a.wav', label: 'wren; male', recordist: 'Ada' },
      { line: 3, file: 'b.wav', label: 'robin', start: 1.5, end: 1.75 },
    ]);
  });

  test('has whatever columns it has', async () => {
    const text = 'Clip ID,Bird,From,To\n17,wren,1,2\n';
    expect(await read(text)).toBeUndefined();
    const columns = { file: 'clip id', label: 'Bird', start: 'From', end: 'To' };
    expect((await read(text, { columns }))?.rows).toEqual([{ line: 2, file: '17', label: 'wren', start: 1, end: 2 }]);
    expect(await messageFor(text, { columns: { ...columns, end: 'until' } })).toMatch(
      /without the column "until"; its columns are clip id, bird, from, to\. .*--columns end=NAME/,
    );
  });

  test('may be written by an old spreadsheet', async () => {
    const rows = 'file,label\nété.wav,pic épeiche\n';
    const expected = [{ line: 2, file: 'été.wav', label: 'pic épeiche' }];
    for (const bytes of [
      Buffer.from(rows, 'latin1'),
      Buffer.from(`\ufeff${rows}`),
      Buffer.from(`\ufeff${rows.replaceAll(',', '\t')}`, 'utf16le'),
    ]) {
      expect((await read(bytes))?.rows).toEqual(expected);
    }
  });

  test('that says nothing of labels is none', async () => {
    for (const text of ['', 'field notes\nit rained\n', 'a,b\n1,2\n', '{"json": 1}'])
      expect(await read(text)).toBeUndefined();
  });

  test('with a quote that nothing closes is refused', async () => {
    expect(await messageFor('file,label\n"a.wav,wren\nb.wav,robin\n')).toMatch(
      /table\.txt" cannot be read as a table: /,
    );
  });
});
