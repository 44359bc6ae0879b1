import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { byteCount } from '../../src/cli/options.js';
import {
  medians,
  type Phase,
  type Profile,
  type ProfiledDispatch,
  profileStep,
  timeDispatches,
} from '../../src/cli/profile/collect.js';
import { formatProfile } from '../../src/cli/profile/format.js';
import { grouped, total } from '../../src/cli/profile/group.js';
import type { MemoryProfile } from '../../src/cli/profile/memory.js';
import { kernelNames, opsOf } from '../../src/cli/profile/names.js';
import { dispatchTrace, type Trace, type TraceEvent } from '../../src/cli/profile/trace.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { withoutOverlap } from '../../src/device/timing.js';
import { Engine } from '../../src/kernel/engine.js';
import { fill } from '../../src/ops/elementwise.js';
import { matmul } from '../../src/ops/matmul.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { pictures } from './fixtures.js';

const PHASES = [
  'noise',
  'fakes',
  'D forward',
  'D backward',
  'D update',
  'G forward',
  'G backward',
  'G update',
  'losses',
];

const slicesOf = (trace: Trace, title: string): TraceEvent[] => {
  const track = trace.traceEvents.find(({ name, args }) => name === 'thread_name' && args.name === title);
  return trace.traceEvents.filter(({ ph, tid }) => ph === 'X' && tid === track?.tid);
};

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

it('profile accounts for a training step: a table, and the same as JSON and as a trace', async () => {
  const folder = temporaryFolder();
  const [json, trace] = [join(folder, 'out', 'profile.json'), join(folder, 'trace.json')];
  const data = await pictures(join(folder, 'pictures'), ['blue', 'red'], 5);
  const files = ['--json', json, '--trace', trace, '--data', data];
  const ran = await lyrebird('profile', '--preset', 'small', '--batch', '2', '--steps', '2', ...files);
  expect(ran.exitCode).toBe(0);
  expect(ran.stdout).toMatch(/^DR-ACGAN, preset small, 32 x 32, batch 2, 17 classes; median of 2$/m);
  expect(ran.stdout).toMatch(/^loader wait {2}[\d.e-]+ ms {2}a step, [\d.e-]+ ms at most, for its share of 8 images$/m);
  expect(ran.stdout).toMatch(/^dispatches +\d+ +a step$/m);
  expect(ran.stdout).toMatch(/^submits +\d +a step$/m);
  expect(ran.stdout).toMatch(/^wall +[\d.]+ ms/m);

  const result = JSON.parse(readFileSync(json, 'utf8')) as {
    phases: Phase[];
    gpu?: number;
    bytes: number;
    flops: number;
    dispatches?: ProfiledDispatch[];
  };
  expect(result).toMatchObject({ steps: 2, config: { batch: 2, size: 32 }, peakBytes: expect.any(Number) });
  expect(result.phases.map(({ name }) => name)).toEqual(PHASES);
  const events = JSON.parse(readFileSync(trace, 'utf8')) as Trace;
  expect(slicesOf(events, 'phases').map(({ name }) => name)).toEqual(PHASES);

  // A busy machine can make the clocks contradict each other: then there are phases only.
  const { dispatches } = result;
  expect(ran.stdout.includes('timestamps are missing or wrong')).toBe(dispatches === undefined);
  if (!dispatches) return;
  expect(dispatches).toHaveLength(sum(result.phases.map((phase) => phase.dispatches)));
  expect(sum(result.phases.map(({ milliseconds }) => milliseconds))).toBeCloseTo(result.gpu!, 6);
  expect(sum(dispatches.map(({ milliseconds }) => milliseconds))).toBeCloseTo(result.gpu!, 6);
  expect(sum(dispatches.map(({ bytes }) => bytes))).toBe(result.bytes);
  expect(sum(dispatches.map(({ flops }) => flops ?? 0))).toBe(result.flops);
  expect(dispatches.filter(({ phase }) => phase.endsWith('update')).map(({ op }) => op)).toEqual([
    'adam',
    'adam',
    'ema',
  ]);
  expect(slicesOf(events, 'GPU').map(({ name }) => name)).toEqual(dispatches.map(({ name }) => name));
});

it('profile refuses an unknown grouping', async () => {
  const { exitCode, stderr } = await lyrebird('profile', '--by', 'layer');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Allowed choices are op, kernel, dispatch');
});

