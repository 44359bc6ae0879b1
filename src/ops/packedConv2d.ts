/**
 * The passes of conv2d on operands that are first packed into the scratch texture (kernels/lib/packed.wgsl): what is packed
 * how, and what the kernels need to know of it. Without groups, for adapters that fetch texels faster than they load.
 */
import type { Engine } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { MOST_TEXELS, SCRATCH_WIDTH_LOG2 } from '../memory/scratch.js';
import { reshaped, type Tensor } from '../memory/tensor.js';
import { type Geometry, geometry, type Pair, phasesOf } from './convolution.js';
import type { PackedForm } from './gemm.js';
import { lanesFor } from './lanes.js';

/** An image with margins, in texels of four channels: [N, groups, height, width] from texel `at`. */
interface PackedImage {
  readonly at: number;
  readonly groups: number;
  readonly height: number;
  readonly width: number;
  /** Margins above and to the left. */
  readonly top: number;
  readonly left: number;
  readonly texels: number;
}

/** A weight from texel `at`: for each outer channel (their number made a multiple of four) and tap, `groups` texels of four rows. */
interface PackedWeight {
  readonly at: number;
  readonly groups: number;
  readonly lines: number;
  readonly texels: number;
  readonly taps: number;
  readonly rows: Channels;
  readonly outer: Channels;
}

/** Channels along one side of a weight, and how far apart they lie. */
interface Channels {
  readonly count: number;
  readonly stride: number;
}

const fours = (extent: number): number => Math.ceil(extent / 4);

function packedImage(g: Geometry, channels: number, [height, width]: Pair, [top, left]: Pair, at = 0): PackedImage {
  const groups = fours(channels);
  return { at, groups, height, width, top, left, texels: g.images * groups * height * width };
}

/** x as the taps of a forward pass see it, its padding made real, where `columns` outputs of each row are asked for. */
function packedInput(g: Geometry, columns: number, at = 0): PackedImage {
  const reach = (i: 0 | 1, outputs: number): number =>
    (outputs - 1) * g.stride[i] + (g.kernel[i] - 1) * g.dilation[i] + 1;
  return packedImage(g, g.channels, [reach(0, g.outHeight), reach(1, columns)], g.padding, at);
}

/** gy with every place that a tap of an input pixel may ask for; outside of gy are zeros. */
function packedOutput(g: Geometry): PackedImage {
  const first = (i: 0 | 1): number => Math.floor((g.padding[i] - (g.kernel[i] - 1) * g.dilation[i]) / g.stride[i]);
  const last = (i: 0 | 1, inputs: number): number =>
    Math.floor((Math.ceil(inputs / g.stride[i]) * g.stride[i] - 1 + g.padding[i]) / g.stride[i]);
  const before: Pair = [Math.max(0, -first(0)), Math.max(0, -first(1))];
  const extent: Pair = [before[0] + last(0, g.height) + 1, before[1] + last(1, g.width) + 1];
  return packedImage(g, g.outChannels, extent, before);
}

function packedWeight({ kernel }: Geometry, rows: Channels, outer: Channels, at: number): PackedWeight {
  const taps = kernel[0] * kernel[1];
  const lines = 4 * fours(outer.count) * taps;
  const groups = fours(rows.count);
  return { at, groups, lines, texels: lines * groups, taps, rows, outer };
}

/**
 * An operand that the two gradients of a convolution both read. The first one packs it at the beginning of the scratch texture,
 * and the second one finds it there, if nothing else has been packed in between.
 */
export interface Shared {
  /** What it is to the weight gradient. */
  readonly operand: 'x' | 'gy';
  /** Set while it lies there. */
  packed?: Tensor | undefined;
}

interface Packing<T> {
  readonly tensor: Tensor;
  readonly to: T;
}

