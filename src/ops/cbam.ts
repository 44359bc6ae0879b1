/**
 * The four steps of convolutional block attention (Woo et al. 2018) that are neither linear nor convolutions:
 *
 *   pooled = global_pool(x)            means and maxima of all channels, for the MLP they share
 *   gated  = channel_gate(x, logits)   its outputs for both, added, gate the channels
 *   pixels = channel_pool(gated)       maximum and mean over channels, for the 7x7 convolution
 *   y      = spatial_gate(gated, g)    which gates the pixels
 *
 * Each is one dispatch forward and one back; of smaller ops it would be some 25.
 */
import type { Capabilities } from '../kernel/choose.js';
import { type Dispatch, type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Shape, sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import type { Array64 } from '../reference/array.js';
import { add, mul, sigmoid } from '../reference/elementwise.js';
import { max, mean } from '../reference/reduce.js';
import { concat, reshape, slice } from '../reference/shape.js';
import { defineOp, ranked, shapeError, type Want } from './define.js';
import { lanesFor } from './lanes.js';
import { team, teamWidth } from './team.js';

/** x [N, C, H, W] as the kernels see it: planes of pixels in items of one or four. */
function layoutOf(device: Capabilities, x: Shape) {
  const [images, channels, height, width] = x as [number, number, number, number];
  const lanes = lanesFor(height * width);
  const items = (height * width) / lanes.count;
  const planes = images * channels;
  const columns = images * items;
  const octets = Math.ceil(channels / 8);
  return {
    lanes,
    /** For sums over a plane, and over the channels of an item. */
    planeTeam: { sums: planes, width: teamWidth(device, planes, items, 64) },
    columnTeam: { sums: columns, width: teamWidth(device, columns, channels, 8) },
    planeParams: { planes, items },
    columnParams: { images, channels, items, octets },
    /** Items of x, and of x by eights of channels. */
    size: planes * items,
    octetSize: images * octets * items,
  };
}

type Layout = ReturnType<typeof layoutOf>;

/** Tensors by the names that kernels have for the types of their elements: images in items, and what has a value a plane. */
interface Named {
  readonly items: Readonly<Record<string, Tensor>>;
  readonly values?: Readonly<Record<string, Tensor>>;
}

const elementsOf = ({ lanes }: Layout, { items, values = {} }: Named) => ({
  ...elements(items, lanes.count),
  ...elements(values),
});

/** What dispatches of one team per sum have in common. */
function teamwork(layout: Layout, { sums, width }: Layout['planeTeam'], named: Named) {
  const { uses, constants } = team(width, layout.lanes.file);
  return {
    uses: [...uses, 'lib/gate'],
    constants: { ...elementsOf(layout, named), ...constants },
    grid: gridFor(sums, 64 / width),
  };
}

/** What dispatches of one invocation per item, or per eight channels of an item, have in common. */
const itemwise = (layout: Layout, items: number, named: Named) => ({
  uses: [layout.lanes.file, 'lib/gate'],
  constants: elementsOf(layout, named),
  grid: gridFor(items, 64),
});

const images = (op: string, x: Shape | undefined) => ranked(op, 'x', x, 4) as readonly [number, number, number, number];

export const globalPool = defineOp<object, readonly [Tensor]>({
  name: 'global_pool',
  summary: 'x [N, C, H, W] -> y [2 N, C], the mean over H, W in rows 0 to N - 1, the maximum in rows N to 2 N - 1',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x]) {
    const [n, c] = images('global_pool', x);
    return [2 * n, c];
  },
  forward(e, [x], _attrs, shape) {
    const y = e.empty(shape, x.dtype);
    const layout = layoutOf(e.capabilities, x.shape);
    const ties = e.empty([layout.planeParams.planes]);
    e.dispatch({
      ...teamwork(layout, layout.planeTeam, { items: { X: x }, values: { Y: y } }),
      file: 'global_pool',
      tensors: [x, y, ties],
      params: layout.planeParams,
    });
    return { y, ties };
  },
  saves: ['x', 'y', 'ties'],
  backward(e, { x, y, ties }, gy, _attrs, [want]) {
    if (!want) return [];
    const gx = want();
    const layout = layoutOf(e.capabilities, gx.shape);
    e.dispatch({
      ...itemwise(layout, layout.size, { items: { X: x!, GX: gx }, values: { Y: y!, GY: gy } }),
      file: 'global_pool_gradient',
      tensors: [x!, y!, ties!, gy, gx],
      params: layout.planeParams,
    });
    return [gx];
  },
  reference: ([x]) => concat([mean([x], { dims: [2, 3] }).y, max([x], { dims: [2, 3] }).y], { dim: 0 }),
  flops: ([x]) => 2 * sizeOf(x!),
  cases: xShapes().map((x) => ({ shapes: [x], attrs: {} })),
  bench: [{ shapes: [[16, 64, 32, 32]], attrs: {} }],
});

