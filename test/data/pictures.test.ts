import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDataset } from '../../src/data/read.js';
import { temporaryFolder } from '../temporary.js';

/** A folder with files of the given contents; pictures are not opened here, so they may be empty. */
function folder(files: Record<string, string>): string {
  const dir = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  }
  return dir;
}
const partsOf = async (dir: string, options = {}) =>
  Object.fromEntries((await readDataset(dir, options)).images.map(({ file, split }) => [file, split]));

describe('labels.csv', () => {
  test('labels files wherever they lie, and groups them by recordist and recording', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => {
      return `flat/${i}.tif,${i % 2 ? 'wren' : 'robin'},r${Math.floor(i / 4)},${i < 4 ? 'Ada' : ''}`;
    });
    const dir = folder({ 'labels.csv': ['file,label,recording,recordist', ...rows].join('\n') });
    const { classes, images } = await readDataset(dir);
    expect(classes).toEqual(['robin', 'wren']);
    expect(images[1]).toMatchObject({ file: 'flat/1.tif', label: 'wren', recording: 'r0', recordist: 'Ada' });
    const partOf = new Map<string, string>();
    for (const { recording, split } of images) {
      expect(partOf.get(recording) ?? split).toBe(split);
      partOf.set(recording, split);
    }
    expect([...partOf.values()].sort()).toEqual(['test', 'train', 'train']);
  });

  test('may hold the split itself', async () => {
    const dir = folder({ 'labels.csv': 'file,label,part\na.png,wren,test\nb.png,wren,val\nc.png,wren,train\n' });
    expect(await partsOf(dir)).toEqual({ 'a.png': 'test', 'b.png': 'validation', 'c.png': 'train' });
  });

  test.each([
    ['no label column', 'file,species\na.png,wren', /labels\.csv" lacks the column "label"/],
    ['no rows', 'file,label\n', /names no pictures/],
    ['an empty label', 'file,label\na.png,', /labels\.csv", line 2: "label" is empty/],
    ['a file twice', 'file,label\na.png,wren\na.png,robin', /line 3: "a\.png" is named a second time/],
    ['a way out', 'file,label\n../../a.png,wren', /leads outside the folder/],
  ])('with %s is refused', async (_, text, sentence) => {
    await expect(readDataset(folder({ 'labels.csv': text }))).rejects.toThrow(sentence);
  });
});

describe('split.csv', () => {
  const files = { 'wren/a.png': '', 'wren/b.png': '', 'wren/c.png': '', 'wren/d.png': '' };

  test('says which picture is in which part and fold', async () => {
    const split = 'file,part,fold\nwren/a.png,test,1\nwren/b.png,validation,2\nwren/c.png,train,3\nwren/d.png,train,\n';
    const dir = folder({ ...files, 'split.csv': split });
    const listed = { 'wren/a.png': 'test', 'wren/b.png': 'validation', 'wren/c.png': 'train', 'wren/d.png': 'train' };
    expect(await partsOf(dir)).toEqual(listed);
    expect(await partsOf(dir, { fold: 1 })).toEqual(listed);
    expect(await partsOf(dir, { fold: 3 })).toEqual({
      'wren/a.png': 'validation',
      'wren/b.png': 'train',
      'wren/c.png': 'test',
      'wren/d.png': 'train',
    });
    await expect(readDataset(dir, { fold: 4 })).rejects.toThrow(/has no fold 4: its folds are 1, 2, 3/);
  });

  test('must name every picture', async () => {
    const dir = folder({ ...files, 'split.csv': 'file,part\nwren/a.png,test\n' });
    await expect(readDataset(dir)).rejects.toThrow(/says nothing of 3 of 4 images; the first is "wren\/b\.png"/);
  });

  test('is not needed: then there are no folds', async () => {
    await expect(readDataset(folder(files), { fold: 1 })).rejects.toThrow(/it has no folds\. 'lyrebird split'/);
  });
});
