/** The activations that kernels end with (kernels/lib/activation.wgsl). */
import { type Engine, gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { type Tensor, vectors } from '../memory/tensor.js';

const CODES = {
  none: 0,
  relu: 1,
  leaky_relu: 2,
  tanh: 3,
  sigmoid: 4,
  relu6: 5,
  scaled_hard_sigmoid: 6,
  softplus: 7,
} as const;

export type Activation = keyof typeof CODES;

export interface ActivationAttrs {
  /** Applied to the result. Default none. */
  readonly activation?: Activation;
  /** Of leaky_relu for negative values, not below 0. Default 0.01, PyTorch's. */
  readonly slope?: number;
}

/** Throws for one that there is not, as a case that another program wrote may ask for. */
export function activationCode({ activation = 'none' }: ActivationAttrs): number {
  if (Object.hasOwn(CODES, activation)) return CODES[activation];
  throw new Error(`there is no activation ${activation}, but ${Object.keys(CODES).join(', ')}`);
}

/** Throws for a slope below 0: the derivative is taken from the sign of the result, which must be that of what it was of. */
export function slopeOf({ slope = 0.01 }: ActivationAttrs): number {
  if (slope >= 0) return slope;
  throw new Error(`leaky_relu: the slope ${slope} must not be below 0: the gradient goes by the sign of the result`);
}

/** gx = gy f'(x), from the activation's output y; gx may be gy. */
export function activationGradient(
  e: Engine,
  y: Tensor,
  gy: Tensor,
  attrs: ActivationAttrs,
  gx = e.empty(y.shape, gy.dtype),
): Tensor {
  const params = { vectors: vectors(y), slope: slopeOf(attrs) };
  e.dispatch({
    file: 'activation_gradient',
    uses: ['lib/activation'],
    constants: { ...elements({ Y: y, GY: gy, GX: gx }, 4), ACTIVATION: activationCode(attrs) },
    tensors: [y, gy, gx],
    inPlace: gx === gy ? [1, 2] : undefined,
    params,
    grid: gridFor(params.vectors, 64),
  });
  return gx;
}

/**
 * The gradient of what an activation was applied to, from its output y; gy itself where there is none, or with other values
 * where it is `spare`.
 */
export function beforeActivation(e: Engine, y: Tensor, gy: Tensor, attrs: ActivationAttrs, spare = false): Tensor {
  if (activationCode(attrs) === 0) return gy;
  return activationGradient(e, y, gy, attrs, spare ? gy : undefined);
}