/** Packs an image [N, C, H, W], a weight, or both. */
function pack(e: Engine, image: Packing<PackedImage> | undefined, weight?: Packing<PackedWeight>): void {
  const [images = 0, channels = 0, height = 0, width = 0] = image?.tensor.shape ?? [];
  const place = image?.to;
  const imageRows = images * (place?.groups ?? 0) * (place?.height ?? 0);
  const kernels = weight?.to;
  const lanes = lanesFor(width);
  const [first, second] = [image?.tensor ?? weight!.tensor, weight?.tensor ?? image!.tensor];
  const workgroups = Math.ceil((imageRows + (kernels?.lines ?? 0)) / 8);
  const across = Math.min(workgroups, 65535);
  e.dispatch({
    file: 'pack_conv2d',
    uses: [lanes.file],
    constants: {
      ...elements({ IMAGE: first }, lanes.count),
      ...elements({ WEIGHT: second }),
      SCRATCH_WIDTH: 2 ** SCRATCH_WIDTH_LOG2,
    },
    tensors: [first, second],
    params: {
      image_rows: imageRows,
      channels,
      channel_groups: place?.groups ?? 1,
      height,
      width,
      padded_height: place?.height ?? 1,
      padded_width: place?.width ?? 0,
      top: place?.top ?? 0,
      left: place?.left ?? 0,
      image_at: place?.at ?? 0,
      lines: kernels?.lines ?? 0,
      outer: kernels?.outer.count ?? 0,
      outer_stride: kernels?.outer.stride ?? 0,
      rows: kernels?.rows.count ?? 0,
      row_stride: kernels?.rows.stride ?? 0,
      row_groups: kernels?.groups ?? 0,
      taps: kernels?.taps ?? 1,
      weight_at: kernels?.at ?? 0,
    },
    grid: [across, Math.ceil(workgroups / across)],
  });
}

/** y from x and weight. Undefined for groups. */
export function packedForward(g: Geometry, shared?: Shared): PackedForm | undefined {
  if (g.groups > 1) return undefined;
  const taps = g.kernel[0] * g.kernel[1];
  const rows = { count: g.outChannels, stride: g.channels * taps };
  const outer = { count: g.channels, stride: taps };
  const plane = [g.outHeight, g.outWidth] as const;
  return {
    ...imageByWeight(g, packedInput(g, g.outWidth), rows, outer, plane, plane, shared),
    constants: { INPUT_GRADIENT: false },
    columns: g.images * g.outHeight * g.outWidth,
    steps: fours(g.channels) * taps,
  };
}

/** gx from gy and weight; as well the transposed convolution of gy. Undefined for groups. */
export function packedInputGradient(g: Geometry, shared?: Shared): PackedForm | undefined {
  if (g.groups > 1) return undefined;
  const taps = g.kernel[0] * g.kernel[1];
  const rows = { count: g.channels, stride: taps };
  const outer = { count: g.outChannels, stride: g.channels * taps };
  const { height, width, step } = phasesOf(g);
  return {
    ...imageByWeight(g, packedOutput(g), rows, outer, [g.height, g.width], [height, width], shared),
    constants: { INPUT_GRADIENT: true },
    columns: g.images * height * width,
    steps: fours(g.outChannels) * Math.ceil(g.kernel[0] / step[0]) * Math.ceil(g.kernel[1] / step[1]),
  };
}

/**
 * c [M, N] from a [M, K] and b [K, N], which is a convolution of 1 x 1: b is the image, with K channels of N pixels, and a the
 * weight. Transposed, a is [K, M] and b [N, K]; such a b is packed as weights are, its channels side by side.
 */
export function packedProduct(
  [m, k, n]: readonly [number, number, number],
  transposeA: boolean,
  transposeB: boolean,
): PackedForm {
  const g = geometry([1, k, 1, n], [m, k, 1, 1], [1, m, 1, n], {});
  const rows = { count: m, stride: transposeA ? 1 : k };
  const outer = { count: k, stride: transposeA ? m : 1 };
  const form = imageByWeight(g, packedInput(g, n), rows, outer, [1, n], [1, n]);
  const product = { ...form, constants: { INPUT_GRADIENT: false }, columns: n, steps: fours(k) };
  if (!transposeB)
    return { ...product, pack: (e, [a, b], kept) => form.pack(e, [reshaped(b!, [1, k, 1, n]), a!], kept) };
  const second = packedWeight(g, { count: k, stride: 1 }, { count: n, stride: k }, 0);
  const first = packedWeight(g, rows, outer, second.texels);
  return {
    ...product,
    texels: first.texels + second.texels,
    pack(e, [a, b]) {
      pack(e, undefined, { tensor: b!, to: second });
      pack(e, undefined, { tensor: a!, to: first });
    },
    params: { ...form.params, padded_width: 1, stride_x: second.groups, weight_at: first.at },
  };
}

