/** The tape: what it records, what it adds up, what it leaves alone, and what it gives back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { tanh } from '../../src/ops/activations.js';
import { add, mul, sub } from '../../src/ops/elementwise.js';
import { linear } from '../../src/ops/matmul.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/shape.js';

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