describe('profile --memory', () => {
  it('runs nothing, and has a line for each batch, with and without checkpoints', async () => {
    const folder = temporaryFolder();
    const json = join(folder, 'memory.json');
    const asked = ['--preset', 'small', '--batch', '1,16', '--within', '24MiB', '--json', json];
    const { exitCode, stdout } = await lyrebird('profile', '--memory', ...asked);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^DR-ACGAN, preset small, 32 x 32, 17 classes, as on /m);
    expect(stdout).toMatch(/^ +1( +\d+){4}$/m);
    expect(stdout).toMatch(/^ +16( +\d+){4}$/m);
    const { keeping, checkpointing } = JSON.parse(readFileSync(json, 'utf8')) as MemoryProfile;
    const [one, sixteen] = keeping.steps;
    expect(sixteen!.tensors).toBeGreaterThan(one!.tensors);
    expect(sixteen!.buffers).toBeGreaterThan(sixteen!.tensors);
    expect(checkpointing.steps[1]!.tensors).toBeLessThan(sixteen!.tensors);
    expect(keeping.largest!.batch).toBeGreaterThan(16);
    expect(checkpointing.largest!.batch).toBeGreaterThan(keeping.largest!.batch);
    const [kept, computed] = [keeping.largest!.batch, checkpointing.largest!.batch];
    expect(stdout).toContain(`largest batch in buffers of 24 MiB: ${kept}, with checkpoints ${computed}`);
  });

  it.each([
    [['--memory', '--within', '8'], 2, 'Give a number with its unit, such as 8GiB or 512MiB.'],
    [['--memory', '--trace', 't.json'], 2, "option '--memory' cannot be used with option '--trace <file>'"],
    [['--memory', '--data', 'd'], 2, "cannot be used with option '--data <dataset>'"],
    [['--memory', '--by', 'op'], 2, "cannot be used with option '--by <what>'"],
    [['--memory', '--steps', '5'], 2, "cannot be used with option '--steps <n>'"],
    [['--memory', '--batch', '1,none'], 2, 'Give a whole number above 0.'],
    [['--batch', '1,2'], 1, 'Several batches go with --memory only'],
    [['--within', '8GiB'], 1, '--within goes with --memory'],
    [['--batch', '99999999'], 1, 'batch'],
    [['--memory', '--batch', '1,99999999'], 1, 'batch'],
    [['--memory', '--preset', 'medium', '--size', '32'], 1, 'The preset medium has a size of its own, 128'],
    [['--json', tmpdir()], 1, 'is a folder, but a file is needed here'],
    [['--trace', tmpdir()], 1, 'is a folder, but a file is needed here'],
  ])('%j is refused in words', async (flags, code, message) => {
    const { exitCode, stderr } = await lyrebird('profile', ...flags);
    expect(exitCode).toBe(code);
    expect(stderr).toContain(message);
  });
});

it('sizes are written with their unit', () => {
  expect(['8GiB', '1.5 GB', '512mib'].map(byteCount)).toEqual([2 ** 33, 1.5e9, 2 ** 29]);
});

