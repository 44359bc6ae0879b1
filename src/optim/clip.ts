/** Gradient clipping by the common norm of all gradients. */
import type { Engine } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { dot, dotParts } from '../ops/dot.js';
import { lanesFor, reductionWidth } from '../ops/lanes.js';

/**
 * Scales all gradients by one factor so that their common norm is `maxNorm` at most, as PyTorch's clip_grad_norm_ does.
 * Returns the norm before, one element; nothing is read back. Two dispatches per tensor.
 */
export function clipGradients(e: Engine, gradients: readonly Tensor[], maxNorm: number): Tensor {
  if (!(maxNorm > 0)) throw new Error(`maxNorm must be above 0, not ${maxNorm}`);
  if (gradients.length === 0) throw new Error('there are no gradients to clip');
  const counts = gradients.map(({ shape }) => dotParts(e.capabilities, sizeOf(shape)).parts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const parts = e.empty([total]);
  let first = 0;
  gradients.forEach((gradient, i) => {
    dot(e, gradient, gradient, parts, first);
    first += counts[i]!;
  });
  const norm = e.empty([1]);
  const WIDTH = reductionWidth(e.capabilities);
  const most = e.capabilities.software ? 8 : 512;
  for (const gradient of gradients) {
    const lanes = lanesFor(sizeOf(gradient.shape));
    const items = sizeOf(gradient.shape) / lanes.count;
    e.dispatch({
      file: 'clip_gradients',
      uses: [lanes.file, 'lib/workgroup_sum', 'lib/parts_sum'],
      constants: { WIDTH, SUM: 'f32' },
      tensors: [parts, norm, gradient],
      params: { items, parts: total, max_norm: maxNorm },
      grid: [Math.min(most, Math.ceil(items / WIDTH))],
    });
  }
  e.release(parts);
  return norm;
}
