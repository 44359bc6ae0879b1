/**
 * Dynamic loss scaling, as PyTorch's GradScaler does it. In mixed precision the gradients of activations are stored in f16,
 * which holds nothing below 6e-8 and nothing above 65504. So a loss is multiplied by a scale before its backward pass, and
 * the optimiser divides by it; a step in which some gradient did not fit is skipped, and the next scale is smaller.
 *
 * All of it happens on the GPU, in a buffer of four numbers: nobody waits to learn whether a step was skipped. Scales are powers
 * of two, which only move exponents: what does not overflow comes out the same, bit for bit, under every scale.
 */
import { type Engine, gridFor } from '../kernel/engine.js';
import { type Tensor, vectors } from '../memory/tensor.js';
import { binary } from '../ops/elementwise.js';

export interface LossScaleAttrs {
  /** The first scale. Default 2^16. */
  readonly initial?: number;
  /** Factor after `interval` steps without an overflow. Default 2. */
  readonly growth?: number;
  /** Factor after an overflow. Default 1/2. */
  readonly backoff?: number;
  /** Default 200: more often than PyTorch's 2000, for runs of some hundred steps. */
  readonly interval?: number;
}

export interface LossScale {
  /**
   * [4]: the scale, steps since it changed, steps skipped so far, and, within a step, whether some gradient overflowed (a u32).
   * To go on from a checkpoint, write the first values that were read of it.
   */
  readonly state: Tensor;
  /** The scale of the step in hand: the first number of the state, as a tensor []. */
  readonly scale: Tensor;
  /** What a scaled loss goes back with: its cotangent times the scale. All gradients are scaled then, until the optimiser divides. */
  scaled(e: Engine, cotangent: Tensor): Tensor;
  /** Looks for gradients that are infinite or not numbers: for the optimiser, before its step. */
  inspect(e: Engine, gradients: Tensor): void;
  /** Sets the scale of the next step: for the optimiser, after its step. */
  adjust(e: Engine): void;
}

/** Beyond these a scale does no good: f32 gradients themselves would overflow or vanish. */
const LEAST = 2 ** -16;
const MOST = 2 ** 32;

/** Make it outside of all scopes, for its state is to live on. Throws an error that names the attribute if one is out of range. */
export function createLossScale(e: Engine, attrs: LossScaleAttrs = {}): LossScale {
  const { initial = 2 ** 16, growth = 2, backoff = 0.5, interval = 200 } = attrs;
  const powers = { initial, growth, backoff };
  for (const [name, value] of Object.entries(powers)) {
    if (!(value > 0 && Number.isInteger(Math.log2(value))))
      throw new Error(`${name} must be a power of two, not ${value}`);
  }
  if (!(growth >= 1 && backoff < 1 && interval >= 1))
    throw new Error(`a loss scale cannot grow by ${growth}, fall by ${backoff} or change after ${interval} steps`);
  const state = e.upload(Float32Array.of(initial, 0, 0, 0), [4]);
  const scale = { ...state, shape: [] };
  return {
    state,
    scale,
    scaled: (engine, cotangent) => binary(engine, 'mul', cotangent, scale),
    inspect(engine, gradients) {
      const params = { vectors: vectors(gradients) };
      engine.dispatch({
        file: 'find_overflow',
        uses: ['lib/loss_scale'],
        constants: { FLAG: 'atomic<u32>' },
        tensors: [gradients, state],
        params,
        grid: gridFor(params.vectors, 64),
      });
    },
    adjust(engine) {
      engine.dispatch({
        file: 'adjust_loss_scale',
        uses: ['lib/loss_scale'],
        constants: { FLAG: 'u32' },
        tensors: [state],
        params: { growth, backoff, interval, least: LEAST, most: MOST },
        grid: [1],
      });
    },
  };
}
