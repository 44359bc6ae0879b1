import { describe, expect, it } from 'vitest';
import { opByName } from '../../src/ops/index.js';
import {
  type Array64,
  concat,
  cwt,
  discriminator,
  discriminatorLoss,
  type GeneratorAttrs,
  generator,
  gradient,
  inner,
  type ModuleAttrs,
  make,
  moduleOracles,
  type OptimizerStep,
  type Oracle,
  type Outputs,
  optimizerState,
  optimizers,
  type State,
  slice,
  spectralNormFixed,
} from '../../src/reference/index.js';
import { distance, type ReferenceCase, readCases, scales } from './referenceCases.js';

/** Outputs are stored as float32 of float64 results: they must agree to its rounding. */
const TOLERANCE = 1e-6;
/** Finite differences lose half of float64's digits. */
const GRADIENT_TOLERANCE = 1e-5;
/** Smaller than usual: of the thousands of leaky ReLUs in a network none is to cross its kink within a step. */
const STEP = 1e-6;
/** So many elements of each input are differenced, spread over it; of cases with more input than `LARGE`, fewer. */
const ELEMENTS = 6;
const ELEMENTS_IF_LARGE = 2;
const LARGE = 10_000;

type Run = (inputs: Outputs) => Outputs;
type ModuleOracle = (inputs: Array64[], state: State, attrs: object) => Outputs;

/** A case's inputs that are not state, in their order. */
function dataOf(op: string, inputs: Outputs): Array64[] {
  return op === 'generator' ? [inputs.z, inputs.labels] : [inputs.x];
}

function optimize(op: keyof typeof optimizers, attrs: object, inputs: Outputs): Outputs {
  const step = optimizers[op] as OptimizerStep<object>;
  const param = Float64Array.from(inputs.param.data);
  const state = optimizerState(param.length);
  for (let t = 0; `grad${t}` in inputs; t++) step(param, inputs[`grad${t}`].data, state, attrs);
  return { param: make(inputs.param.shape, param) };
}

/** The oracle of a case as a function of its named inputs. */
function runner({ op, attrs }: ReferenceCase): Run {
  if (op in optimizers) return (inputs) => optimize(op as keyof typeof optimizers, attrs, inputs);
  if (op in moduleOracles) {
    const oracle = moduleOracles[op as keyof typeof moduleOracles] as ModuleOracle;
    return (inputs) => oracle(dataOf(op, inputs), inputs, attrs);
  }
  const oracle = (op === 'cwt' ? cwt : opByName.get(op)!.reference) as Oracle<object>;
  return (inputs) => oracle(Object.values(inputs), attrs);
}

/** What to difference: the same, with u and v held at their new values, which gradients do not flow through. */
function differentiable(testCase: ReferenceCase): Run {
  const { op, inputs, attrs } = testCase;
  if (op === 'spectral_norm') {
    const { u, v } = runner(testCase)(inputs);
    return ({ weight }) => spectralNormFixed([weight, u, v]);
  }
  if (op === 'discriminator' && (attrs as ModuleAttrs).training) {
    const after = Object.entries(runner(testCase)(inputs)).filter(([name]) => name.startsWith('after.'));
    const buffers = Object.fromEntries(after.map(([name, buffer]) => [name.replace('after.', ''), buffer]));
    return (changed) => discriminator([changed.x], { ...changed, ...buffers }, { training: false });
  }
  return runner(testCase);
}

for (const file of ['convolutions', 'layers', 'modules', 'networks', 'wavelets']) {
  const cases = readCases(`${file}.safetensors`)?.filter(({ op }) => op !== 'train_steps');
  describe.skipIf(!cases)(`reference cases: ${file}`, () => {
    for (const testCase of cases ?? []) {
      const { name, inputs, outputs, cotangents, grads } = testCase;

      it(name, () => {
        const actual = runner(testCase)(inputs);
        expect(Object.keys(actual).sort()).toEqual(Object.keys(outputs).sort());
        const scale = scales(outputs);
        for (const [output, expected] of Object.entries(outputs)) {
          expect(actual[output].shape, output).toEqual(expected.shape);
          expect(distance(actual[output].data, expected.data) / scale[output], output).toBeLessThanOrEqual(TOLERANCE);
        }
      });

      if (Object.keys(grads).length === 0) continue;
      it(`${name}: gradients`, () => {
        const run = differentiable(testCase);
        const scale = scales(grads);
        const total = Object.values(inputs).reduce((sum, { data }) => sum + data.length, 0);
        const most = total > LARGE ? ELEMENTS_IF_LARGE : ELEMENTS;
        for (const [input, expected] of Object.entries(grads)) {
          const { shape, data } = inputs[input];
          const loss = (changed: Float64Array) =>
            inner(run({ ...inputs, [input]: { shape, data: changed } }), cotangents);
          const count = Math.min(data.length, most);
          const elements = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * data.length) / count));
          const wanted = elements.map((i) => expected.data[i]);
          const error = distance(gradient(loss, data, elements, STEP), wanted) / scale[input];
          expect(error, input).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
        }
      });
    }
  });
}

const trainSteps = readCases('networks.safetensors')?.filter(({ op }) => op === 'train_steps');
describe.skipIf(!trainSteps)('reference cases: the first discriminator loss of training', () => {
  for (const { name, inputs, outputs, attrs } of trainSteps ?? []) {
    it(name, () => {
      const { generator: generatorAttrs, ...lossAttrs } = attrs as {
        generator: GeneratorAttrs;
        adversarial: 'bce' | 'hinge';
        classOnFakes: boolean;
      };
      const stateOf = (prefix: string): State =>
        Object.fromEntries(
          Object.entries(inputs)
            .filter(([key]) => key.startsWith(prefix))
            .map(([key, value]) => [key.slice(prefix.length), value]),
        );
      const { images0, labels0, zd0, zdLabels0 } = inputs;
      const training = true;
      const { image } = generator([zd0, zdLabels0], stateOf('g.'), { ...generatorAttrs, training });
      const { adversarial, classes } = discriminator([concat([images0, image], { dim: 0 }).y], stateOf('d.'), {
        training,
      });
      const half = (x: Array64, start: number) => slice([x], { dim: 0, start, length: x.shape[0] / 2 }).y;
      const batch = images0.shape[0];
      const { loss } = discriminatorLoss(
        [half(adversarial, 0), half(classes, 0), labels0, half(adversarial, batch), half(classes, batch), zdLabels0],
        lossAttrs,
      );
      expect(Math.abs(loss.data[0] / outputs.lossD.data[0] - 1)).toBeLessThanOrEqual(TOLERANCE);
    });
  }
});
