/**
 * How the oracles of modules find their parameters: by the names of a PyTorch state_dict, such as
 * `blocks.0.conv1.weight`, and the layers that read them.
 */
import type { Array64, Outputs } from './array.js';
import { type Conv2dAttrs, type ConvTranspose2dAttrs, conv2d, convTranspose2d } from './convolution.js';
import type { ActivationAttrs } from './elementwise.js';
import { linear } from './matmul.js';
import { batchNorm } from './normalization.js';

/** Parameters and buffers of a module by their state_dict names. */
export type State = { readonly [name: string]: Array64 };

/** What every module needs to know besides its sizes, which its state gives. */
export interface ModuleAttrs {
  /** Batch statistics, updated buffers, one power iteration a call; otherwise everything as it stands. */
  training: boolean;
}

/** One module's view of a whole state: its part of the names, the mode, and where updated buffers are put. */
export interface Scope {
  state: State;
  prefix: string;
  training: boolean;
  /** Buffers after the call, as `after.<name>`, in training only. */
  after: Outputs;
}

/** The scope of the outermost module. */
export function rootScope(state: State, { training }: ModuleAttrs): Scope {
  return { state, prefix: '', training, after: {} };
}

/** The scope of a part of a module. */
export function inside(scope: Scope, name: string): Scope {
  return { ...scope, prefix: `${scope.prefix}${name}.` };
}

/** A parameter or buffer. Throws when the state does not have it. */
export function entry(scope: Scope, name: string): Array64 {
  const value = scope.state[scope.prefix + name];
  if (!value) throw new Error(`the state has no ${scope.prefix}${name}`);
  return value;
}

/** A layer's bias, for layers that may be without one. */
export function optionalEntry(scope: Scope, name: string): Array64 | undefined {
  return scope.state[scope.prefix + name];
}

/** Remembers a buffer's new value; in evaluation buffers stay as they are. */
export function update(scope: Scope, name: string, value: Array64): void {
  if (scope.training) scope.after[`after.${scope.prefix}${name}`] = value;
}

/** conv2d with the weight and, if there is one, the bias of the layer `name`. */
export function conv2dLayer(scope: Scope, name: string, x: Array64, attrs: Conv2dAttrs): Array64 {
  const layer = inside(scope, name);
  return conv2d([x, entry(layer, 'weight'), optionalEntry(layer, 'bias')], attrs).y;
}

/** convTranspose2d with the weight and, if there is one, the bias of the layer `name`. */
export function convTranspose2dLayer(scope: Scope, name: string, x: Array64, attrs: ConvTranspose2dAttrs): Array64 {
  const layer = inside(scope, name);
  return convTranspose2d([x, entry(layer, 'weight'), optionalEntry(layer, 'bias')], attrs).y;
}

/** linear with the weight and, if there is one, the bias of the layer `name`. */
export function linearLayer(scope: Scope, name: string, x: Array64, attrs: ActivationAttrs = {}): Array64 {
  const layer = inside(scope, name);
  return linear([x, entry(layer, 'weight'), optionalEntry(layer, 'bias')], attrs).y;
}

/** batchNorm in the scope's mode with the parameters, if it has any, of the layer `name`, whose running statistics it updates. */
export function batchNormLayer(
  scope: Scope,
  name: string,
  x: Array64,
  attrs: ActivationAttrs & { momentum?: number } = {},
): Array64 {
  const layer = inside(scope, name);
  const parameters = [optionalEntry(layer, 'weight'), optionalEntry(layer, 'bias')];
  const running = [entry(layer, 'running_mean'), entry(layer, 'running_var')];
  const { y, runningMean, runningVar } = batchNorm([x, ...parameters, ...running], {
    ...attrs,
    training: scope.training,
  });
  update(layer, 'running_mean', runningMean);
  update(layer, 'running_var', runningVar);
  return y;
}
