import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { importSplit, readSplitTable } from '../../src/data/splitTable.js';
import { temporaryFolder } from '../temporary.js';

function saved(...lines: string[]): string {
  const file = path.join(temporaryFolder(), 'split.csv');
  writeFileSync(file, lines.join('\n'));
  return file;
}

const images = [
  { label: 'wren', file: 'wren/a_0.00.png', recording: 'a', source: 'wren/a.mp3' },
  { label: 'wren', file: 'wren/a_1.00.png', recording: 'a', source: 'wren/a.mp3' },
  { label: 'robin', file: 'robin/b_0.00.png', recording: 'b', source: 'robin/b.wav' },
];
const imported = async (withValidation: boolean, ...lines: string[]) =>
  importSplit(images, await readSplitTable(saved(...lines)), withValidation);

test.each([
  ['images', ['file,part', 'wren/a_0.00.png,train', './wren\\a_1.00.png,val', 'robin/b_0.00.png,TEST']],
  [
    'the images of others too',
    ['file;split;x', 'wren/a.mp3;train;1', 'wren/a_1.00.png;dev;2', 'robin/b.wav;testing;3'],
  ],
  ['recordings', ['recording\tpart', 'wren/a\ttraining', 'b\ttest', 'wren/a_1.00.png\tvalidation']],
])('names %s', async (_, lines) => {
  expect(await imported(false, ...lines)).toEqual({
    parts: ['train', 'validation', 'test'],
    folds: [undefined, undefined, undefined],
    notes: [],
  });
});

test('folds alone give the parts of the first; with parts, those stay', async () => {
  const lines = ['recording,fold', 'a,0', 'b,7'];
  expect(await imported(false, ...lines)).toMatchObject({ parts: ['test', 'test', 'train'], folds: [0, 0, 7] });
  const both = ['recording,part,fold', 'a,train,0', 'b,test,'];
  expect(await imported(true, ...both)).toMatchObject({ parts: ['train', 'train', 'test'], folds: [0, 0, undefined] });
});

test('what it names and is not there is told', async () => {
  const { notes } = await imported(false, 'recording,part', 'a,train', 'b,test', 'c,test', 'd,test');
  expect(notes).toEqual([
    expect.stringMatching(/names 2 files or recordings that the data set has not; the first is "c"/),
  ]);
});

describe('refuses', () => {
  test.each([
    [
      'columns that say nothing',
      ['name,part', 'a,train'],
      /must have a column "file" or "recording".*columns are name, part/,
    ],
    [
      'an unknown part',
      ['recording,part', 'a,train', 'b,exam'],
      /line 3: "part" is "exam": it must be train, validation/,
    ],
    ['a broken fold', ['recording,fold', 'a,1.5'], /line 2: "fold" is "1\.5"/],
    ['an empty name', ['recording,part', ',train'], /line 2: "recording" is empty/],
    ['an empty row', ['recording,part,fold', 'a,,'], /line 2: neither part nor fold/],
    ['two parts of one', ['recording,part', 'a,train', 'a,test'], /line 3: "a" is named a second time/],
    [
      'images left out',
      ['recording,part', 'a,train'],
      /says nothing of 1 of 3 images; the first is "robin\/b_0\.00\.png"/,
    ],
  ])('%s', async (_, lines, sentence) => {
    await expect(imported(false, ...lines)).rejects.toThrow(sentence);
  });
});
