/** modulate: feature-wise scale and shift of each image's channels (Perez et al. 2018, "FiLM"), as conditional norms end with. */
import { gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { sameShape, sizeOf, type Tensor } from '../memory/tensor.js';
import { activate } from '../reference/elementwise.js';
import { modulate as oracle } from '../reference/normalization.js';
import { type ActivationAttrs, activationCode, slopeOf } from './activation.js';
import { type Case, defineOp, shapeError } from './define.js';
import { lanesFor, threadsLog2 } from './lanes.js';
import { team, teamWidth } from './team.js';

/** x [N, C, ...] as planes of items of one or four values. */
function planesOf({ shape: [images, channels, ...inner] }: Tensor) {
  const values = sizeOf(inner);
  const lanes = lanesFor(values);
  return { lanes, sizes: { planes: images! * channels!, channels: channels!, plane: values / lanes.count } };
}

export const modulate = defineOp<ActivationAttrs, readonly [Tensor, Tensor]>({
  name: 'modulate',
  summary: 'x [N, C, ...], factors [N, 2 C] -> y = activation(factors[n, c] x + factors[n, C + c]), like x',
  inputs: ['x', 'factors'],
  half: { x: 'f16' },
  shape([x, factors]) {
    if (!x || x.length < 2) throw shapeError('modulate', 'x', 'must have 2 dimensions at least', x);
    if (!factors || !sameShape(factors, [x[0]!, 2 * x[1]!])) {
      throw shapeError('modulate', 'factors', 'must have two values for each channel of each image', factors, x);
    }
    return x;
  },
  forward(e, [x, factors], attrs) {
    const y = e.empty(x.shape, x.dtype);
    const { lanes, sizes } = planesOf(x);
    const threads_log2 = threadsLog2(e.capabilities, sizes.plane);
    e.dispatch({
      file: 'modulate',
      uses: [lanes.file, 'lib/activation'],
      constants: { ...elements({ X: x, Y: y }, lanes.count), ACTIVATION: activationCode(attrs) },
      tensors: [x, factors, y],
      params: { ...sizes, threads_log2, slope: slopeOf(attrs) },
      grid: gridFor(sizes.planes * 2 ** threads_log2, 64),
    });
    return { y };
  },
  saves: ['x', 'factors', 'y'],
  backward(e, { x, factors, y }, gy, attrs, [wantX, wantFactors], spare = false) {
    const { lanes, sizes } = planesOf(x!);
    const gx = wantX && (spare ? gy : wantX());
    const bound = gx ?? e.empty([4], gy.dtype);
    const gfactors = wantFactors?.() ?? e.empty(factors!.shape);
    const members = teamWidth(e.capabilities, sizes.planes, sizes.plane, 64);
    const sharing = team(members, lanes.file);
    e.dispatch({
      file: 'modulate_gradient',
      uses: [...sharing.uses, 'lib/activation'],
      constants: {
        ...elements({ X: x!, Y: y!, GY: gy, GX: bound }, lanes.count),
        ...sharing.constants,
        ACTIVATION: activationCode(attrs),
        INPUT: gx !== undefined,
      },
      tensors: [x!, factors!, y!, gy, bound, gfactors],
      inPlace: gx === gy ? [3, 4] : undefined,
      params: { ...sizes, slope: slopeOf(attrs) },
      grid: gridFor(sizes.planes, 64 / members),
    });
    return [gx, wantFactors && gfactors];
  },
  reference: (inputs, attrs) => ({ y: activate(oracle(inputs).y, attrs) }),
  flops: ([x]) => 2 * sizeOf(x!),
  cases: [
    modulated([3, 5, 4, 6]),
    modulated([2, 7, 3, 5], { activation: 'leaky_relu', slope: 0.2 }),
    modulated([1, 1, 1, 1], { activation: 'relu' }),
    modulated([5, 3]),
    modulated([2, 3, 33, 40], { activation: 'tanh' }),
    modulated([17, 31, 2, 2], { activation: 'leaky_relu', slope: 0.2 }),
  ],
  bench: [modulated([16, 64, 32, 32], { activation: 'leaky_relu', slope: 0.2 })],
});

function modulated(x: readonly [number, number, ...number[]], attrs: ActivationAttrs = {}): Case<ActivationAttrs> {
  return { shapes: [x, [x[0], 2 * x[1]]], attrs };
}