describe('a step is measured', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu?.close());

  /** Two phases: a product of [5, 7] and [7, 3] matrices, and two fills. */
  const smallStep = (e: Engine) => (): void => {
    e.scope(() => {
      const [a, b] = [e.empty([5, 7]), e.empty([7, 3])];
      e.mark('product');
      matmul.forward(e, [a, b], {}, [5, 3]);
      e.mark('fills');
      fill(e, a, 1);
      fill(e, b, 2);
      return null;
    });
  };

  it('dispatch by dispatch', async ({ skip }) => {
    if (!gpu.features.has('timestamp-query')) skip();
    const e = new Engine(gpu);
    const [product, ...fills] = await timeDispatches(e, smallStep(e));
    const padded = (values: number) => 16 * Math.ceil(values / 4);
    expect(product).toMatchObject({
      phase: 'product',
      op: 'matmul',
      name: 'matmul',
      start: 0,
      flops: 2 * 5 * 7 * 3,
      bytes: padded(5 * 7) + padded(7 * 3) + padded(5 * 3),
    });
    expect(product!.shapes.slice(0, 2)).toEqual([
      [5, 7],
      [7, 3],
    ]);
    expect(fills.map(({ phase, name, bytes, flops, grid }) => ({ phase, name, bytes, flops, grid }))).toEqual([
      { phase: 'fills', name: 'fill', bytes: padded(5 * 7), flops: undefined, grid: [1, 1, 1] },
      { phase: 'fills', name: 'fill', bytes: padded(7 * 3), flops: undefined, grid: [1, 1, 1] },
    ]);
    expect(e.onMark).toBeUndefined();
  });

  it('only if every dispatch can be timed', async ({ skip }) => {
    if (!gpu.features.has('timestamp-query')) skip();
    const e = new Engine(gpu);
    const tensor = e.empty([4]);
    const run = () => {
      for (let i = 0; i < 2049; i++) fill(e, tensor, i);
    };
    await expect(timeDispatches(e, run)).rejects.toThrow('2049 dispatches, of which only 2048 can be timed');
  });

  it('phase by phase where the adapter has no timestamps', async () => {
    const features = new Set([...gpu.features].filter((name) => name !== 'timestamp-query'));
    const e = new Engine({ ...gpu, features });
    const profile = await profileStep(e, smallStep(e), 2, new AbortController().signal);
    expect(profile.passes).toBeUndefined();
    expect(profile.phases.map(({ name, dispatches }) => ({ name, dispatches }))).toEqual([
      { name: 'product', dispatches: 1 },
      { name: 'fills', dispatches: 2 },
    ]);
    for (const { milliseconds } of profile.phases) expect(milliseconds).toBeGreaterThanOrEqual(0);
    const text = formatProfile(profile, 'kernel');
    expect(text).toContain('timestamps are missing or wrong');
    expect(text).toMatch(/^phase +dispatches +wall ms +share\nproduct +1 /m);
    expect(text).toMatch(/^dispatches +3 /m);
  });

  it('until it is interrupted', async () => {
    const e = new Engine(gpu);
    const stopped = profileStep(e, smallStep(e), 1, AbortSignal.abort(new Error('stopped')));
    await expect(stopped).rejects.toThrow('stopped');
  });
});

/** Dispatches of two kernels that follow each other without a gap. */
const dispatches = [
  { label: 'conv2d_forward+lib/gemm;ROWS=8;BIAS=true', phase: 'forward', milliseconds: 2, bytes: 4e6, flops: 6e6 },
  { label: 'split_sum', phase: 'forward', milliseconds: 1, bytes: 1e6, flops: undefined },
  { label: 'conv2d_forward+lib/gemm;ROWS=4;BIAS=false', phase: 'backward', milliseconds: 5, bytes: 2e6, flops: 10e6 },
].map((dispatch, i, all): ProfiledDispatch => {
  const labels = all.map(({ label }) => label);
  return {
    ...dispatch,
    name: kernelNames(labels).get(dispatch.label)!,
    op: opsOf(labels)[i]!,
    start: sum(all.slice(0, i).map(({ milliseconds }) => milliseconds)),
    grid: [1, 2, 3],
    shapes: [[2, 3], []],
  };
});

describe('names', () => {
  it('say of a kernel what distinguishes it from others of its file', () => {
    expect(dispatches.map(({ name }) => name)).toEqual([
      'conv2d_forward [ROWS=8, BIAS]',
      'split_sum',
      'conv2d_forward [ROWS=4]',
    ]);
    const names = kernelNames(['a+lib/team;W=8', 'a+lib/team_of_one;W=8', 'b+lib/team;W=8']);
    expect([...names.values()]).toEqual(['a [team]', 'a [team_of_one]', 'b']);
  });

  it('say which op a kernel is written for', () => {
    const files = ['spatial_gate_gradient', 'batch_norm_apply', 'max_gradient', 'max_pool2d', 'activation_gradient'];
    expect(opsOf(files)).toEqual(['spatial_gate', 'batch_norm', 'max', 'max_pool2d', 'activation']);
    expect(opsOf(['matmul;ROWS=8', 'split_sum', 'conv2d_forward', 'split_sum;BIAS=true'])).toEqual([
      'matmul',
      'matmul',
      'conv2d',
      'conv2d',
    ]);
  });
});

