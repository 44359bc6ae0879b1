/**
 * One optimiser step over one parameter, with PyTorch's formulas. A step changes `param` and `state` in place;
 * g is the gradient, to which all but adamw add weightDecay * param first, and t the number of the step from 1.
 */

/** What an optimiser remembers about one parameter. */
export interface OptimizerState {
  /** Steps taken. */
  step: number;
  /** Running sum or mean of gradients: Adam's exp_avg, the momentum_buffer of SGD and RMSprop. */
  momentum: Float64Array;
  /** Running mean of squared gradients: Adam's exp_avg_sq, RMSprop's square_avg. */
  square: Float64Array;
}

/** The state before the first step of a parameter of `size` elements. */
export function optimizerState(size: number): OptimizerState {
  return { step: 0, momentum: new Float64Array(size), square: new Float64Array(size) };
}

export type OptimizerStep<Attrs> = (
  param: Float64Array,
  grad: Float64Array,
  state: OptimizerState,
  attrs: Attrs,
) => void;

export interface AdamAttrs {
  lr: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
  weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2015): m = beta1 m + (1 - beta1) g; s = beta2 s + (1 - beta2) g^2;
 * param -= lr / (1 - beta1^t) * m / (sqrt(s) / sqrt(1 - beta2^t) + eps).
 */
export function adam(param: Float64Array, grad: Float64Array, state: OptimizerState, attrs: AdamAttrs): void {
  const { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 } = attrs;
  const { momentum, square } = state;
  state.step++;
  const correction1 = 1 - beta1 ** state.step;
  const correction2 = 1 - beta2 ** state.step;
  for (let i = 0; i < param.length; i++) {
    const g = grad[i] + weightDecay * param[i];
    momentum[i] = beta1 * momentum[i] + (1 - beta1) * g;
    square[i] = beta2 * square[i] + (1 - beta2) * g * g;
    param[i] -= ((lr / correction1) * momentum[i]) / (Math.sqrt(square[i]) / Math.sqrt(correction2) + eps);
  }
}

/** AdamW (Loshchilov and Hutter 2019): param *= 1 - lr weightDecay, then Adam's step without decay in the gradient. */
export function adamw(param: Float64Array, grad: Float64Array, state: OptimizerState, attrs: AdamAttrs): void {
  const { lr, weightDecay = 0.01 } = attrs;
  for (let i = 0; i < param.length; i++) param[i] *= 1 - lr * weightDecay;
  adam(param, grad, state, { ...attrs, weightDecay: 0 });
}

export interface SgdAttrs {
  lr: number;
  momentum?: number;
  weightDecay?: number;
}

/** Gradient descent with heavy-ball momentum: m = momentum m + g; param -= lr m. */
export function sgd(param: Float64Array, grad: Float64Array, state: OptimizerState, attrs: SgdAttrs): void {
  const { lr, momentum = 0, weightDecay = 0 } = attrs;
  state.step++;
  for (let i = 0; i < param.length; i++) {
    state.momentum[i] = momentum * state.momentum[i] + grad[i] + weightDecay * param[i];
    param[i] -= lr * state.momentum[i];
  }
}

export interface RmspropAttrs {
  lr: number;
  alpha?: number;
  eps?: number;
  momentum?: number;
  weightDecay?: number;
}

/** RMSprop: s = alpha s + (1 - alpha) g^2; m = momentum m + g / (sqrt(s) + eps); param -= lr m. */
export function rmsprop(param: Float64Array, grad: Float64Array, state: OptimizerState, attrs: RmspropAttrs): void {
  const { lr, alpha = 0.99, eps = 1e-8, momentum = 0, weightDecay = 0 } = attrs;
  state.step++;
  for (let i = 0; i < param.length; i++) {
    const g = grad[i] + weightDecay * param[i];
    state.square[i] = alpha * state.square[i] + (1 - alpha) * g * g;
    state.momentum[i] = momentum * state.momentum[i] + g / (Math.sqrt(state.square[i]) + eps);
    param[i] -= lr * state.momentum[i];
  }
}

/** The optimisers by their name in options and files. */
export const optimizers = { adam, adamw, sgd, rmsprop };
