/** Numbers that a step leaves on the GPU, put together so that they are read back as one tensor. */
import type { Engine } from '../kernel/engine.js';
import type { Tensor } from '../memory/tensor.js';
import { numbered } from './strided.js';

type Four<T> = readonly [T, T, T, T];

/** y[i] = scales[i] * numbers[i]: tensors of one element each, into y [4]. */
export function scaleScalars(e: Engine, numbers: Four<Tensor>, scales: Four<number>, y: Tensor): void {
  e.dispatch({ file: 'scale_scalars', tensors: [...numbers, y], params: numbered('scale', scales, 0, 4), grid: [1] });
}