export const channelGate = defineOp<object, readonly [Tensor, Tensor]>({
  name: 'channel_gate',
  summary: 'x [N, C, H, W], logits [2 N, C] -> y = x sigmoid(logits[n, c] + logits[N + n, c])',
  inputs: ['x', 'logits'],
  half: { x: 'f16', logits: 'f16' },
  shape([x, logits]) {
    const [n, c] = images('channel_gate', x);
    if (!logits || !sameShape(logits, [2 * n, c])) {
      throw shapeError('channel_gate', 'logits', `must be [${2 * n}, ${c}] for x`, logits, x);
    }
    return x!;
  },
  forward(e, [x, logits], _attrs, shape) {
    const y = e.empty(shape, x.dtype);
    const layout = layoutOf(e.capabilities, x.shape);
    e.dispatch({
      ...itemwise(layout, layout.size, { items: { X: x, Y: y }, values: { LOGITS: logits } }),
      file: 'channel_gate',
      tensors: [x, logits, y],
      params: layout.planeParams,
    });
    return { y };
  },
  saves: ['x', 'logits'],
  backward(e, { x, logits }, gy, _attrs, want) {
    const layout = layoutOf(e.capabilities, x!.shape);
    return gateGradients(e, want, x!, logits!, (gx, glogits) => ({
      ...teamwork(layout, layout.planeTeam, {
        items: { X: x!, GY: gy, GX: gx },
        values: { LOGITS: logits!, GLOGITS: glogits },
      }),
      file: 'channel_gate_gradient',
      tensors: [x!, logits!, gy, gx, glogits],
      params: layout.planeParams,
    }));
  },
  reference([x, logits]) {
    const [n, c] = x!.shape as [number, number];
    const half = (start: number): Array64 => slice([logits], { dim: 0, start, length: n }).y;
    const gate = sigmoid([add([half(0), half(n)]).y]).y;
    return mul([x, reshape([gate], { shape: [n, c, 1, 1] }).y]);
  },
  flops: ([x]) => sizeOf(x!),
  cases: xShapes().map((x) => ({ shapes: [x, [2 * x[0]!, x[1]!]], attrs: {} })),
  bench: [
    {
      shapes: [
        [16, 64, 32, 32],
        [32, 64],
      ],
      attrs: {},
    },
  ],
});

