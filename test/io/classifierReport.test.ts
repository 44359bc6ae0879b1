/** The report of a classifier: what it says where something was not there. */
import { describe, expect, it } from 'vitest';
import { type ClassifierReport, type ReportedScores, renderClassifierReport } from '../../src/io/classifierReport.js';
import { panelsOf } from '../../src/io/scalars.js';

const right = { precision: 1, recall: 1, f1: 1 };
const none = { precision: 0, recall: 0, f1: 0, count: 0 };

/** Of two classes, of which only the first was held out. */
const scores: ReportedScores = {
  ...{ count: 4, accuracy: 1, top3: 1, macro: right, calibrationError: 0, bins: [] },
  perClass: [{ ...right, count: 4 }, none],
  confusion: [
    [4, 0],
    [0, 0],
  ],
};

const report: ClassifierReport = {
  ...{ title: 'a classifier', synthetic: false, source: 'birds', classes: ['robin', 'wren'] },
  counts: { training: [5, 5], extra: [0, 0], validation: [0, 0], test: [4, 0] },
  test: { windows: scores, recordings: scores, chance: 1 },
  notes: [],
  curves: panelsOf([{ step: 1, loss: 2 }]),
  ...{ bestEpoch: 3, epochs: 3, threshold: null, parameters: 10, settings: {}, seconds: 1, adapter: 'a CPU' },
};

describe("a classifier's report", () => {
  it('has a dash for the scores of a class that was not held out', () => {
    const rows = renderClassifierReport(report).match(/<tr><th scope="row">.*?<\/tr>/gs)!;
    const cells = (name: string) =>
      [...rows.find((row) => row.includes(name))!.matchAll(/class="number">(.*?)</g)].map(([, cell]) => cell);
    expect(cells('wren')).toEqual(['0', '–', '–', '–', '0', '–', '–']);
    expect(cells('robin')[1]).toMatch(/^100\.0/);
  });

  it('says what is wrong with the data set', () => {
    const notes = ['"a" is in <two> parts'];
    expect(renderClassifierReport({ ...report, notes })).toContain(
      '<p class="caution">&quot;a&quot; is in &lt;two&gt;',
    );
    expect(renderClassifierReport(report)).not.toContain('<p class="caution">');
  });

  it('speaks of three guesses only where there are more classes to guess', () => {
    expect(renderClassifierReport(report)).not.toContain('three guesses');
    const four = {
      classes: ['a', 'b', 'c', 'd'],
      counts: { ...report.counts, training: [5, 5, 5, 5], extra: [0, 0, 0, 0] },
    };
    const [perClass, confusion] = [[0, 1, 2, 3].map(() => none), [0, 1, 2, 3].map(() => [1, 0, 0, 0])];
    const windows = { ...scores, perClass, confusion };
    const test = { windows, recordings: windows, chance: 1 };
    expect(renderClassifierReport({ ...report, ...four, test })).toContain('three guesses for 100.0');
  });

  it('says of validation what there was of it', () => {
    const weights = (validation: number[]) =>
      /The weights kept are[^<]*/.exec(renderClassifierReport({ ...report, counts: { ...report.counts, validation } }));
    expect(String(weights([0, 0]))).toMatch(/epoch 3 of\s3, the last: nothing was kept to see when to stop\./);
    expect(String(weights([1, 1]))).toMatch(/when the validation loss was lowest\./);
  });
});
