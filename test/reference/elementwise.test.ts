import { describe, expect, it } from 'vitest';
import { type Array64, type Inputs, make } from '../../src/reference/array.js';
import {
  activationFunction,
  add,
  broadcastShape,
  div,
  dropout,
  leakyRelu,
  mul,
  relu,
  relu6,
  scaledHardSigmoid,
  sigmoid,
  softplus,
  sub,
  tanh,
} from '../../src/reference/elementwise.js';

describe('functions of one argument', () => {
  const cases: [string, (inputs: Inputs) => { y: Array64 }, [x: number, y: number][]][] = [
    [
      'relu',
      relu,
      [
        [-2, 0],
        [0, 0],
        [3, 3],
      ],
    ],
    [
      'relu6',
      relu6,
      [
        [-1, 0],
        [4, 4],
        [7, 6],
      ],
    ],
    [
      'sigmoid',
      sigmoid,
      [
        [0, 0.5],
        [Math.log(3), 0.75],
        [-800, 0],
        [800, 1],
      ],
    ],
    [
      'tanh',
      tanh,
      [
        [0, 0],
        [Math.log(2), 0.6],
      ],
    ],
    [
      'softplus',
      softplus,
      [
        [0, Math.log(2)],
        [-1000, 0],
        [1000, 1000],
        [Math.log(3), Math.log(4)],
      ],
    ],
    [
      'scaledHardSigmoid',
      scaledHardSigmoid,
      [
        [-4, 0],
        [-3, 0],
        [0, 1],
        [1.5, 1.5],
        [3, 2],
        [9, 2],
      ],
    ],
    [
      'leakyRelu',
      (inputs) => leakyRelu(inputs, { slope: 0.2 }),
      [
        [-5, -1],
        [0, 0],
        [5, 5],
      ],
    ],
    ['leakyRelu, slope left out', (inputs) => leakyRelu(inputs), [[-5, -0.05]]],
  ];
  it.each(cases)('%s', (_, op, points) => {
    const { y } = op([
      make(
        [points.length, 1],
        points.map(([x]) => x),
      ),
    ]);
    expect(y.shape).toEqual([points.length, 1]);
    points.forEach(([, expected], i) => {
      expect(y.data[i]).toBeCloseTo(expected, 14);
    });
  });

  it.each(['relu', 'relu6', 'leaky_relu', 'sigmoid', 'tanh', 'softplus', 'scaled_hard_sigmoid'] as const)(
    '%s does not hide a NaN',
    (activation) => {
      expect(activationFunction({ activation })(Number.NaN)).toBeNaN();
    },
  );
});

describe('functions of two arguments', () => {
  it('broadcast as numpy does', () => {
    expect(broadcastShape([4, 1, 6], [2, 1, 5, 1])).toEqual([2, 4, 5, 6]);
    expect(broadcastShape([], [3])).toEqual([3]);
    expect(() => broadcastShape([2, 3], [2, 4])).toThrow('[2,3] and [2,4] do not broadcast');
  });

  it('subtract a column from rows', () => {
    const { y } = sub([make([2, 3], [1, 2, 3, 4, 5, 6]), make([2, 1], [1, 10])]);
    expect(y).toEqual(make([2, 3], [0, 1, 2, -6, -5, -4]));
  });

  it('divide a scalar by a vector', () => {
    expect(div([make([], [12]), make([3], [1, 2, 3])]).y).toEqual(make([3], [12, 6, 4]));
  });

  it('combine a row and a column', () => {
    const [column, row] = [make([2, 1], [1, 2]), make([3], [10, 20, 30])];
    expect(add([column, row]).y).toEqual(make([2, 3], [11, 21, 31, 12, 22, 32]));
    expect(mul([column, row]).y).toEqual(make([2, 3], [10, 20, 30, 20, 40, 60]));
  });
});

it('dropout scales what it keeps', () => {
  const { y } = dropout([make([4], [1, 2, 3, 4]), make([4], [1, 0, 0, 1])], { p: 0.75 });
  expect(y).toEqual(make([4], [4, 0, 0, 16]));
});
