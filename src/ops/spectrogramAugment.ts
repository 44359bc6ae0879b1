/** spectrogram_augment: what may happen to a recording, done to its spectrogram, with gradients (Zhao et al. 2020). */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { formatShape, type Shape, sizeOf, type Tensor } from '../memory/tensor.js';
import { spectrogramAugment as oracle, type SpectrogramAugmentAttrs } from '../reference/spectrogramAugment.js';
import { type Case, defineOp, ranked, shapeError } from './define.js';
import { randomParams } from './random.js';

export type { SpectrogramAugmentAttrs };

/** Columns that one invocation walks along. */
const STRIP = 32;

function dispatch(
  e: Engine,
  file: string,
  attrs: SpectrogramAugmentAttrs,
  noise: Tensor | undefined,
  tensors: readonly Tensor[],
  constants: Readonly<Record<string, number | string>>,
): void {
  const [x] = tensors as [Tensor];
  const [count, channels, height, width] = x.shape as [number, number, number, number];
  const row_strips = Math.ceil(width / STRIP);
  const strips = count * channels * height * row_strips;
  const params = {
    ...{ strips, row_strips, channels, height, width },
    ...randomParams(attrs),
    noises: noise?.shape[0] ?? 0,
    time_shift: attrs.timeShift,
    frequency_shift: attrs.frequencyShift,
    gain: attrs.gain,
    background: Math.ceil(attrs.background * 2 ** 24),
    fade: attrs.fade,
    slope: (attrs.rangeDb * Math.log(10)) / 20,
    time_mask: attrs.timeMask,
    frequency_mask: attrs.frequencyMask,
    cutout: attrs.cutout ?? 0,
  };
  e.dispatch({
    file,
    uses: ['lib/philox', 'lib/spectrogram_augment'],
    constants: { STRIP, ...constants },
    tensors: [x, noise ?? e.empty([1], 'i32'), ...tensors.slice(1)],
    params,
    grid: gridFor(strips, 64),
  });
}

/** Throws if a shift or a mask is larger than the image, or anything is below zero. */
function checkAttrs([, , height, width]: Shape, attrs: SpectrogramAugmentAttrs): void {
  const limits = { timeShift: width!, timeMask: width!, frequencyShift: height!, frequencyMask: height! };
  for (const [name, limit] of Object.entries(limits) as [keyof typeof limits, number][]) {
    if (!Number.isInteger(attrs[name]) || attrs[name] < 0 || attrs[name] > limit) {
      throw new Error(`spectrogram_augment: ${name} must be a whole number from 0 to ${limit}, but is ${attrs[name]}`);
    }
  }
  const { cutout = 0 } = attrs;
  if (!Number.isInteger(cutout) || cutout < 0 || cutout > Math.max(height!, width!)) {
    throw new Error(`spectrogram_augment: cutout must be a whole number of pixels of the image, but is ${cutout}`);
  }
  for (const name of ['gain', 'background', 'fade'] as const) {
    if (!(attrs[name] >= 0)) throw new Error(`spectrogram_augment: ${name} must be at least 0, but is ${attrs[name]}`);
  }
  if (!(attrs.rangeDb > 0)) throw new Error(`spectrogram_augment: rangeDb must be above 0, but is ${attrs.rangeDb}`);
}

export const spectrogramAugment = defineOp<SpectrogramAugmentAttrs, readonly [Tensor, Tensor?]>({
  name: 'spectrogram_augment',
  summary: 'x [N, C, H, W] in [-1, 1], noise i32 [M, C, H, W] in 0 to 255 -> y like x, as seed and stream decide',
  inputs: ['x', 'noise?'],
  half: { x: 'f16' },
  shape([x, noise], attrs) {
    const shape = ranked('spectrogram_augment', 'x', x, 4);
    if (noise && formatShape(noise.slice(1)) !== formatShape(shape.slice(1))) {
      throw shapeError('spectrogram_augment', 'noise', 'must have images like those of x', x, noise);
    }
    checkAttrs(shape, attrs);
    return shape;
  },
  forward(e, [x, noise], attrs) {
    const y = e.empty(x.shape, x.dtype);
    dispatch(e, 'spectrogram_augment', attrs, noise, [x, y], elements({ X: x, Y: y }));
    return { y };
  },
  saves: ['x', 'noise'],
  backward(e, { x, noise }, gy, attrs, [want]) {
    if (!want) return [];
    const gx = want();
    const types = elements({ X: x!, Y: gy, G: gx });
    dispatch(e, 'spectrogram_augment_gradient', attrs, noise, [x!, gy, gx], types);
    return [gx];
  },
  reference: oracle,
  // The three draws of ten rounds are shared by a strip; a background costs two transcendental functions a pixel.
  flops: ([x, noise]) => (noise ? 20 : 10) * sizeOf(x!),
  cases: [
    augmented([3, 2, 7, 5], 4),
    augmented([2, 1, 40, 37], 3, { stream: 2 ** 32 - 1 }),
    augmented([5, 1, 16, 33], undefined, { seed: Number.MAX_SAFE_INTEGER, cutout: 7 }),
    augmented([4, 2, 9, 8], undefined, { timeMask: 0, frequencyMask: 0, cutout: 4 }),
    augmented([1, 1, 1, 1], 1),
    augmented([4, 3, 6, 8], 2, { timeShift: 8, frequencyShift: 6, timeMask: 0, frequencyMask: 0, gain: 0 }),
    augmented([4, 1, 9, 9], undefined, { timeShift: 0, frequencyShift: 0, gain: 0, timeMask: 9, frequencyMask: 9 }),
  ],
  bench: [augmented([32, 1, 128, 128], 16)],
});

/** A case with backgrounds, if any; what `attrs` does not say is drawn from a part of the image. */
function augmented(
  shape: Shape,
  noises: number | undefined,
  attrs: Partial<SpectrogramAugmentAttrs> = {},
): Case<SpectrogramAugmentAttrs> {
  const [, , height, width] = shape as [number, number, number, number];
  const share = (side: number) => Math.floor(side / 3);
  return {
    shapes: noises === undefined ? [shape] : [shape, [noises, ...shape.slice(1)]],
    fill: { noise: { below: 256 } },
    attrs: {
      ...{ seed: 7, stream: 2, gain: 0.3, background: 0.7, fade: 0.4, rangeDb: 60 },
      ...{
        timeShift: share(width),
        timeMask: share(width),
        frequencyShift: share(height),
        frequencyMask: share(height),
      },
      ...attrs,
    },
  };
}
