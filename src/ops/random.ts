/** Random tensors from the counter-based generator of src/reference/random.ts: the same numbers on CPU and GPU. */
import { type Engine, gridFor } from '../kernel/engine.js';
import { type Shape, sizeOf, type Tensor, vectors } from '../memory/tensor.js';
import { make } from '../reference/array.js';
import * as oracle from '../reference/random.js';
import { defineOp, type Op } from './define.js';

/** Which numbers: equal seeds and streams give equal numbers. */
export interface RandomAttrs {
  /** A whole number from 0 to 2^64 - 1 (as a number, to 2^53 - 1). */
  readonly seed: number | bigint;
  /** A whole number below 2^32: one of the seed's independent sequences. */
  readonly stream: number;
}

/** The kernels' uniforms for seed and stream. Throws if they are out of range. */
export function randomParams({ seed, stream }: RandomAttrs): Record<string, number> {
  const isWhole = typeof seed === 'bigint' || Number.isSafeInteger(seed);
  if (!isWhole || seed < 0 || seed >= 2n ** 64n) {
    throw new Error(`the seed ${seed} is not a whole number from 0 to 2^64 - 1; above 2^53 - 1 it must be a bigint`);
  }
  if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32) {
    throw new Error(`the stream ${stream} is not a whole number from 0 to 2^32 - 1`);
  }
  const [seed_low, seed_high] = oracle.seedKey(seed);
  return { seed_low, seed_high, stream };
}

function draw(e: Engine, y: Tensor, attrs: RandomAttrs, NORMAL: boolean): Tensor {
  e.dispatch({
    file: 'random',
    uses: ['lib/philox', 'lib/box_muller'],
    constants: { NORMAL },
    tensors: [y],
    params: { size: sizeOf(y.shape), ...randomParams(attrs) },
    grid: gridFor(vectors(y), 64),
  });
  return y;
}

/** Numbers uniform in [0, 1), multiples of 2^-24, into `y` or a new tensor: bit for bit those of the reference. */
export function randomUniform(e: Engine, shape: Shape, attrs: RandomAttrs, y = e.empty(shape)): Tensor {
  return draw(e, y, attrs, false);
}

/** Numbers of mean 0 and variance 1, into `y` or a new tensor: within 1e-6 of those of the reference. */
export function randomNormal(e: Engine, shape: Shape, attrs: RandomAttrs, y = e.empty(shape)): Tensor {
  return draw(e, y, attrs, true);
}

interface ShapedRandomAttrs extends RandomAttrs {
  readonly shape: Shape;
}

/** A record without gradient of `generate` on the GPU and `numbers` on the CPU. */
function randomOp(
  name: string,
  what: string,
  generate: typeof randomUniform,
  numbers: typeof oracle.uniform,
  tolerance: number,
): Op<ShapedRandomAttrs, readonly []> {
  return defineOp<ShapedRandomAttrs, readonly []>({
    name,
    summary: `y of the given shape: ${what}, fixed by seed and stream`,
    inputs: [],
    shape: (_inputs, { shape }) => shape,
    forward: (e, _inputs, attrs, shape) => ({ y: generate(e, shape, attrs) }),
    reference: (_inputs, { shape, seed, stream }) => ({ y: make(shape, numbers(seed, stream, sizeOf(shape))) }),
    // Ten rounds of some 20 operations for every four elements.
    flops: (_inputs, _attrs, shape) => 50 * sizeOf(shape),
    cases: [
      { shapes: [], attrs: { shape: [1], seed: 0, stream: 0 } },
      { shapes: [], attrs: { shape: [3, 5, 7], seed: 7, stream: 2 ** 32 - 1 } },
      { shapes: [], attrs: { shape: [64, 100], seed: Number.MAX_SAFE_INTEGER, stream: 3 } },
    ],
    bench: [{ shapes: [], attrs: { shape: [16, 100], seed: 1, stream: 0 } }],
    tolerance: { forward: tolerance, gradient: 1e-3 },
  });
}

// Bit for bit: nothing lies below the least number above zero but zero.
export const uniform = randomOp(
  'uniform',
  'numbers uniform in [0, 1)',
  randomUniform,
  oracle.uniform,
  Number.MIN_VALUE,
);

export const normal = randomOp('normal', 'numbers of mean 0 and variance 1', randomNormal, oracle.normal, 1e-6);
