/** The tape: what it records, what it adds up, what it leaves alone, and what it gives back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HalfCopies } from '../../src/autograd/halves.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { tanh } from '../../src/ops/activations.js';
import { batchNorm } from '../../src/ops/batchNorm.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { dropout } from '../../src/ops/dropout.js';
import { add, mul, sub } from '../../src/ops/elementwise.js';
import { crossEntropy } from '../../src/ops/loss.js';
import { linear } from '../../src/ops/matmul.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/shape.js';
import { spectralNorm } from '../../src/ops/spectralNorm.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const tensor = (...values: number[]): Tensor => e.upload(Float32Array.from(values), [values.length]);
const read = async (t: Tensor | undefined): Promise<number[]> => [...(await e.read(t!))];

describe('backward', () => {
  it('adds up all uses of a tensor, also both inputs of one op', async () => {
    const x = tensor(1, -2, 3);
    const gradients = new Gradients([x]);
    const tape = new Tape(e, gradients);
    // x^2 + x^2 x
    const square = tape.apply(mul, [x, x], {});
    const y = tape.apply(add, [square, tape.apply(mul, [square, x], {})], {});
    tape.backward(tape.apply(sum, [y], {}));
    expect(await read(gradients.of(x))).toEqual([1, -2, 3].map((v) => 2 * v + 3 * v * v));
  });

  it('sums over broadcast dimensions', async () => {
    const [a, b] = [tensor(1, 2, 3, 4, 5, 6), tensor(10, 20, 30)];
    const gradients = new Gradients([b]);
    const tape = new Tape(e, gradients);
    const y = tape.apply(sub, [tape.apply(reshape, [a], { shape: [2, 3] }), b], {});
    tape.backward(y, e.upload(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]));
    expect(await read(gradients.of(b))).toEqual([-5, -7, -9]);
  });

  it('accumulates over backward passes until cleared', async () => {
    const x = tensor(2);
    const gradients = new Gradients([x]);
    const pass = () => {
      const tape = new Tape(e, gradients);
      tape.backward(tape.apply(mul, [x, x], {}));
    };
    pass();
    pass();
    expect(await read(gradients.of(x))).toEqual([8]);
    gradients.clear();
    expect(gradients.of(x)).toBeUndefined();
    pass();
    expect(await read(gradients.of(x))).toEqual([4]);
  });

  it('writes gradients to the places that they are given', async () => {
    const [x, place] = [tensor(3, 4), tensor(0, 0)];
    const gradients = new Gradients([x], () => place);
    const tape = new Tape(e, gradients);
    tape.backward(tape.apply(sum, [tape.apply(mul, [x, x], {})], {}));
    expect(gradients.of(x)).toBe(place);
    expect(await read(place)).toEqual([6, 8]);
  });

  it('fills in zeros for what the loss does not depend on', async () => {
    const [x, unused] = [tensor(1), tensor(1, 1)];
    const gradients = new Gradients([x, unused]);
    const tape = new Tape(e, gradients);
    tape.backward(tape.apply(tanh, [x], {}));
    expect(gradients.of(unused)).toBeUndefined();
    gradients.fillMissing(e);
    expect(await read(gradients.of(unused))).toEqual([0, 0]);
  });
});

describe('recording', () => {
  it('computes no gradient of what is not tracked: a frozen layer costs no weight gradient', () => {
    const [x, w] = [e.upload(new Float32Array(6), [2, 3]), e.upload(new Float32Array(12), [4, 3])];
    const dispatches = (tracked: Tensor[]): number => {
      const tape = new Tape(e, new Gradients(tracked));
      const y = tape.apply(linear, [x, w], {});
      const before = e.counters().dispatches;
      tape.backward(y, e.upload(new Float32Array(8), [2, 4]));
      return e.counters().dispatches - before;
    };
    expect(dispatches([])).toBe(0);
    expect(dispatches([x])).toBeLessThan(dispatches([x, w]));
  });

  it('stops in a no-grad region', async () => {
    const x = tensor(3);
    const gradients = new Gradients([x]);
    const tape = new Tape(e, gradients);
    const constant = tape.noGrad(() => tape.apply(mul, [x, x], {}));
    tape.backward(tape.apply(mul, [constant, x], {}));
    expect(await read(gradients.of(x))).toEqual([9]);
  });

  it('says which shapes do not fit', () => {
    const tape = new Tape(e);
    expect(() => tape.apply(add, [tensor(1, 2), tensor(1, 2, 3)], {})).toThrow(
      /add: a and b cannot be broadcast.*\[2\] and \[3\]/,
    );
  });
});

it('gives back what a step took, and allocates nothing after the first steps', () => {
  const x = e.upload(new Float32Array(64), [8, 8]);
  const gradients = new Gradients([x], () => e.empty([8, 8]));
  const step = () =>
    e.scope(() => {
      const tape = new Tape(e, gradients);
      let y = x;
      for (let i = 0; i < 5; i++) y = tape.apply(tanh, [tape.apply(add, [tape.apply(mul, [y, x], {}), y], {})], {});
      gradients.clear();
      tape.backward(tape.apply(sum, [y], {}));
      return null;
    });
  for (let i = 0; i < 3; i++) step();
  const before = e.memory();
  for (let i = 0; i < 50; i++) step();
  expect(e.memory()).toMatchObject({ bytes: before.bytes, inUse: before.inUse, allocations: before.allocations });
});

/** Bytes in use at each dispatch of `body`. */
function inUseDuring(body: (engine: Engine) => void): number[] {
  const seen: number[] = [];
  const watched: Engine = Object.create(e);
  watched.dispatch = (run) => {
    seen.push(e.memory().inUse);
    e.dispatch(run);
  };
  body(watched);
  return seen;
}

