/**
 * Optimisers with PyTorch's formulas. All parameters of a network lie in one flat tensor and all its gradients in another,
 * so that a step is one dispatch.
 */
import { type Engine, gridFor } from '../kernel/engine.js';
import { formatShape, sizeOf, type Tensor, vectors } from '../memory/tensor.js';
import { fill } from '../ops/elementwise.js';
import type { LossScale } from './lossScale.js';

/** Parameters and their gradients in the same places: 1-D, of equal length, in two buffers. */
export interface FlatParameters {
  readonly values: Tensor;
  readonly gradients: Tensor;
}

export interface AdamAttrs {
  readonly lr: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly eps?: number;
  /** Default 0; of adamw 0.01. */
  readonly weightDecay?: number;
}

export interface SgdAttrs {
  readonly lr: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Looks ahead along the momentum. Default false. */
  readonly nesterov?: boolean;
}

export interface RmspropAttrs {
  readonly lr: number;
  /** Default 0.99. */
  readonly alpha?: number;
  /** Default 1e-8. */
  readonly eps?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Default 0. */
  readonly weightDecay?: number;
}

export interface OptimizerAttrs {
  readonly adam: AdamAttrs;
  readonly adamw: AdamAttrs;
  readonly sgd: SgdAttrs;
  readonly rmsprop: RmspropAttrs;
}

export type OptimizerKind = keyof OptimizerAttrs;

export interface Optimizer {
  readonly name: OptimizerKind;
  /** Steps taken, those included that a loss scale skipped. */
  readonly step: number;
  /** One step down the gradients; `lr` replaces the learning rate for this step. */
  update(e: Engine, lr?: number): void;
  /**
   * What it remembers, by PyTorch's names; with parameters in several pieces, `exp_avg.0`, `exp_avg.1` and so on. To go on
   * from a checkpoint, write its values into these tensors and set the step.
   */
  state(): Record<string, Tensor>;
  setStep(step: number): void;
}

/** An optimiser as its kernel sees it. */
interface Rule {
  readonly file: string;
  readonly constants?: Readonly<Record<string, boolean>>;
  /** The tensors that it binds after gradients and values, by name; undefined for one that it never touches. */
  readonly state: readonly (string | undefined)[];
  /** Uniforms of the step-th step, from 1. */
  params(step: number, lr: number): Readonly<Record<string, number>>;
}

function adamRule(attrs: AdamAttrs, decoupled: boolean): Rule {
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = decoupled ? 0.01 : 0 } = attrs;
  inRange({ beta1, beta2 }, (value) => value >= 0 && value < 1, 'from 0 to below 1');
  checkPositive({ eps });
  inRange({ weightDecay }, (value) => value >= 0, 'at least 0');
  return {
    file: 'adam',
    state: ['exp_avg', 'exp_avg_sq'],
    params: (step, lr) => ({
      decay: decoupled ? 0 : weightDecay,
      shrink: decoupled ? 1 - lr * weightDecay : 1,
      beta1,
      rest1: 1 - beta1,
      beta2,
      rest2: 1 - beta2,
      step_size: lr / (1 - beta1 ** step),
      root_scale: 1 / Math.sqrt(1 - beta2 ** step),
      eps,
      lr,
      step,
      log_beta1: logarithm(beta1),
      log_beta2: logarithm(beta2),
    }),
  };
}

/** Of a number from 0 to 1; far enough below zero for 0, of which the kernels know no logarithm. */
const logarithm = (value: number): number => Math.max(-1e4, Math.log(value));

function sgdRule({ momentum = 0, weightDecay = 0, nesterov = false }: SgdAttrs): Rule {
  inRange({ momentum, weightDecay }, (value) => value >= 0, 'at least 0');
  if (nesterov && momentum === 0) throw new Error('nesterov needs a momentum above 0');
  return {
    file: 'sgd',
    constants: { MOMENTUM: momentum > 0, NESTEROV: nesterov },
    state: [momentum > 0 ? 'momentum_buffer' : undefined],
    params: (_step, lr) => ({ lr, momentum, decay: weightDecay }),
  };
}