export const channelPool = defineOp<object, readonly [Tensor]>({
  name: 'channel_pool',
  summary: 'x [N, C, H, W] -> y [N, 2, H, W], the maximum over C, then the mean',
  inputs: ['x'],
  half: { x: 'f16' },
  shape([x]) {
    const [n, , h, w] = images('channel_pool', x);
    return [n, 2, h, w];
  },
  forward(e, [x], _attrs, shape) {
    const y = e.empty(shape, x.dtype);
    const ties = e.empty([shape[0]!, shape[2]!, shape[3]!]);
    const layout = layoutOf(e.capabilities, x.shape);
    e.dispatch({
      ...teamwork(layout, layout.columnTeam, { items: { X: x, Y: y } }),
      file: 'channel_pool',
      tensors: [x, y, ties],
      params: layout.columnParams,
    });
    return { y, ties };
  },
  saves: ['x', 'y', 'ties'],
  backward(e, { x, y, ties }, gy, _attrs, [want]) {
    if (!want) return [];
    const gx = want();
    const layout = layoutOf(e.capabilities, gx.shape);
    e.dispatch({
      ...itemwise(layout, layout.octetSize, { items: { X: x!, Y: y!, GY: gy, GX: gx } }),
      file: 'channel_pool_gradient',
      tensors: [x!, y!, ties!, gy, gx],
      params: layout.columnParams,
    });
    return [gx];
  },
  reference([x]) {
    const overChannels = { dims: [1], keepDims: true };
    return concat([max([x], overChannels).y, mean([x], overChannels).y], { dim: 1 });
  },
  flops: ([x]) => 2 * sizeOf(x!),
  cases: xShapes().map((x) => ({ shapes: [x], attrs: {} })),
  bench: [{ shapes: [[16, 64, 32, 32]], attrs: {} }],
});

export const spatialGate = defineOp<object, readonly [Tensor, Tensor]>({
  name: 'spatial_gate',
  summary: 'x [N, C, H, W], logits [N, 1, H, W] -> y = x sigmoid(logits)',
  inputs: ['x', 'logits'],
  half: { x: 'f16', logits: 'f16' },
  shape([x, logits]) {
    const [n, , h, w] = images('spatial_gate', x);
    if (!logits || !sameShape(logits, [n, 1, h, w])) {
      throw shapeError('spatial_gate', 'logits', `must be [${n}, 1, ${h}, ${w}] for x`, logits, x);
    }
    return x!;
  },
  forward(e, [x, logits], _attrs, shape) {
    const y = e.empty(shape, x.dtype);
    const layout = layoutOf(e.capabilities, x.shape);
    e.dispatch({
      ...itemwise(layout, layout.octetSize, { items: { X: x, LOGITS: logits, Y: y } }),
      file: 'spatial_gate',
      tensors: [x, logits, y],
      params: layout.columnParams,
    });
    return { y };
  },
  saves: ['x', 'logits'],
  backward(e, { x, logits }, gy, _attrs, want) {
    const layout = layoutOf(e.capabilities, x!.shape);
    return gateGradients(e, want, x!, logits!, (gx, glogits) => ({
      ...teamwork(layout, layout.columnTeam, {
        items: { X: x!, LOGITS: logits!, GY: gy, GX: gx, GLOGITS: glogits },
      }),
      file: 'spatial_gate_gradient',
      tensors: [x!, logits!, gy, gx, glogits],
      params: layout.columnParams,
    }));
  },
  reference: ([x, logits]) => mul([x, sigmoid([logits]).y]),
  flops: ([x]) => sizeOf(x!),
  cases: xShapes().map((x) => ({ shapes: [x, [x[0]!, 1, x[2]!, x[3]!]], attrs: {} })),
  bench: [
    {
      shapes: [
        [16, 64, 32, 32],
        [16, 1, 32, 32],
      ],
      attrs: {},
    },
  ],
});

/** One dispatch that gives both gradients of a gate; one that nobody wants goes where it is freed at once. */
function gateGradients(
  e: Engine,
  [wantX, wantLogits]: readonly Want[],
  x: Tensor,
  logits: Tensor,
  run: (gx: Tensor, glogits: Tensor) => Dispatch,
): readonly (Tensor | undefined)[] {
  const gx = wantX?.() ?? e.empty(x.shape, x.dtype);
  const glogits = wantLogits?.() ?? e.empty(logits.shape, logits.dtype);
  e.dispatch(run(gx, glogits));
  return [wantX && gx, wantLogits && glogits];
}

/** Planes in ones and in fours, one value, many channels, long planes. */
function xShapes(): Shape[] {
  return [
    [3, 5, 4, 6],
    [2, 7, 5, 3],
    [1, 1, 1, 1],
    [2, 33, 2, 2],
    [2, 3, 23, 24],
    [1, 19, 17, 17],
  ];
}
