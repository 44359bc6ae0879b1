import { type Array64, type Inputs, type Outputs, required, sizeOf } from './array.js';
import { add, mul, scaledHardSigmoid } from './elementwise.js';
import { matmul } from './matmul.js';
import { adaptiveAvgPool2d } from './pooling.js';
import { reshape } from './shape.js';
import {
  batchNormLayer,
  conv2dLayer,
  linearLayer,
  type ModuleAttrs,
  rootScope,
  type Scope,
  type State,
} from './state.js';

export interface DynamicConv2dAttrs extends ModuleAttrs {
  stride: number;
  padding: number;
  /** Side of the average pool that feeds the dynamic branch. */
  pool: number;
}

/**
 * Dynamic convolution decomposition (Li et al. 2021), with L latent channels:
 *
 *   y = s(x) * conv(x) + P (I + BN_phi . Phi(x)) BN_q(Q x)
 *
 * [x [N, C, H, W]] -> y [N, O, OH, OW] and, in training, the buffers after the call. s [N, O] and Phi [N, L, L] come
 * from e = squeeze(pool(x)), e * scaled_hard_sigmoid(gate(e)). State: conv [O, C, k, k], q [L, C, 1, 1],
 * p [O, L, 1, 1], bn_q and bn_phi [L], squeeze, gate, phi, scale; no biases.
 */
export function dynamicConv2d(inputs: Inputs, state: State, attrs: DynamicConv2dAttrs): Outputs {
  const [x] = required(inputs, 'x');
  const scope = rootScope(state, attrs);
  return { y: dynamicConv2dInScope(scope, x, attrs), ...scope.after };
}

/** The same of a part of a module. */
export function dynamicConv2dInScope(scope: Scope, x: Array64, attrs: Omit<DynamicConv2dAttrs, 'training'>): Array64 {
  const stride = [attrs.stride, attrs.stride];
  const batch = x.shape[0];

  const pooled = adaptiveAvgPool2d([x], { outputSize: [attrs.pool, attrs.pool] }).y;
  const squeezed = linearLayer(
    scope,
    'squeeze',
    reshape([pooled], { shape: [batch, sizeOf(pooled.shape.slice(1))] }).y,
  );
  const gate = linearLayer(scope, 'gate', squeezed, { activation: 'scaled_hard_sigmoid' });
  const embedded = mul([squeezed, gate]).y;

  const scale = scaledHardSigmoid([linearLayer(scope, 'scale', embedded)]).y;
  const convolved = conv2dLayer(scope, 'conv', x, { stride, padding: [attrs.padding, attrs.padding] });
  const fixed = mul([reshape([scale], { shape: [...scale.shape, 1, 1] }).y, convolved]).y;

  const latent = batchNormLayer(scope, 'bn_q', conv2dLayer(scope, 'q', x, { stride }));
  const [, channels, height, width] = latent.shape;
  const columns = reshape([latent], { shape: [batch, channels, height * width] }).y;
  const phi = reshape([linearLayer(scope, 'phi', embedded)], { shape: [batch, channels, channels] }).y;
  const mixed = add([batchNormLayer(scope, 'bn_phi', matmul([phi, columns]).y), columns]).y;
  const dynamic = conv2dLayer(scope, 'p', reshape([mixed], { shape: latent.shape }).y, {});

  return add([fixed, dynamic]).y;
}
