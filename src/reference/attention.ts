import { type Array64, type Inputs, type Outputs, required } from './array.js';
import { add, mul, sigmoid } from './elementwise.js';
import { max, mean } from './reduce.js';
import { concat, reshape } from './shape.js';
import {
  batchNormLayer,
  conv2dLayer,
  linearLayer,
  type ModuleAttrs,
  rootScope,
  type Scope,
  type State,
} from './state.js';

/**
 * Convolutional block attention (Woo et al. 2018): a gate for each channel, then one for each place.
 *
 *   x1 = x * sigmoid(mlp(mean over h, w of x) + mlp(max over h, w of x)),  mlp(v) = mlp2(relu(mlp1(v)))
 *   y = x1 * sigmoid(bn(conv7x7([max over c of x1, mean over c of x1])))
 *
 * x and y are [N, C, H, W]. State: mlp1, mlp2 with biases, spatial [1, 2, 7, 7], spatial_bn of momentum 0.01.
 */
export function cbamInScope(scope: Scope, x: Array64): Array64 {
  const [batch, channels] = x.shape;
  const mlp = (pooled: Array64) =>
    linearLayer(scope, 'mlp2', linearLayer(scope, 'mlp1', pooled, { activation: 'relu' }));
  const average = mlp(mean([x], { dims: [2, 3] }).y);
  const peak = mlp(max([x], { dims: [2, 3] }).y);
  const channelGate = sigmoid([add([average, peak]).y]).y;
  const gated = mul([x, reshape([channelGate], { shape: [batch, channels, 1, 1] }).y]).y;

  const overChannels = { dims: [1], keepDims: true };
  const pooled = concat([max([gated], overChannels).y, mean([gated], overChannels).y], { dim: 1 }).y;
  const spatial = conv2dLayer(scope, 'spatial', pooled, { padding: [3, 3] });
  const placeGate = batchNormLayer(scope, 'spatial_bn', spatial, { momentum: 0.01, activation: 'sigmoid' });
  return mul([gated, placeGate]).y;
}

/** [x] -> y and, in training, after.spatial_bn.running_mean and .running_var; see cbamInScope. */
export function cbam(inputs: Inputs, state: State, attrs: ModuleAttrs): Outputs {
  const [x] = required(inputs, 'x');
  const scope = rootScope(state, attrs);
  return { y: cbamInScope(scope, x), ...scope.after };
}
