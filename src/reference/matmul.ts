import { type Array64, checkSame, type Inputs, make, required, sizeOf } from './array.js';
import { type ActivationAttrs, activate } from './elementwise.js';

export interface MatmulAttrs {
  /** a is given as [..., k, m]. */
  transposeA?: boolean;
  /** b is given as [..., n, k]. */
  transposeB?: boolean;
}

/** [a [..., m, k], b [..., k, n]] -> y [..., m, n]: y[i, j] = sum over l of a[i, l] b[l, j] in every batch. */
export function matmul(inputs: Inputs, { transposeA = false, transposeB = false }: MatmulAttrs = {}): { y: Array64 } {
  const [a, b] = required(inputs, 'a', 'b');
  const batch = a.shape.slice(0, -2);
  checkSame('batch dimensions of a and b', batch, b.shape.slice(0, -2));
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [kOfB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  checkSame('inner extents of a and b', [k], [kOfB]);
  const y = make([...batch, m, n]);

  for (let item = 0; item < sizeOf(batch); item++) {
    const startA = item * m * k;
    const startB = item * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) {
          sum +=
            a.data[startA + (transposeA ? l * m + i : i * k + l)] *
            b.data[startB + (transposeB ? j * k + l : l * n + j)];
        }
        y.data[(item * m + i) * n + j] = sum;
      }
    }
  }
  return { y };
}

/**
 * [x [..., in], weight [out, in], bias? [out]] -> y [..., out]:
 * y[r, o] = bias[o] + sum over i of x[r, i] weight[o, i], then the activation.
 */
export function linear(inputs: Inputs, attrs: ActivationAttrs = {}): { y: Array64 } {
  const [x, weight] = required(inputs, 'x', 'weight');
  const bias = inputs[2];
  const [outFeatures, inFeatures] = weight.shape;
  checkSame('features of x and of weight', x.shape.slice(-1), [inFeatures]);
  const y = make([...x.shape.slice(0, -1), outFeatures]);

  const rows = sizeOf(x.shape.slice(0, -1));
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outFeatures; o++) {
      let sum = bias ? bias.data[o] : 0;
      for (let i = 0; i < inFeatures; i++) sum += x.data[r * inFeatures + i] * weight.data[o * inFeatures + i];
      y.data[r * outFeatures + o] = sum;
    }
  }
  return { y: activate(y, attrs) };
}
