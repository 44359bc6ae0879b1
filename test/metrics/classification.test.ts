/** A classifier's scores, against numbers by hand, by scikit-learn's definitions. */
import { describe, expect, it } from 'vitest';
import { classification, pooled, softmaxRows } from '../../src/metrics/classification.js';

/** Probabilities that name each row's class, with 0.9 of confidence. */
const naming = (named: readonly number[], classes: number): Float64Array =>
  Float64Array.from(
    named.flatMap((label) => Array.from({ length: classes }, (_, k) => (k === label ? 0.9 : 0.1 / (classes - 1)))),
  );

describe('classification', () => {
  const labels = Int32Array.of(0, 0, 0, 1, 1, 2, 2, 2, 2, 0);
  const named = [0, 1, 0, 1, 1, 2, 0, 2, 3, 0];
  const result = classification(naming(named, 4), labels, 4);

  it('has precision, recall and F1 of each class', () => {
    const expected = [
      [4, 0.75, 0.75, 0.75],
      [2, 2 / 3, 1, 0.8],
      [4, 1, 0.5, 2 / 3],
      [0, 0, 0, 0],
    ];
    result.perClass.forEach(({ count, precision, recall, f1 }, k) => {
      expect(count).toBe(expected[k]![0]);
      [precision, recall, f1].forEach((value, i) => {
        expect(value).toBeCloseTo(expected[k]![i + 1]!, 12);
      });
    });
    expect(result.accuracy).toBeCloseTo(0.7, 12);
  });

  it('means over the classes that have images', () => {
    expect(result.macro.recall).toBeCloseTo(0.75, 12);
    expect(result.macro.precision).toBeCloseTo((0.75 + 2 / 3 + 1) / 3, 12);
    expect(result.macro.f1).toBeCloseTo((0.75 + 0.8 + 2 / 3) / 3, 12);
  });

  it('knows how far confidence and accuracy are apart', () => {
    expect(result.calibrationError).toBeCloseTo(0.2, 12);
    expect(result.bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
    const sure = classification(Float64Array.of(1, 0, 0.5, 0.5), Int32Array.of(0, 1), 2);
    expect(sure.calibrationError).toBeCloseTo(0.25, 12);
    expect(sure.bins[9]).toMatchObject({ count: 1, confidence: 1, accuracy: 1 });
  });

  it('counts the right class among the first three', () => {
    const rows = [
      [0.4, 0.3, 0.2, 0.1],
      [0.4, 0.3, 0.2, 0.1],
      [0.25, 0.25, 0.25, 0.25],
    ];
    expect(classification(Float64Array.from(rows.flat()), Int32Array.of(2, 3, 3), 4).top3).toBeCloseTo(1 / 3, 12);
  });
});

it('pools the windows of a recording', () => {
  const probabilities = Float64Array.of(1, 0, 0, 1, 0.25, 0.75);
  expect([...pooled(probabilities, 2, [[0, 2], [1]])]).toEqual([0.625, 0.375, 0, 1]);
});

it('makes probabilities of logits of any size', () => {
  expect([...softmaxRows([1000, 1000, -1000, 0], 2)]).toEqual([0.5, 0.5, 0, 1]);
  expect([...softmaxRows([Number.NaN, 1, Number.POSITIVE_INFINITY, 0, 0, 1000], 2)]).toEqual([
    0.5, 0.5, 0.5, 0.5, 0, 1,
  ]);
});