describe('times', () => {
  it('that overlap are counted once', () => {
    const passes = [
      { start: 0, milliseconds: 4 },
      { start: 1, milliseconds: 5 },
      { start: 2, milliseconds: 1 },
      { start: 7, milliseconds: 1 },
    ];
    expect(withoutOverlap(passes)).toEqual([
      { start: 0, milliseconds: 4 },
      { start: 4, milliseconds: 2 },
      { start: 6, milliseconds: 0 },
      { start: 7, milliseconds: 1 },
    ]);
  });

  it('are medians over steps of the same parts', () => {
    const step = (...times: number[]) => times.map((milliseconds, i) => ({ name: 'ab'[i]!, milliseconds }));
    const steps = [step(1, 10), step(3, 30), step(2, 90)];
    expect(medians(steps, ({ name }) => name)).toEqual(step(2, 30));
    expect(() => medians([step(1, 2), step(1)], ({ name }) => name)).toThrow('steps differ: only 1 have b at 1');
  });

  it('add up by name', () => {
    expect(grouped(dispatches, ({ op }) => op)).toEqual([
      { name: 'conv2d', calls: 3, milliseconds: 8, bytes: 7e6, flops: 16e6 },
    ]);
    expect(total([])).toMatchObject({ calls: 0, milliseconds: 0, bytes: 0, flops: 0 });
  });
});

describe('the table', () => {
  const profile: Profile = {
    roof: { gflops: 4, size: 512, gbps: 4, bytes: 1, gpuClock: true },
    steps: 1,
    submits: 2,
    wall: 9,
    recording: 0.5,
    peakBytes: 3 * 2 ** 20,
    phases: [
      { name: 'forward', dispatches: 2, milliseconds: 3 },
      { name: 'backward', dispatches: 1, milliseconds: 5 },
    ],
    passes: { typical: dispatches, traced: dispatches },
  };
  const lines = (by: 'op' | 'kernel' | 'dispatch') =>
    formatProfile(profile, by)
      .split('\n')
      .map((line) => line.trim().replace(/ {2,}/g, ' | '));

  it('has the most expensive kernel first, beside the roof', () => {
    expect(lines('kernel').slice(0, 4)).toEqual([
      'kernel | calls | GPU ms | share | GFLOP/s | of roof | GB/s | of roof',
      'conv2d_forward [ROWS=4] | 1 | 5.00 | 63 % | 2.00 | 50 % | 0.400 | 10 %',
      'conv2d_forward [ROWS=8, BIAS] | 1 | 2.00 | 25 % | 3.00 | 75 % | 2.00 | 50 %',
      'split_sum | 1 | 1.00 | 13 % | - | - | 1.00 | 25 %',
    ]);
  });

  it('groups by op, or not at all', () => {
    expect(lines('op')[1]).toBe('conv2d | 3 | 8.00 | 100 % | 2.00 | 50 % | 0.875 | 22 %');
    expect(lines('dispatch')[2]).toBe('1 | forward | split_sum | 1.00 | 13 % | - | - | 1.00 | 25 % | [2, 3] []');
  });

  it('ends with phases and sums', () => {
    // At the roof: 1.5 ms of computing, 0.25 of moving, 2.5 of computing.
    expect(lines('kernel').slice(5)).toEqual([
      'phase | dispatches | GPU ms | share',
      'forward | 2 | 3.00 | 38 %',
      'backward | 1 | 5.00 | 63 %',
      '',
      'dispatches | 3 | a step',
      'submits | 2 | a step',
      'GPU | 8.00 ms | the sum over the dispatches',
      'at the roof | 4.25 ms | 53 % of that, had each reached the roof',
      'products | 0.0160 GFLOP | in matrix products and convolutions',
      'bytes | 6.68 MiB | moved a step: the sum of what the dispatches bind',
      'wall | 9.00 ms | a step that is not timed from inside',
      'recording | 0.500 ms | of the wall time: the processor records and submits',
      'peak memory | 3.00 MiB | of all tensors, networks and optimisers included',
    ]);
  });
});

test('a trace has a slice for each dispatch, under one for its phase, in microseconds', () => {
  const trace = dispatchTrace(dispatches, { adapter: 'test' });
  expect(slicesOf(trace, 'phases').map(({ name, ts, dur }) => ({ name, ts, dur }))).toEqual([
    { name: 'forward', ts: 0, dur: 3000 },
    { name: 'backward', ts: 3000, dur: 5000 },
  ]);
  const slices = slicesOf(trace, 'GPU');
  expect(slices.map(({ ts, dur }) => ({ ts, dur }))).toEqual([
    { ts: 0, dur: 2000 },
    { ts: 2000, dur: 1000 },
    { ts: 3000, dur: 5000 },
  ]);
  expect(slices[0]).toMatchObject({
    name: 'conv2d_forward [ROWS=8, BIAS]',
    args: { phase: 'forward', op: 'conv2d', tensors: ['[2, 3]', '[]'], grid: [1, 2, 3], bytes: 4e6, flops: 6e6 },
  });
  expect(slices[1]!.args).not.toHaveProperty('flops');
});