const SIDE = 32;
const BYTES = 4 * SIDE * SIDE;

it('backward gives each activation back as soon as it has used it', () => {
  const x = e.upload(new Float32Array(SIDE * SIDE).fill(0.1), [SIDE, SIDE]);
  const gradients = new Gradients([x], () => e.empty([SIDE, SIDE]));
  const before = e.memory().inUse;
  let afterForward = 0;
  const seen = inUseDuring((engine) => {
    const tape = new Tape(engine, gradients);
    let y = x;
    for (let i = 0; i < 8; i++) y = tape.apply(tanh, [y], {});
    afterForward = e.memory().inUse;
    tape.backward(tape.apply(sum, [y], {}));
  });
  expect(afterForward).toBe(before + 8 * BYTES);
  // At each tanh its own result, those before it, and one gradient in which the next is written; then a copy to x's place.
  expect(seen.slice(-9).map((bytes) => Math.round((bytes - before) / BYTES))).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 2]);
});

describe('a scope', () => {
  it('frees what no gradient needs, and nothing else', async () => {
    const [a, b] = [tensor(1, 2, 3), tensor(4, 5, 6)];
    const gradients = new Gradients([a, b]);
    const tape = new Tape(e, gradients);
    const before = e.memory().inUse;
    const y = tape.scope(() => {
      const product = tape.apply(mul, [a, b], {});
      // sub saves nothing: of these only the result and what tanh saved are left.
      const difference = tape.apply(sub, [tape.apply(tanh, [product], {}), product], {});
      return tape.apply(mul, [difference, a], {});
    });
    expect(e.memory().inUse - before).toBe(3 * 256);
    tape.backward(y, tensor(1, 1, 1));
    // y = (tanh(ab) - ab) a
    const expected = [
      [1, 4],
      [2, 5],
      [3, 6],
    ].map(([p, q]) => Math.tanh(p! * q!) - p! * q! + p! * (1 - Math.tanh(p! * q!) ** 2 - 1) * q!);
    (await read(gradients.of(a))).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 3);
    });
  });

  it('frees all but its result where nothing is recorded, views included', async () => {
    const x = tensor(1, 2, 3, 4);
    const before = e.memory().inUse;
    const tape = new Tape(e);
    const y = tape.scope(() => {
      const inner = tape.scope(() => tape.apply(reshape, [tape.apply(mul, [x, x], {})], { shape: [2, 2] }));
      return tape.apply(reshape, [tape.apply(add, [inner, inner], {})], { shape: [4] });
    });
    expect(e.memory().inUse - before).toBe(256);
    expect(await read(y)).toEqual([2, 8, 18, 32]);
    expect(await read(x)).toEqual([1, 2, 3, 4]);
    const view = tape.scope(() => tape.apply(reshape, [x], { shape: [2, 2] }));
    expect(view.storage.free).toBe(false);
    e.release(y);
  });
});

