import { describe, expect, it } from 'vitest';
import { make, sizeOf } from '../../src/reference/array.js';
import { conv2d, convOutputSize, convTranspose2d } from '../../src/reference/convolution.js';
import { normal } from '../../src/reference/random.js';

const random = (shape: number[], stream: number) => make(shape, normal(1, stream, sizeOf(shape)));

describe('conv2d', () => {
  const x = make([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  it('correlates without turning the kernel', () => {
    const weight = make([1, 1, 2, 2], [1, 10, 100, 1000]);
    expect(conv2d([x, weight]).y).toEqual(make([1, 1, 2, 2], [5421, 6532, 8754, 9865]));
  });

  it('reads zeros outside and moves by the stride', () => {
    const ones = make([1, 1, 3, 3], Array<number>(9).fill(1));
    const { y } = conv2d([x, ones, make([1], [0.5])], { stride: [2, 1], padding: [1, 0] });
    expect(y).toEqual(make([1, 1, 2, 1], [21.5, 39.5]));
  });

  it('spreads a dilated kernel', () => {
    const { y } = conv2d([x, make([1, 1, 2, 2], [1, 10, 100, 1000])], { dilation: [2, 2] });
    expect(y).toEqual(make([1, 1, 1, 1], [1 + 30 + 700 + 9000]));
  });

  it('keeps groups apart', () => {
    const channels = make([1, 4, 1, 1], [1, 10, 100, 1000]);
    const { y } = conv2d([channels, make([2, 2, 1, 1], [1, 2, 3, 4])], { groups: 2 });
    expect(y).toEqual(make([1, 2, 1, 1], [21, 4300]));
  });

  it('ends with the activation', () => {
    const { y } = conv2d([x, make([2, 1, 3, 3], [...Array<number>(9).fill(1), ...Array<number>(9).fill(-1)])], {
      activation: 'leaky_relu',
      slope: 0.2,
    });
    expect(y).toEqual(make([1, 2, 1, 1], [45, -9]));
  });

  it('refuses channels that do not match and kernels that do not fit', () => {
    expect(() => conv2d([x, make([1, 2, 1, 1])])).toThrow('channels');
    expect(() => conv2d([x, make([1, 1, 4, 4])])).toThrow('a kernel of 4 does not fit in 3');
    expect(convOutputSize(3, 4, 1, 1)).toBe(2);
  });
});

describe('convTranspose2d', () => {
  it('adds a scaled kernel for every element', () => {
    const x = make([1, 1, 1, 2], [1, 10]);
    const weight = make([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]);
    const { y } = convTranspose2d([x, weight, make([1], [0.5])], { stride: [1, 2], outputPadding: [1, 0] });
    expect(y).toEqual(
      make([1, 1, 3, 5], [1.5, 2.5, 13.5, 20.5, 30.5, 4.5, 5.5, 46.5, 50.5, 60.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
    );
  });

  it('drops what padding cuts off, and ends with the activation', () => {
    const weight = make([1, 1, 3, 3], [1, 2, 3, 4, -5, 6, 7, 8, 9]);
    const { y } = convTranspose2d([make([1, 1, 1, 1], [2]), weight], { padding: [1, 1], activation: 'relu' });
    expect(y).toEqual(make([1, 1, 1, 1], [0]));
  });

  it.each([
    { stride: [2, 3], padding: [1, 2], dilation: [1, 1], groups: 1, outputPadding: [0, 0] },
    { stride: [1, 2], padding: [0, 1], dilation: [2, 1], groups: 2, outputPadding: [0, 1] },
    { stride: [2, 2], padding: [2, 0], dilation: [2, 3], groups: 2, outputPadding: [1, 0] },
  ])('is the adjoint of conv2d: %j', (attrs) => {
    // <conv(x), g> = <x, convTranspose(g)>, for x of the shape that the transposed convolution gives.
    const weight = random([6, 4 / attrs.groups, 3, 2], 0);
    const g = random([2, 6, 4, 5], 1);
    const back = convTranspose2d([g, weight], attrs).y;
    const x = random(back.shape, 2);
    const forward = conv2d([x, weight], attrs).y;
    expect(forward.shape).toEqual(g.shape);
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    expect(dot(forward.data, g.data)).toBeCloseTo(dot(x.data, back.data), 10);
  });
});
