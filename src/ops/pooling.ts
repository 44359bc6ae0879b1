/** max_pool2d, avg_pool2d and adaptive_avg_pool2d over the same windows (kernels/lib/windows.wgsl). */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sizeOf, type Tensor, vectors } from '../memory/tensor.js';
import * as oracle from '../reference/pooling.js';
import { type Case, checkPair, defineOp, type InputShapes, ranked, shapeError } from './define.js';
import { team, teamWidth } from './team.js';

type Pair = readonly [number, number];

/** Pairs are [height, width]. */
export interface Pool2dAttrs {
  readonly kernel: Pair;
  /** Default: the kernel's size. */
  readonly stride?: Pair;
  /** Default [0, 0]; at most half of the kernel's size. */
  readonly padding?: Pair;
}

export interface AdaptiveAvgPool2dAttrs {
  /** Height and width of y. */
  readonly outputSize: Pair;
}

const axes = [0, 1] as const;

function pool2dShape(op: string, [x]: InputShapes, { kernel, stride = kernel, padding = [0, 0] }: Pool2dAttrs): Shape {
  const [n, c, h, w] = ranked(op, 'x', x, 4) as [number, number, number, number];
  checkPair(op, 'kernel', kernel, 1, x!);
  checkPair(op, 'stride', stride, 1, x!);
  checkPair(op, 'padding', padding, 0, x!);
  if (axes.some((axis) => 2 * padding[axis] > kernel[axis])) {
    throw shapeError(op, `padding [${padding}]`, `must be at most half of the kernel [${kernel}]`, x);
  }
  const [outH, outW] = axes.map(
    (axis) => Math.floor(([h, w][axis]! + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1,
  ) as [number, number];
  if (outH < 1 || outW < 1) throw shapeError(op, `kernel [${kernel}]`, 'must fit into the padded x', x);
  return [n, c, outH, outW];
}

/** The kernels' uniforms. Adaptive windows have no kernel. */
function windowParams(size: number, x: Shape, y: Shape, attrs?: Pool2dAttrs): Record<string, number> {
  const { kernel, stride = kernel, padding = [0, 0] } = attrs ?? { kernel: [1, 1] };
  return {
    size,
    height: x[2]!,
    width: x[3]!,
    out_height: y[2]!,
    out_width: y[3]!,
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_height: stride[0],
    stride_width: stride[1],
    padding_height: padding[0],
    padding_width: padding[1],
  };
}

export const maxPool2d = defineOp<Pool2dAttrs, readonly [Tensor]>({
  name: 'max_pool2d',
  summary: 'x [N, C, H, W] -> y [N, C, OH, OW], the greatest of each window; ties: the first has the gradient',
  inputs: ['x'],
  half: { x: 'f16' },
  shape: (inputs, attrs) => pool2dShape('max_pool2d', inputs, attrs),
  forward(e, [x], attrs, shape) {
    const y = e.empty(shape, x.dtype);
    const argmax = e.empty(shape, 'u32');
    const size = sizeOf(shape);
    e.dispatch({
      file: 'max_pool2d',
      uses: ['lib/windows'],
      constants: { ...elements({ X: x, Y: y }), ADAPTIVE: false },
      tensors: [x, y, argmax],
      params: windowParams(size, x.shape, shape, attrs),
      grid: gridFor(size, 64),
    });
    return { y, argmax };
  },
  saves: ['argmax'],
  backward(e, { argmax }, gy, attrs, [want]) {
    if (!want) return [];
    const gx = want();
    const size = sizeOf(gx.shape);
    e.dispatch({
      file: 'max_pool2d_gradient',
      uses: ['lib/windows'],
      constants: { ...elements({ GY: gy, GX: gx }), ADAPTIVE: false },
      tensors: [argmax!, gy, gx],
      params: windowParams(size, gx.shape, gy.shape, attrs),
      grid: gridFor(size, 64),
    });
    return [gx];
  },
  reference: oracle.maxPool2d,
  flops: (_inputs, { kernel }, shape) => sizeOf(shape) * sizeOf(kernel),
  cases: poolCases(),
  bench: [
    { shapes: [[16, 64, 32, 32]], attrs: { kernel: [2, 2] } },
    { shapes: [[16, 64, 32, 32]], attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1] } },
  ],
});

/** Means of windows of `attrs`, or of adaptive ones, into `y`. */
function means(e: Engine, x: Tensor, y: Tensor, attrs?: Pool2dAttrs): Tensor {
  const terms = attrs ? sizeOf(attrs.kernel) : sizeOf(x.shape) / sizeOf(y.shape);
  const size = sizeOf(y.shape);
  const width = teamWidth(e.capabilities, size, terms, 64);
  const { uses, constants } = team(width);
  e.dispatch({
    file: 'avg_pool2d',
    uses: ['lib/windows', ...uses],
    constants: { ...elements({ X: x, Y: y }), ADAPTIVE: !attrs, ...constants },
    tensors: [x, y],
    params: windowParams(size, x.shape, y.shape, attrs),
    grid: gridFor(size, 64 / width),
  });
  return y;
}