describe('a checkpoint', () => {
  const ones = new Float32Array(2 * SIDE * SIDE).fill(1);
  const image = Float32Array.from(normal(3, 0, ones.length));
  const weights = Float32Array.from(normal(3, 1, 2 * 2 * 9));

  interface Result {
    readonly gradients: readonly Float32Array[];
    readonly state: readonly Float32Array[];
    /** Of the pool, while the gradients were computed. */
    readonly peak: number;
    readonly left: number;
    readonly calls: number;
  }

  /** A part with running statistics, power iterations and dropout, and a part that leads on from it. */
  async function compute(checkpoints: boolean, halves?: HalfCopies): Promise<Result> {
    const engine = new Engine(gpu);
    const up = (data: Float32Array, shape: number[]) => engine.upload(data, shape);
    const x = up(image, [1, 2, SIDE, SIDE]);
    const w = up(weights, [2, 2, 3, 3]);
    const [scale, shift] = [up(Float32Array.of(1, 2), [2]), up(Float32Array.of(0, 1), [2])];
    const [mean, variance] = [up(Float32Array.of(0, 0), [2]), up(Float32Array.of(1, 1), [2])];
    const [u, v] = [up(Float32Array.of(0.6, 0.8), [2]), up(new Float32Array(18).fill(18 ** -0.5), [18])];
    const inputs = [x, w, scale, shift];
    const gradients = new Gradients(inputs, (one) => engine.empty(one.shape));
    const cotangent = up(ones, [1, 2, SIDE, SIDE]);
    const before = engine.memory().inUse;
    const tape = new Tape(engine, gradients, { checkpoints, halves });
    let stream = 0;
    const padding = [1, 1] as const;
    const part = (input: Tensor): Tensor =>
      tape.checkpoint(() => {
        const normed = tape.apply(spectralNorm, [w, u, v], { iterations: 1 });
        const z = tape.apply(conv2d, [input, normed, undefined], { padding, activation: 'leaky_relu' });
        const n = tape.apply(batchNorm, [z, scale, shift, mean, variance], { training: true, activation: 'tanh' });
        const dropped = tape.apply(dropout, [n], { p: 0.5, seed: 1, stream: stream++, training: true });
        return tape.apply(add, [tape.apply(tanh, [dropped], {}), input], {});
      });
    const y = part(part(part(x)));
    tape.backward(y, cotangent);
    const { peak, inUse } = engine.memory();
    const results: Result = {
      gradients: await Promise.all(inputs.map((one) => engine.read(gradients.of(one)!))),
      state: await Promise.all([mean, variance, u, v, y].map((one) => engine.read(one))),
      peak,
      left: inUse - before,
      calls: stream,
    };
    return results;
  }

  it('computes the same with less memory: gradients, running statistics, power iterations, dropout', async () => {
    const kept = await compute(false);
    const forgotten = await compute(true);
    expect(forgotten.gradients).toEqual(kept.gradients);
    expect(forgotten.state).toEqual(kept.state);
    expect(forgotten.calls).toBe(3);
    expect(forgotten.peak).toBeLessThan(0.75 * kept.peak);
    expect([kept.left, forgotten.left]).toEqual([2 * BYTES, 2 * BYTES]);
  });

  it('does so in mixed precision too', async ({ skip }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    const kept = await compute(false, new Map());
    const forgotten = await compute(true, new Map());
    expect(forgotten.gradients).toEqual(kept.gradients);
    expect(forgotten.state).toEqual(kept.state);
    expect(forgotten.left).toBe(kept.left);
  });

  it('is given back where no gradient comes to it', () => {
    const x = tensor(1, 2);
    const before = e.memory().inUse;
    const tape = new Tape(e, new Gradients([x]), { checkpoints: true });
    const aside = tape.checkpoint(() => tape.apply(tanh, [tape.apply(tanh, [x], {})], {}));
    expect(e.memory().inUse - before).toBe(256);
    const y = tape.checkpoint(() => tape.noGrad(() => tape.apply(tanh, [aside], {})));
    tape.backward(y, tensor(1, 1));
    e.release(y);
    expect(aside.storage.free).toBe(true);
  });

  it('takes no more memory in the fiftieth pass than in the third', () => {
    const x = e.upload(new Float32Array(64), [8, 8]);
    const gradients = new Gradients([x], () => e.empty([8, 8]));
    const step = () =>
      e.scope(() => {
        const tape = new Tape(e, gradients, { checkpoints: true });
        let y = x;
        for (let i = 0; i < 4; i++) {
          const input = y;
          y = tape.checkpoint(() => tape.apply(mul, [tape.apply(tanh, [input], {}), x], {}));
        }
        gradients.clear();
        tape.backward(tape.apply(sum, [y], {}));
        return null;
      });
    for (let i = 0; i < 3; i++) step();
    const before = e.memory();
    for (let i = 0; i < 50; i++) step();
    expect(e.memory()).toMatchObject({ bytes: before.bytes, inUse: before.inUse, allocations: before.allocations });
  });
});

