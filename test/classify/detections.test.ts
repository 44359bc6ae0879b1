/** Windows become detections, and detections become tables that others read. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  audacityTrack,
  combinedRavenTable,
  detectionsOf,
  detectionTable,
  type Heard,
  ravenTable,
  windowLines,
} from '../../src/classify/detections.js';
import { readLabelTable } from '../../src/data/labels/read.js';
import { put } from '../cli/fixtures.js';
import { temporaryFolder } from '../temporary.js';

const classes = ['noise', 'robin', 'wren'];
const window = (start: number, probabilities: readonly number[]) => ({ start, end: start + 2, probabilities });

const windows = [
  window(0, [0.1, 0.8, 0.1]),
  window(1, [0.1, 0.6, 0.3]),
  window(2, [0.3, 0.4, 0.3]),
  window(3, [0, 0.3, 0.7]),
  window(7, [0, 0.1, 0.9]),
  window(8, [0.9, 0.1, 0]),
  window(9, [0, 0.1, 0.9]),
];

describe('detections', () => {
  it('are windows of one species without a gap between, above the threshold', () => {
    const found = detectionsOf(windows, classes, 0.5);
    expect(found.map(({ start, end, label, windows: count }) => [start, end, label, count])).toEqual([
      [0, 3, 'robin', 2],
      [3, 5, 'wren', 1],
      [7, 9, 'wren', 1],
      [9, 11, 'wren', 1],
    ]);
    expect(found[0]!.confidence).toBeCloseTo(0.7, 12);
  });

  it('are more with a lower threshold', () => {
    expect(detectionsOf(windows, classes, 0)[0]).toMatchObject({ start: 0, end: 4, label: 'robin', windows: 3 });
    expect(detectionsOf(windows, classes, 0.95)).toEqual([]);
  });
});

describe('tables', () => {
  const heard = (name: string, seconds: number): Heard => ({
    ...{ path: `/birds/${name}`, name, seconds, low: 500, high: 12000 },
    detections: detectionsOf(windows, classes, 0.5),
  });
  const folder = temporaryFolder();
  const read = async (name: string, text: string) => {
    const table = await readLabelTable(put(path.join(folder, name), text), {});
    expect(table!.bad).toEqual([]);
    return table!.rows;
  };

  it('for Raven are read back, one and combined', async () => {
    const one = await read('a.Table.1.selections.txt', ravenTable(heard('a.wav', 12)));
    expect(one.map(({ start, end, label, low }) => [start, end, label, low])).toEqual([
      [0, 3, 'robin', 500],
      [3, 5, 'wren', 500],
      [7, 9, 'wren', 500],
      [9, 11, 'wren', 500],
    ]);
    const text = combinedRavenTable([heard('a.wav', 12), heard('b.wav', 12)]);
    // Raven counts from the beginning of the first file.
    expect(text.split('\n')[5]!.split('\t').slice(0, 5)).toEqual(['5', 'Spectrogram 1', '1', '12.000', '15.000']);
    const both = await read('all.txt', text);
    expect(both.slice(4).map(({ start, end, label, file }) => [start, end, label, file])).toEqual(
      one.map(({ start, end, label }) => [start, end, label, '/birds/b.wav']),
    );
  });

  it('for Audacity and of all are read back', async () => {
    const track = await read('a.txt', audacityTrack(heard('a.wav', 12)));
    expect(track.map(({ start, end, label, high }) => [start, end, label, high])[1]).toEqual([3, 5, 'wren', 12000]);
    const all = await read('detections.csv', detectionTable([heard('a, b.wav', 12)]));
    expect(all[0]).toMatchObject({ file: '/birds/a, b.wav', start: 0, end: 3, label: 'robin', confidence: 0.7 });
  });

  it('of windows come in portions, however long the recording', () => {
    const long = Array.from({ length: 130_001 }, (_, i) => window(i, [0.1, 0.3, 0.6]));
    const portions = [...windowLines(heard('a, b.wav', 130_003), long, classes, 0.5)];
    expect(Math.max(...portions.map((text) => text.length))).toBeLessThan(100_000);
    const lines = portions.join('').split('\n');
    expect(lines).toHaveLength(130_002);
    expect(lines[130_000]).toBe('"/birds/a, b.wav",130000.000,130002.000,wren,0.1000,0.3000,0.6000');
  });
});
