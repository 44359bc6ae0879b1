/** What `lyrebird bench` times: the `bench` cases of every op's record, pass by pass, and whole training steps. */
import { caseInputs, describeCase } from '../autograd/check.js';
import { gradientDtype } from '../autograd/halves.js';
import { Gradients, Tape } from '../autograd/tape.js';
import type { Engine } from '../kernel/engine.js';
import { paddedBytes, type Storage, sizeOf, type Tensor } from '../memory/tensor.js';
import { type Case, inputName, type Op, type Saved } from '../ops/define.js';
import { ops } from '../ops/index.js';
import type { Precision } from '../train/precision.js';
import type { Benchmark, Pass, Prepared } from './benchmark.js';
import { dynamicBenchmark } from './dynamicBenchmark.js';
import { generateBenchmark } from './generateBenchmark.js';
import { stepBenchmark } from './stepBenchmark.js';

/** Layers that can be computed in two ways, with many pixels and few channels, and the other way round. */
const forms: readonly Benchmark[] = [dynamicBenchmark([16, 64, 16, 16]), dynamicBenchmark([16, 256, 4, 4])];

/** Whole training steps, and batches of images generated, of one pass each. */
const whole: readonly Benchmark[] = [
  stepBenchmark(32, 16),
  stepBenchmark(64, 16),
  generateBenchmark('small', 32),
  generateBenchmark('reference', 32),
  generateBenchmark('reference', 64),
];

/** In the order in which they are timed. */
export const benchmarks: readonly Benchmark[] = [
  ...ops.flatMap((op) =>
    op.bench.map((test) => ({
      name: describeCase(op, test),
      prepare: (e: Engine, precision?: Precision) => prepareCase(e, op, test, precision),
    })),
  ),
  ...forms,
  ...whole,
];

/** The passes of one case: forward; the gradient of each input alone; if there are several, all of it as in training. */
function prepareCase(e: Engine, op: Op, test: Case<object>, precision: Precision = 'f32'): Prepared {
  const inputs = caseInputs(op, test).map((input, i) => {
    if (!input) return undefined;
    const integer = typeof test.fill?.[inputName(op.inputs[i]!)] === 'object';
    if (integer) return e.upload(Int32Array.from(input.data), input.shape);
    const half = precision === 'f16' && inputName(op.inputs[i]!) in op.half;
    return e.upload(Float32Array.from(input.data), input.shape, half ? 'f16' : 'f32');
  });
  const { attrs } = test;
  const shape = op.shape(test.shapes, attrs);
  const flops = op.flops(test.shapes, attrs, shape);
  // Not in a scope, so these last until `release`.
  const results = op.forward(e, inputs, attrs, shape);
  const gy = e.upload(new Float32Array(sizeOf(shape)).fill(1), shape, results.y.dtype);
  const lasting = [...new Set([...inputs, ...Object.values(results), gy])].filter((tensor) => tensor !== undefined);
  const pass = (name: string, operations: number | undefined, body: (e: Engine) => Tensor | undefined): Pass[] => {
    const bytes = traffic(e, lasting, body);
    const run = () => e.scope(() => void body(e));
    return bytes === undefined ? [] : [{ name, flops: operations, bytes, run }];
  };

  const saved: Saved = { ...Object.fromEntries(op.inputs.map((name, i) => [inputName(name), inputs[i]!])), ...results };
  const gradients = inputs.flatMap((input, i) => {
    if (!op.backward || !input || !isReal(input)) return [];
    // The gradient of a factor takes the operations of the product; that of a vector, such as a bias, only some of them.
    const operations = input.shape.length > 1 ? flops : undefined;
    return pass(`d ${inputName(op.inputs[i]!)}`, operations, (engine) => {
      const want = inputs.map((_, j) =>
        i === j ? () => engine.empty(input.shape, gradientDtype(op, i, input)) : undefined,
      );
      return op.backward!(engine, saved, gy, attrs, want)[i];
    });
  });
  const training = gradients.length > 1 ? trainingPass(e, op, inputs, attrs, gy) : undefined;
  return {
    passes: [
      ...pass('forward', flops, (engine) => op.forward(engine, inputs, attrs, shape).y),
      ...gradients,
      ...(training ? [training.pass] : []),
    ],
    release() {
      training?.release();
      for (const tensor of lasting) e.release(tensor);
    },
  };
}

/**
 * Bytes of the lasting tensors that the kernels of `body` bind, each counted once, and of its result: what has to move at
 * least. Undefined if `body` has no result or runs no kernel, so that there is nothing to time.
 */
function traffic(e: Engine, lasting: readonly Tensor[], body: (e: Engine) => Tensor | undefined): number | undefined {
  const bound = new Set<Storage>();
  const watched: Engine = Object.create(e);
  watched.dispatch = (run) => {
    for (const { storage } of run.tensors) bound.add(storage);
    e.dispatch(run);
  };
  return e.scope(() => {
    const result = body(watched);
    if (!result || bound.size === 0) return undefined;
    const moved = [...lasting.filter(({ storage }) => bound.has(storage)), result];
    return moved.reduce((bytes, { shape, dtype }) => bytes + paddedBytes(shape, dtype), 0);
  });
}

const isReal = ({ dtype }: Tensor): boolean => dtype === 'f32' || dtype === 'f16';

/** Forward and backward through the tape, all gradients. */
function trainingPass(
  e: Engine,
  op: Op,
  inputs: readonly (Tensor | undefined)[],
  attrs: object,
  gy: Tensor,
): { readonly pass: Pass; release(): void } {
  const tracked = inputs.filter((input): input is Tensor => input !== undefined && isReal(input));
  const place = (input: Tensor) => e.empty(input.shape, gradientDtype(op, inputs.indexOf(input), input));
  const gradients = new Gradients(tracked, place);
  const run = () => {
    gradients.clear();
    const tape = new Tape(e, gradients);
    const y = tape.apply(op, inputs, attrs);
    tape.backward(y, gy);
    e.release(y);
  };
  const release = () => {
    for (const input of tracked) {
      const gradient = gradients.of(input);
      if (gradient) e.release(gradient);
    }
  };
  return { pass: { name: 'forward + backward', run }, release };
}