describe('in mixed precision', () => {
  it('an op that may takes copies and casts in f16, its gradients go to f32, and what may not takes f32', async ({
    skip,
  }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    const x = e.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const w = e.upload(Float32Array.of(1, 10, 100, 0.1), [2, 2]);
    // Other numbers than w, to tell which were used.
    const copy = e.upload(Float32Array.of(1, 10, 100, 1), [2, 2], 'f16');
    const [bias, place] = [tensor(0.5, 0.25), e.empty([2, 2])];
    const gradients = new Gradients([w, bias], (one) => (one === w ? place : e.empty([2])));
    const tape = new Tape(e, gradients, { halves: new Map([[w, copy]]) });
    const y = tape.apply(linear, [x, w, bias], {});
    expect([y.dtype, await read(y)]).toEqual(['f16', [21.5, 102.25, 43.5, 304.25]]);
    const loss = tape.apply(crossEntropy, [y, e.upload(Int32Array.of(0, 1), [2])], {});
    expect(loss.dtype).toBe('f32');
    tape.backward(loss, e.upload(Float32Array.of(2), []));
    // Both rows are sure of the second class: only the first is wrong.
    expect([place.dtype, await read(place)]).toEqual(['f32', [-1, -2, 1, 2]]);
    expect(await read(gradients.of(bias))).toEqual([-1, 1]);
    expect(copy.storage.free).toBe(false);
  });

  it('a gradient to which several add comes to one sum', async ({ skip }) => {
    if (!e.capabilities.f16) return skip(`${gpu.info.name} has no shader-f16`);
    const x = tensor(1, -2, 3);
    const gradients = new Gradients([x]);
    const tape = new Tape(e, gradients, { halves: new Map() });
    const square = tape.apply(mul, [x, x], {});
    const y = tape.apply(add, [square, tape.apply(mul, [square, x], {})], {});
    expect(y.dtype).toBe('f16');
    const total = tape.apply(sum, [y], {});
    expect(total.dtype).toBe('f32');
    tape.backward(total);
    expect(gradients.of(x)!.dtype).toBe('f32');
    expect(await read(gradients.of(x))).toEqual([1, -2, 3].map((v) => 2 * v + 3 * v * v));
  });
});
