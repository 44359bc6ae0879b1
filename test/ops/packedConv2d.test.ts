/** What the two gradients of a convolution pack together, they compute as each does alone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { worksOf } from '../../src/kernel/works.js';
import type { Shape, Tensor } from '../../src/memory/tensor.js';
import { sizeOf } from '../../src/memory/tensor.js';
import { type Conv2dAttrs, conv2d, convTranspose2d } from '../../src/ops/conv2d.js';
import { normal } from '../../src/reference/random.js';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.close());

/** As on a CPU without subgroups, with every product on packed operands. */
function packingEngine(body: (dry: Engine) => void): Engine {
  const assumed = { software: true, lanes: 0 } as const;
  const plans = worksOf(new Engine(gpu, assumed), body).map(({ work }): [string, string] => {
    const candidates = work.candidates(new Engine(gpu, assumed).capabilities);
    return [work.name, candidates.find(({ name }) => name.startsWith('packed_alone'))!.name];
  });
  return new Engine(gpu, assumed, { id: 'packed', plans: new Map(plans) });
}

const noise = (e: Engine, shape: Shape, stream: number): Tensor =>
  e.upload(Float32Array.from(normal(7, stream, sizeOf(shape))), shape);

type Wanted = readonly [gx: boolean, gw: boolean];

it.each<[string, boolean, typeof conv2d | typeof convTranspose2d, Shape, Shape, Conv2dAttrs]>([
  ['3 x 3', true, conv2d, [2, 5, 6, 8], [7, 5, 3, 3], { padding: [1, 1] }],
  ['without padding', true, conv2d, [2, 3, 6, 6], [4, 3, 3, 3], {}],
  ['of stride 2', true, conv2d, [2, 5, 8, 16], [6, 5, 3, 3], { stride: [2, 2], padding: [1, 1] }],
  ['dilated', true, conv2d, [1, 3, 8, 8], [5, 3, 3, 3], { padding: [2, 2], dilation: [2, 2] }],
  ['with rows that margins do not fill', false, conv2d, [2, 3, 5, 5], [4, 3, 1, 1], {}],
  ['transposed', true, convTranspose2d, [2, 5, 4, 4], [5, 6, 4, 4], { stride: [2, 2], padding: [1, 1] }],
  ['transposed, of odd rows', false, convTranspose2d, [2, 3, 3, 3], [3, 4, 4, 4], { stride: [2, 2], padding: [1, 1] }],
])('%s', async (_name, isShared, op, x, weight, attrs) => {
  const y = op.shape([x, weight], attrs);
  const backward = (e: Engine, [gx, gw]: Wanted): (Tensor | undefined)[] => {
    const saved = { x: noise(e, x, 0), weight: noise(e, weight, 1), y: e.empty(y) };
    return op.backward!(e, saved, noise(e, y, 2), attrs, [
      gx ? () => e.empty(x) : undefined,
      gw ? () => e.empty(weight) : undefined,
      undefined,
    ]).slice(0, 2);
  };
  const e = packingEngine((dry) => dry.scope(() => void backward(dry, [true, true])));
  const run = async (wanted: Wanted) => {
    const before = e.counters().dispatches;
    const gradients = e.scope(() => backward(e, wanted).filter((gradient) => gradient !== undefined));
    const { dispatches } = e.counters();
    return { values: await Promise.all(gradients.map((one) => e.read(one))), dispatches: dispatches - before };
  };
  const [inputs, weights] = [await run([true, false]), await run([false, true])];
  // The first time the texture may have to grow: then the second gradient packs everything itself.
  for (const grown of [true, false]) {
    const both = await run([true, true]);
    expect(both.values).toEqual([...inputs.values, ...weights.values]);
    if (!grown) expect(both.dispatches).toBe(inputs.dispatches + weights.dispatches - (isShared ? 1 : 0));
  }
});
