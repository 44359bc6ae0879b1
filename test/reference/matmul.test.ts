import { describe, expect, it } from 'vitest';
import { make } from '../../src/reference/array.js';
import { linear, matmul } from '../../src/reference/matmul.js';
import { normal } from '../../src/reference/random.js';
import { permute } from '../../src/reference/shape.js';

describe('matmul', () => {
  const a = make([2, 3], [1, 2, 3, 4, 5, 6]);
  const b = make([3, 2], [7, 8, 9, 10, 11, 12]);

  it('multiplies rows by columns', () => {
    expect(matmul([a, b]).y).toEqual(make([2, 2], [58, 64, 139, 154]));
  });

  it('reads transposed operands', () => {
    const swap = { dims: [1, 0] };
    const [at, bt] = [permute([a], swap).y, permute([b], swap).y];
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const { y } = matmul([transposeA ? at : a, transposeB ? bt : b], { transposeA, transposeB });
        expect(y).toEqual(make([2, 2], [58, 64, 139, 154]));
      }
    }
  });

  it('goes through batches, each with its own operands', () => {
    const batch = make([2, 2, 1], [1, 2, 3, 4]);
    expect(matmul([batch, make([2, 1, 2], [1, 10, 1, 100])]).y).toEqual(
      make([2, 2, 2], [1, 10, 2, 20, 3, 300, 4, 400]),
    );
  });

  it('refuses extents that do not match', () => {
    expect(() => matmul([a, a])).toThrow('inner extents of a and b');
    expect(() => matmul([make([2, 1, 1]), make([3, 1, 1])])).toThrow('batch dimensions');
    expect(() => matmul([make([2, 1, 1]), make([1, 1])])).toThrow('batch dimensions');
  });
});

describe('linear', () => {
  it('is x W^T + b', () => {
    const x = make([2, 3], normal(1, 0, 6));
    const weight = make([4, 3], normal(1, 1, 12));
    const product = matmul([x, weight], { transposeB: true }).y;
    expect(linear([x, weight]).y).toEqual(product);
    const bias = make([4], [1, 2, 3, 4]);
    linear([x, weight, bias]).y.data.forEach((value, i) => {
      expect(value).toBeCloseTo(product.data[i] + bias.data[i % 4], 12);
    });
  });

  it('keeps leading dimensions and ends with the activation', () => {
    const { y } = linear([make([2, 1, 2], [1, 2, -3, 1]), make([1, 2], [1, 1])], { activation: 'relu' });
    expect(y).toEqual(make([2, 1, 1], [3, 0]));
    expect(() => linear([make([2, 3]), make([1, 2])])).toThrow('features of x and of weight');
  });
});
