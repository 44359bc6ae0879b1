/** relu, relu6, leaky_relu, sigmoid, tanh, softplus and scaled_hard_sigmoid as ops of their own. */
import { gridFor } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { sizeOf, type Tensor, vectors } from '../memory/tensor.js';
import * as oracle from '../reference/elementwise.js';
import { type Activation, activationCode, activationGradient, slopeOf } from './activation.js';
import { type Case, defineOp, type Op } from './define.js';

type ActivationOp = Op<{ slope?: number }, readonly [Tensor]>;

function activationOp(
  activation: Activation,
  formula: string,
  reference: ActivationOp['reference'],
  further: readonly Case<{ slope?: number }>[] = [],
): ActivationOp {
  const cases = [...[[1], [3, 5, 7], [4, 4]].map((shape) => ({ shapes: [shape], attrs: {} })), ...further];
  return defineOp<{ slope?: number }, readonly [Tensor]>({
    name: activation,
    summary: `y = ${formula}, elementwise`,
    inputs: ['x'],
    half: { x: 'f16' },
    shape: ([x]) => x!,
    forward(e, [x], attrs) {
      const y = e.empty(x.shape, x.dtype);
      const params = { vectors: vectors(x), slope: slopeOf(attrs) };
      e.dispatch({
        file: 'activation',
        uses: ['lib/activation'],
        constants: { ...elements({ X: x, Y: y }, 4), ACTIVATION: activationCode({ activation }) },
        tensors: [x, y],
        params,
        grid: gridFor(params.vectors, 64),
      });
      return { y };
    },
    saves: ['y'],
    backward: (e, { y }, gy, attrs, [want], spare) => [
      want && activationGradient(e, y!, gy, { activation, ...attrs }, spare ? gy : want()),
    ],
    reference,
    flops: ([x]) => sizeOf(x!),
    cases,
    bench: [{ shapes: [[16, 64, 32, 32]], attrs: {} }],
  });
}

export const relu = activationOp('relu', 'max(x, 0)', oracle.relu);
export const relu6 = activationOp('relu6', 'min(max(x, 0), 6)', oracle.relu6);
export const leakyRelu = activationOp('leaky_relu', 'x if x > 0 else slope x', oracle.leakyRelu, [
  { shapes: [[5, 7]], attrs: { slope: 0.2 } },
]);
export const sigmoid = activationOp('sigmoid', '1 / (1 + exp(-x))', oracle.sigmoid);
export const tanh = activationOp('tanh', 'tanh(x)', oracle.tanh);
export const softplus = activationOp('softplus', 'log(1 + exp(x))', oracle.softplus);
export const scaledHardSigmoid = activationOp('scaled_hard_sigmoid', 'relu6(x + 3) / 3', oracle.scaledHardSigmoid);
