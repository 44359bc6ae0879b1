/** What the passes of a convolution have in common: its geometry. */
import type { Shape } from '../memory/tensor.js';

/** [height, width] */
export type Pair = readonly [number, number];

export interface ConvolutionAttrs {
  /** Default [1, 1]. */
  readonly stride?: Pair;
  /** Default [0, 0]. */
  readonly padding?: Pair;
  /** Default [1, 1]. */
  readonly dilation?: Pair;
  /** Default 1; the number of input channels makes it depthwise. */
  readonly groups?: number;
}

/** A convolution's geometry; of the transposed one it is that of the convolution whose input gradient it is. */
export interface Geometry {
  readonly images: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

export function geometry(x: Shape, weight: Shape, y: Shape, attrs: ConvolutionAttrs): Geometry {
  const [images, channels, height, width] = x as [number, number, number, number];
  return {
    images,
    channels,
    height,
    width,
    outChannels: weight[0]!,
    outHeight: y[2]!,
    outWidth: y[3]!,
    kernel: [weight[2]!, weight[3]!],
    stride: attrs.stride ?? [1, 1],
    padding: attrs.padding ?? [0, 0],
    dilation: attrs.dilation ?? [1, 1],
    groups: attrs.groups ?? 1,
  };
}

/** The uniforms that the kernels share. */
export const uniforms = (g: Geometry) => ({
  images: g.images,
  channels: g.channels,
  height: g.height,
  width: g.width,
  out_height: g.outHeight,
  out_width: g.outWidth,
  out_channels: g.outChannels,
  group_channels: g.channels / g.groups,
  kernel_height: g.kernel[0],
  kernel_width: g.kernel[1],
  stride_y: g.stride[0],
  stride_x: g.stride[1],
  pad_y: g.padding[0],
  pad_x: g.padding[1],
  dilation_y: g.dilation[0],
  dilation_x: g.dilation[1],
});

/** A pass in words: the kernel, and all of the geometry. */
export function describe(pass: string, g: Geometry): string {
  const { images, channels, height, width, outChannels, kernel, stride, padding, dilation, groups } = g;
  const x = [images, channels, height, width].join('x');
  const weight = [outChannels, channels / groups, ...kernel].join('x');
  const y = [g.outHeight, g.outWidth].join('x');
  return `${pass} ${x} by ${weight} to ${y}, stride ${stride}, padding ${padding}, dilation ${dilation}, groups ${groups}`;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * A strided input gradient is computed phase by phase (pixel mod stride): within a phase all pixels meet the same taps, every
 * step-th, and no multiplication by an inserted zero is left.
 */
export interface Phases {
  readonly count: number;
  /** Pixels of a phase. */
  readonly height: number;
  readonly width: number;
  /** From one tap that meets a phase to the next. */
  readonly step: Pair;
}

export function phasesOf({ stride: [sy, sx], dilation, height, width }: Geometry): Phases {
  return {
    count: sy * sx,
    height: Math.ceil(height / sy),
    width: Math.ceil(width / sx),
    step: [sy / gcd(sy, dilation[0]), sx / gcd(sx, dilation[1])],
  };
}