/** What forward and input gradient share: an image, behind it a weight, and a result [N, rows, ...plane] made in grids. */
function imageByWeight(
  g: Geometry,
  image: PackedImage,
  rows: Channels,
  outer: Channels,
  plane: Pair,
  grid: Pair,
  shared?: Shared,
) {
  const weight = packedWeight(g, rows, outer, image.texels);
  const { step } = phasesOf(g);
  return {
    file: 'packed_conv2d',
    uses: ['lib/phase'],
    texels: image.texels + weight.texels,
    pack(e: Engine, [source, kernels]: readonly Tensor[], _kept: boolean): void {
      pack(e, { tensor: source!, to: image }, { tensor: kernels!, to: weight });
      if (shared) shared.packed = source;
    },
    params: {
      out_height: plane[0],
      out_width: plane[1],
      image_groups: image.groups,
      padded_height: image.height,
      padded_width: image.width,
      top: image.top,
      left: image.left,
      image_at: image.at,
      weight_at: weight.at,
      row_groups: weight.groups,
      kernel_height: g.kernel[0],
      kernel_width: g.kernel[1],
      grid_height: grid[0],
      grid_width: grid[1],
      stride_y: g.stride[0],
      stride_x: g.stride[1],
      pad_y: g.padding[0],
      pad_x: g.padding[1],
      dilation_y: g.dilation[0],
      dilation_x: g.dilation[1],
      step_y: step[0],
      step_x: step[1],
    },
  };
}

/**
 * Where the weight gradient finds gy and x, of which it reads rows of `columns` pixels: the shared one first and as the other
 * pass packs it, with gy's margins, if those rows lie within it.
 */
function weightGradientLayout(g: Geometry, columns: number, operand: Shared['operand'] | undefined) {
  if (operand === 'x' && columns === g.outWidth) {
    const image = packedInput(g, columns);
    return {
      image,
      gradient: packedImage(g, g.outChannels, [g.outHeight, columns], [0, 0], image.texels),
      first: operand,
    };
  }
  const withMargins = packedOutput(g);
  const wide = { image: packedInput(g, columns, withMargins.texels), gradient: withMargins };
  const fits = wide.image.at + wide.image.texels <= MOST_TEXELS;
  if (operand === 'gy' && fits && withMargins.left + columns <= withMargins.width) return { ...wide, first: operand };
  const gradient = packedImage(g, g.outChannels, [g.outHeight, columns], [0, 0]);
  return { image: packedInput(g, columns, gradient.texels), gradient, first: undefined };
}

/** gw from x and gy. Undefined for groups. */
export function packedWeightGradient(g: Geometry, shared?: Shared): PackedForm | undefined {
  if (g.groups > 1) return undefined;
  const columns = 4 * fours(g.outWidth);
  const { image, gradient, first } = weightGradientLayout(g, columns, shared?.operand);
  const taps = g.kernel[0] * g.kernel[1];
  return {
    file: 'packed_conv2d_weight_gradient',
    constants: {},
    columns: taps * 4 * image.groups,
    steps: g.images * g.outHeight * fours(g.outWidth),
    texels: gradient.texels + image.texels,
    pack(e, [x, gy], kept) {
      const packed = kept ? shared?.packed : undefined;
      if (!(first === 'gy' && packed === gy)) pack(e, { tensor: gy!, to: gradient });
      if (!(first === 'x' && packed === x)) pack(e, { tensor: x!, to: image });
      if (shared) shared.packed = undefined;
    },
    params: {
      images: g.images,
      channels: g.channels,
      out_height: g.outHeight,
      out_width: g.outWidth,
      row_groups: gradient.groups,
      gradient_height: gradient.height,
      gradient_width: gradient.width,
      gradient_at: gradient.at + gradient.top * gradient.width + gradient.left,
      channel_groups: image.groups,
      padded_height: image.height,
      padded_width: image.width,
      image_at: image.at,
      kernel_width: g.kernel[1],
      taps,
      stride_y: g.stride[0],
      stride_x: g.stride[1],
      dilation_y: g.dilation[0],
      dilation_x: g.dilation[1],
    },
  };
}
