/** Convolutions with few channels on one side, computed directly instead of as a matrix product: in what pieces, and when. */
import type { Capabilities, Plan } from '../choose.js';

/** A pass of a convolution of stride and dilation 1, as its direct kernel sees it. */
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
    constants: { ROWS, ...piece },
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

/** Whether the direct kernels are better than a matrix product whose tiles are mostly empty: see bench/NOTES.md. */
export const directIsBetter = ({ software }: Capabilities, few: number): boolean => few <= (software ? 2 : 4);

/** Constants of kernels/lib/pixels.wgsl, the best by rule first; none where the kernel reaches too far. */
function pieces({ software }: Capabilities, { kernel: [, KW], left: LEFT, width, aligned: VECTOR }: DirectShape) {
  if (KW > 7 || LEFT > 3 || KW - 1 - LEFT > 4) return [];
  // On a CPU eight share loads best, if they come four at a time; on a GPU four keep twice as many invocations busy.
  const counts = software && VECTOR && width >= 8 ? [8, 4] : [4, 8];
  return counts.map((PIXELS) => ({ PIXELS, KW, LEFT, VECTOR, INVOCATIONS: software ? 8 : 64 }));
}