function meansGradient(e: Engine, gy: Tensor, gx: Tensor, attrs?: Pool2dAttrs): Tensor {
  const tile = tileOf(gx.shape, gy.shape, attrs);
  if (tile && tile[1] % 4 === 0) {
    const count = vectors(gx);
    e.dispatch({
      file: 'avg_pool2d_tiles_gradient',
      constants: { ...elements({ GY: gy }), ...elements({ GX: gx }, 4) },
      tensors: [gy, gx],
      params: {
        vectors: count,
        row_vectors: gx.shape[3]! / 4,
        window_vectors: tile[1] / 4,
        window_height: tile[0],
        out_width: gy.shape[3]!,
        scale: 1 / (tile[0] * tile[1]),
      },
      grid: gridFor(count, 64),
    });
    return gx;
  }
  const size = sizeOf(gx.shape);
  e.dispatch({
    file: 'avg_pool2d_gradient',
    uses: ['lib/windows'],
    constants: { ...elements({ GY: gy, GX: gx }), ADAPTIVE: !attrs },
    tensors: [gy, gx],
    params: windowParams(size, gx.shape, gy.shape, attrs),
    grid: gridFor(size, 64),
  });
  return gx;
}

/** The windows' size, where they tile x: none overlap, and nothing is left out. */
function tileOf(x: Shape, y: Shape, attrs?: Pool2dAttrs): Pair | undefined {
  const [height, width] = axes.map((axis) => x[2 + axis]! / y[2 + axis]!) as [number, number];
  const { kernel, stride = kernel, padding = [0, 0] } = attrs ?? { kernel: [height, width] };
  const tiles = axes.every(
    (axis) => kernel[axis] === [height, width][axis] && stride[axis] === kernel[axis] && padding[axis] === 0,
  );
  return tiles && Number.isInteger(height) && Number.isInteger(width) ? [height, width] : undefined;
}

export const avgPool2d = defineOp<Pool2dAttrs, readonly [Tensor]>({
  name: 'avg_pool2d',
  summary: 'x [N, C, H, W] -> y [N, C, OH, OW], the mean of each window; padding counts as zeros',
  inputs: ['x'],
  half: { x: 'f16' },
  shape: (inputs, attrs) => pool2dShape('avg_pool2d', inputs, attrs),
  forward: (e, [x], attrs, shape) => ({ y: means(e, x, e.empty(shape, x.dtype), attrs) }),
  backward: (e, _saved, gy, attrs, [want]) => [want && meansGradient(e, gy, want(), attrs)],
  reference: oracle.avgPool2d,
  flops: (_inputs, { kernel }, shape) => sizeOf(shape) * sizeOf(kernel),
  cases: [...poolCases(), { shapes: [[2, 1, 17, 19]], attrs: { kernel: [17, 16], stride: [1, 2], padding: [8, 0] } }],
  bench: [{ shapes: [[16, 64, 32, 32]], attrs: { kernel: [2, 2] } }],
});

export const adaptiveAvgPool2d = defineOp<AdaptiveAvgPool2dAttrs, readonly [Tensor]>({
  name: 'adaptive_avg_pool2d',
  summary: 'x [N, C, H, W] -> y [N, C, OH, OW], means of windows that divide x as evenly as can be',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x], { outputSize }) {
    const [n, c] = ranked('adaptive_avg_pool2d', 'x', x, 4);
    checkPair('adaptive_avg_pool2d', 'outputSize', outputSize, 1, x!);
    return [n!, c!, ...outputSize];
  },
  forward: (e, [x], _attrs, shape) => ({ y: means(e, x, e.empty(shape, x.dtype)) }),
  backward: (e, _saved, gy, _attrs, [want]) => [want && meansGradient(e, gy, want())],
  reference: oracle.adaptiveAvgPool2d,
  flops: ([x]) => sizeOf(x!),
  cases: [
    { shapes: [[2, 3, 9, 8]], attrs: { outputSize: [1, 1] } },
    { shapes: [[2, 3, 9, 8]], attrs: { outputSize: [2, 2] } },
    { shapes: [[2, 3, 9, 8]], attrs: { outputSize: [7, 5] } },
    { shapes: [[1, 2, 3, 4]], attrs: { outputSize: [7, 4] } },
    { shapes: [[1, 1, 1, 1]], attrs: { outputSize: [2, 3] } },
    { shapes: [[2, 3, 37, 35]], attrs: { outputSize: [2, 2] } },
    { shapes: [[2, 3, 6, 16]], attrs: { outputSize: [2, 2] } },
    { shapes: [[2, 3, 8, 4]], attrs: { outputSize: [1, 1] } },
  ],
  bench: [
    { shapes: [[16, 64, 32, 32]], attrs: { outputSize: [2, 2] } },
    { shapes: [[32, 512, 8, 8]], attrs: { outputSize: [1, 1] } },
  ],
});

function poolCases(): Case<Pool2dAttrs>[] {
  return [
    { shapes: [[2, 3, 9, 8]], attrs: { kernel: [2, 2] } },
    { shapes: [[2, 3, 9, 8]], attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1] } },
    { shapes: [[1, 2, 7, 5]], attrs: { kernel: [3, 4], stride: [1, 1], padding: [1, 2] } },
    { shapes: [[1, 5, 11, 3]], attrs: { kernel: [2, 1], stride: [3, 2] } },
    { shapes: [[1, 1, 1, 1]], attrs: { kernel: [1, 1] } },
  ];
}
