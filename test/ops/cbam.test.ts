import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, describeCase } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { channelGate, channelPool, globalPool, spatialGate } from '../../src/ops/cbam.js';
import type { Op } from '../../src/ops/define.js';
import { opByName } from '../../src/ops/index.js';
import { randomNormal } from '../../src/ops/random.js';
import { teamWidth } from '../../src/ops/team.js';

let gpu: Gpu;
let engine: Engine;
/** Chooses kernels as on a real GPU, where invocations share sums. */
let sharing: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
  sharing = new Engine({ ...gpu, info: { ...gpu.info, software: false } });
});

afterAll(() => gpu?.close());

async function gradientOfX(op: Op, x: Float32Array, shape: number[], gy: Float32Array): Promise<number[]> {
  const tensor = engine.upload(x, shape);
  const gradients = new Gradients([tensor]);
  const tape = new Tape(engine, gradients);
  const y = tape.apply(op, [tensor], {});
  tape.backward(y, engine.upload(gy, y.shape));
  return [...(await engine.read(gradients.of(tensor)!))];
}

describe('values that tie for a maximum share its gradient', () => {
  it('in a plane', async () => {
    const x = Float32Array.of(1, 3, 3, 0, 2, 3);
    // The mean has no gradient, the maximum 6.
    expect(await gradientOfX(opByName.get('global_pool')!, x, [1, 1, 2, 3], Float32Array.of(0, 6))).toEqual([
      0, 2, 2, 0, 0, 2,
    ]);
  });

  it('in a plane of zeros', async () => {
    const gradient = await gradientOfX(
      opByName.get('global_pool')!,
      new Float32Array(64),
      [1, 1, 8, 8],
      Float32Array.of(64, 32),
    );
    expect(gradient).toEqual(new Array(64).fill(1.5));
  });

  it('among channels', async () => {
    const x = Float32Array.of(5, 1, 5, 2, 4, 2);
    // Two pixels of three channels: channels 0 and 1 tie in the first, 1 and 2 in the second.
    expect(await gradientOfX(opByName.get('channel_pool')!, x, [1, 3, 1, 2], Float32Array.of(4, 8, 0, 0))).toEqual([
      2, 0, 2, 4, 0, 4,
    ]);
  });
});

describe('a gate whose input is frozen', () => {
  it.each([
    [channelGate, [4, 3]],
    [spatialGate, [2, 1, 2, 2]],
  ] as const)('gives the same gradient for the logits alone: $0.name', async (op, shape) => {
    const x = randomNormal(engine, [2, 3, 2, 2], { seed: 1, stream: 0 });
    const logits = randomNormal(engine, shape, { seed: 1, stream: 1 });
    const [both, alone] = [[x, logits], [logits]].map((tracked) => {
      const gradients = new Gradients(tracked);
      const tape = new Tape(engine, gradients);
      tape.backward(tape.apply(op, [x, logits], {}));
      return gradients;
    });
    expect(alone!.of(x)).toBeUndefined();
    expect(await engine.read(alone!.of(logits)!)).toEqual(await engine.read(both!.of(logits)!));
  });
});

describe('with invocations that share sums', () => {
  const ops = ['global_pool', 'channel_gate', 'channel_pool', 'spatial_gate'].map((name) => opByName.get(name)!);

  it.each(ops.flatMap((op) => op.cases.map((test) => [describeCase(op, test), op, test] as const)))(
    '%s',
    async (_title, op, test) => {
      const result = await checkCase(sharing, op, test);
      expect(result.forward.error, result.forward.where).toBeLessThan(op.tolerance.forward);
      expect(result.gradient?.error, result.gradient?.where).toBeLessThan(op.tolerance.gradient);
      expect(result.deterministic).toBe(true);
    },
  );

  it('does so in every kernel that sums', () => {
    const kernels = sharing.compiledKernels().join('\n');
    expect(kernels.match(/^global_pool\+.*WIDTH=64$/m)).not.toBeNull();
    expect(kernels.match(/^channel_gate_gradient\+.*WIDTH=64$/m)).not.toBeNull();
    expect(kernels.match(/^channel_pool\+.*WIDTH=8$/m)).not.toBeNull();
    expect(kernels.match(/^spatial_gate_gradient\+.*WIDTH=8$/m)).not.toBeNull();
  });
});

describe('teamWidth', () => {
  const onGpu = { software: false, lanes: 0 as const, f16: true };
  const onCpu = { software: true, lanes: 8 as const, f16: true };

  it('shares long sums only, and on the CPU few sums only', () => {
    expect(teamWidth(onGpu, 4096, 1024, 64)).toBe(64);
    expect(teamWidth(onGpu, 4096, 64, 64)).toBe(1);
    expect(teamWidth(onCpu, 4096, 1024, 64)).toBe(1);
    expect(teamWidth(onCpu, 16, 1024, 64)).toBe(64);
  });
});

it('shapes that do not fit are told', () => {
  const x = [2, 3, 4, 5];
  expect(() => globalPool.shape([[2, 3]], {})).toThrow('global_pool: x must have 4 dimensions; the shapes are [2, 3]');
  expect(() => channelGate.shape([x, [2, 3]], {})).toThrow('channel_gate: logits must be [4, 3] for x');
  expect(() => channelPool.shape([[1, 2, 3]], {})).toThrow('channel_pool: x must have 4 dimensions');
  expect(() => spatialGate.shape([x, [2, 2, 4, 5]], {})).toThrow('spatial_gate: logits must be [2, 1, 4, 5] for x');
});