function rmspropRule({ alpha = 0.99, eps = 1e-8, momentum = 0, weightDecay = 0 }: RmspropAttrs): Rule {
  inRange({ alpha }, (value) => value >= 0 && value < 1, 'from 0 to below 1');
  checkPositive({ eps });
  inRange({ momentum, weightDecay }, (value) => value >= 0, 'at least 0');
  return {
    file: 'rmsprop',
    constants: { MOMENTUM: momentum > 0 },
    state: ['square_avg', momentum > 0 ? 'momentum_buffer' : undefined],
    params: (_step, lr) => ({ lr, alpha, rest: 1 - alpha, eps, momentum, decay: weightDecay }),
  };
}

const rules: { readonly [K in OptimizerKind]: (attrs: OptimizerAttrs[K]) => Rule } = {
  adam: (attrs) => adamRule(attrs, false),
  adamw: (attrs) => adamRule(attrs, true),
  sgd: sgdRule,
  rmsprop: rmspropRule,
};

/**
 * An optimiser of the given parameters: one flat pair, or several where one would pass the adapter's binding limit. Make
 * it outside of all scopes, for its state is to live on. With a loss scale, gradients are those of scaled losses, and a step
 * with an overflow changes nothing but the scale. Throws an error that names the attribute if one is out of range.
 */
export function createOptimizer<K extends OptimizerKind>(
  e: Engine,
  name: K,
  parameters: readonly FlatParameters[],
  attrs: OptimizerAttrs[K],
  lossScale?: LossScale,
): Optimizer {
  const rule = rules[name](attrs);
  checkPositive({ lr: attrs.lr });
  const pieces = parameters.map(({ values, gradients }) => {
    if (sizeOf(values.shape) !== sizeOf(gradients.shape)) {
      throw new Error(
        `${name}: values of shape ${formatShape(values.shape)} have gradients of shape ${formatShape(gradients.shape)}`,
      );
    }
    const state = rule.state.map((entry) => (entry ? fill(e, e.empty(values.shape), 0) : undefined));
    return { values, gradients, state };
  });
  let step = 0;
  return {
    name,
    get step() {
      return step;
    },
    setStep(taken) {
      if (!Number.isInteger(taken) || taken < 0) throw new Error(`${name}: ${taken} is no number of steps`);
      step = taken;
    },
    update(engine, lr = attrs.lr) {
      step++;
      const params = rule.params(step, lr);
      // These stand for what the kernel binds and never touches.
      const unused = engine.empty([1]);
      const unscaled = engine.empty([4]);
      for (const { gradients } of pieces) lossScale?.inspect(engine, gradients);
      for (const { values, gradients, state } of pieces) {
        const count = vectors(values);
        engine.dispatch({
          file: rule.file,
          uses: ['lib/loss_scale', 'lib/unscaled'],
          constants: { FLAG: 'u32', SCALED: lossScale !== undefined, ...rule.constants },
          tensors: [gradients, values, ...state.map((tensor) => tensor ?? unused), lossScale?.state ?? unscaled],
          params: { vectors: count, ...params },
          grid: gridFor(count, 64),
        });
      }
      lossScale?.adjust(engine);
      engine.release(unused);
      engine.release(unscaled);
    },
    state: () =>
      Object.fromEntries(
        pieces.flatMap(({ state }, piece) =>
          rule.state.flatMap((entry, i) => {
            const tensor = state[i];
            return entry && tensor ? [[pieces.length > 1 ? `${entry}.${piece}` : entry, tensor]] : [];
          }),
        ),
      ),
  };
}

function inRange(values: Readonly<Record<string, number>>, valid: (value: number) => boolean, range: string): void {
  for (const [name, value] of Object.entries(values)) {
    if (!valid(value)) throw new Error(`${name} must be ${range}, not ${value}`);
  }
}

const checkPositive = (values: Readonly<Record<string, number>>): void =>
  inRange(values, (value) => value > 0 && Number.isFinite(value), 'above 0');
