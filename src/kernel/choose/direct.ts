/** Convolutions with few channels on one side, computed directly instead of as a matrix product: in what pieces, and when. */
import type { Capabilities, Plan } from '../choose.js';

/** A pass of a convolution of stride 1 or 2 and dilation 1, as its direct kernel sees it. */
export interface DirectShape {
  /** Channels of a group that are computed, or in the weight's gradient those of the output. */
  readonly rows: number;
  /** Channels of a group that are summed over, or in the weight's gradient those of the input. */
  readonly channels: number;
  /** Groups, images and lines of pixels. */
  readonly groups: number;
  readonly images: number;
  /** Columns of the image that is walked along, and whether four of them can be loaded at a time wherever a line begins. */
  readonly width: number;
  readonly aligned: boolean;
  /** From output to output, in columns and lines of the image that is walked along. */
  readonly stride: 1 | 2;
  /** 2: that image has a zero after each pixel, and a line of zeros after each line, as gradients of stride 2 see it. */
  readonly up: 1 | 2;
  /** [height, width], and how many columns of the kernel lie left of the pixel. */
  readonly kernel: readonly [number, number];
  readonly left: number;
}

export interface DirectPlan extends Plan {
  readonly core: 'direct';
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Parts that the weight's gradient is summed in, for a second pass to add. */
  readonly parts: number;
}

/**
 * Plans for kernels/conv2d_direct.wgsl, the best by rule first: for up to four rows. A wider kernel's weights would be more
 * than a CPU's driver likes to compile loads of.
 */
export function directCandidates(device: Capabilities, shape: DirectShape): DirectPlan[] {
  const ROWS = shape.rows > 2 ? 4 : shape.rows;
  if (shape.rows > 4 || ROWS * shape.kernel[1] > 16) return [];
  return pieces(device, shape).map((piece) => ({
    name: `direct ${piece.PIXELS} pixels x ${ROWS} rows`,
    core: 'direct',
    constants: { ROWS, STRIDE: shape.stride, ...piece },
    parts: 1,
  }));
}

/** Plans for kernels/conv2d_direct_weight_gradient.wgsl, likewise: for up to four channels on either side. */
export function directWeightGradientCandidates(device: Capabilities, shape: DirectShape): DirectPlan[] {
  const { rows, channels, groups, images, width, kernel } = shape;
  if (Math.min(rows, channels) > 4 || kernel[0] > 7) return [];
  return pieces(device, shape).map((piece) => {
    const strips = images * Math.ceil(width / piece.PIXELS);
    // So many that invocations are enough, and a workgroup is full.
    const wanted = Math.ceil((device.software ? 512 : 65536) / (groups * rows * channels));
    const parts = Math.min(strips, Math.max(wanted, device.software ? 16 : 64), 1024);
    return {
      name: `direct ${piece.PIXELS} pixels in ${parts} parts`,
      core: 'direct',
      constants: { KH: kernel[0], ...piece },
      parts,
    };
  });
}

/**
 * Whether the direct kernels are better than a matrix product whose tiles are mostly empty: see bench/NOTES.md. `few` rows or
 * channels. Of stride 2 they multiply by zeros as well, so they are for depthwise convolutions alone.
 */
export function directIsBetter({ software }: Capabilities, few: number, shape: DirectShape): boolean {
  if (shape.stride * shape.up > 1) return false;
  return few <= (software ? 2 : 4);
}

/** Constants of kernels/lib/pixels.wgsl, the best by rule first; none where the kernel reaches too far. */
function pieces({ software }: Capabilities, shape: DirectShape) {
  const {
    kernel: [, KW],
    left: LEFT,
    width,
    aligned: VECTOR,
    stride,
    up: UP,
  } = shape;
  if (KW > 7 || LEFT > 3 || KW - 1 - LEFT > 4) return [];
  // On a CPU eight share loads best, if they come four at a time; on a GPU four keep twice as many invocations busy.
  const eight = software && VECTOR && width >= 8;
  const counts = stride === 2 ? [8] : eight ? [8, 4] : [4, 8];
  return counts.map((PIXELS) => ({ PIXELS, KW, LEFT, VECTOR, UP, INVOCATIONS: software ? 8 : 64 }));
}
