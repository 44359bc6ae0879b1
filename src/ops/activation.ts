/** The activations that kernels end with (kernels/lib/activation.wgsl). */

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
  /** Of leaky_relu for negative values. Default 0.01, PyTorch's. */
  readonly slope?: number;
}

export const activationCode = (attrs: ActivationAttrs): number => CODES[attrs.activation ?? 'none'];

export const slopeOf = (attrs: ActivationAttrs): number => attrs.slope ?? 0.01;
