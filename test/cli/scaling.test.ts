/** lyrebird scaling: what it counts and times, what it leaves out, and how it shows that. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPoints } from '../../src/cli/scaling/file.js';
import {
  CENTRE,
  configOf,
  costOf,
  type Place,
  type Point,
  placesOf,
  proportional,
  type Timed,
  timePlace,
} from '../../src/cli/scaling/points.js';
import { chartOf, formatPoints } from '../../src/cli/scaling/show.js';
import { prepareStep } from '../../src/cli/stepBenchmark.js';
import { version } from '../../src/cli/version.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { presetConfig, trainConfigSchema } from '../../src/train/config.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, put } from './fixtures.js';

const folder = temporaryFolder();
const out = path.join(folder, 'scaling');

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.close());

const SMALL: Place = { batch: 2, size: 32, channels: 2 };

describe('places', () => {
  it('meet in the reference networks', () => {
    expect(configOf(CENTRE)).toEqual(presetConfig('reference', 32));
  });

  it('are such that can be trained', () => {
    for (const place of [...placesOf('batch'), ...placesOf('size'), ...placesOf('channels', [1, 7])]) {
      expect(trainConfigSchema.safeParse(configOf(place)).success).toBe(true);
    }
  });

  it('cost what a step then does', () => {
    const e = new Engine(gpu);
    const config = configOf(SMALL);
    const cost = costOf(gpu, config);
    const step = prepareStep(e, config);
    const before = e.counters().dispatches;
    step.run();
    expect(e.counters().dispatches - before).toBe(cost.dispatches);
    expect(costOf(gpu, configOf({ ...SMALL, batch: 4 })).bytes).toBeGreaterThan(cost.bytes);
    expect(cost.flops).toBeGreaterThan(0);
  });
});

/** Timed at batches, each in so many milliseconds, a thousand operations an image. */
const timed = (...times: readonly (readonly [batch: number, ms: number])[]): Timed[] =>
  times.map(([batch, ms]) => ({
    ...CENTRE,
    batch,
    dispatches: 200,
    flops: 1e9 * batch,
    bytes: 2 ** 20,
    memory: 0,
    wall: { median: 2 * ms, min: ms },
    recording: { median: 3, min: 3 },
    idle: 5,
  }));

describe('a place is left out', () => {
  const LIMITS = { rounds: 1, seconds: 10 };

  it('if a smaller one has shown that it takes too long', async () => {
    const e = new Engine(gpu);
    const [slow] = timed([1, 1e6]) as [Timed];
    const point = await timePlace(e, SMALL, 0, { ...slow, flops: costOf(gpu, configOf(SMALL)).flops }, LIMITS);
    expect(point).toEqual({ ...SMALL, leftOut: 'a step would take some 2000 s: --limit 12000 lets it' });
    expect(e.memory().bytes).toBe(0);
  });

  it('if the processor has too little memory for it', async () => {
    const e = new Engine({ ...gpu, info: { ...gpu.info, hostBytes: 1000 } });
    const point = await timePlace(e, SMALL, 0, undefined, LIMITS);
    expect(point).toMatchObject({
      leftOut: expect.stringMatching(/^its buffers take .* GiB, of 0\.0 that there are$/),
    });
  });
});

describe('what is shown', () => {
  const points: Point[] = [...timed([4, 60], [8, 80]), { ...CENTRE, batch: 16, leftOut: 'too long' }];

  it('is measured beside what it would be at the speed of the fastest', () => {
    expect(proportional(timed([2, 30], [8, 80], [16, 200]))).toEqual([20, 80, 160]);
    expect(formatPoints(points).split('\n')).toEqual([
      'batch  step ms  proportional  ratio  empty dispatches  recording  dispatches  GFLOP  GFLOP/s  bound MiB',
      '    4     60.0          40.0   1.50              5.00       3.00         200   4.00     66.7       1.00',
      '    8     80.0          80.0   1.00              5.00       3.00         200   8.00      100       1.00',
      '   16        -             -      -                 -          -           -      -        -          -',
      '  16: too long',
      '  a quarter or more above proportional at 4: most at 4, where 200 empty dispatches would take 5.00 of the 20.0 ms above it',
    ]);
    expect(formatPoints(timed([4, 40], [8, 80]))).toContain('nowhere a quarter above proportional');
  });

  it('has a panel for each axis with two points', () => {
    const { panels } = chartOf([...points, ...timed([16, 160]).map((p) => ({ ...p, channels: 32 }))], gpu.info);
    expect(panels.map(({ xLabel }) => xLabel)).toEqual(['real images a step (batch)']);
    expect(panels[0]!.series.map(({ points: [first] }) => first)).toEqual([
      [4, 60],
      [4, 40],
      [4, 5],
    ]);
  });
});

describe('lyrebird scaling', () => {
  it('times what it is told, and keeps what the folder has', async () => {
    const one = (value: string) =>
      lyrebird('scaling', '--only', 'channels', '--values', value, '--rounds', '1', '--limit', '0.01', '--out', out);
    const first = await one('2');
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toMatch(/^batch 16, 32 x 32, 2 channels: [\d.]+ ms$/m);
    expect(first.stdout).toContain('A table and a picture need two points of an axis.');
    expect(existsSync(path.join(out, 'scaling.svg'))).toBe(false);
    const both = await one('1');
    expect(both.stdout).toContain(`\n\nlyrebird ${version} on ${gpu.info.name}, ${gpu.info.driver}\n\nchannels `);
    expect(both.stdout).toMatch(/^ +1 ( +[\d.]+){9}\n +2 ( +[\d.]+){9}$/m);
    expect(existsSync(path.join(out, 'scaling.svg'))).toBe(true);
    expect(json<{ points: Point[] }>(out, 'scaling.json').points.map(({ channels }) => channels)).toEqual([1, 2]);
  });

  it('does not mix adapters', async () => {
    await expect(readPoints(out, { ...gpu.info, name: 'other' })).rejects.toThrow('holds points of another adapter');
  });

  it('does not mix versions', async () => {
    put(path.join(folder, 'older', 'scaling.json'), { ...json<object>(out, 'scaling.json'), lyrebird: '0.0.9' });
    await expect(readPoints(path.join(folder, 'older'), gpu.info)).rejects.toThrow('that lyrebird 0.0.9 timed');
  });

  it('does not write over what is not its own', async () => {
    put(path.join(folder, 'foreign', 'scaling.json'), { format: 'mine' });
    const { exitCode, stderr } = await lyrebird('scaling', '--out', path.join(folder, 'foreign'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('does not hold points of scaling');
    expect(json(folder, 'foreign', 'scaling.json')).toEqual({ format: 'mine' });
  });

  it.each([
    [['--only', 'depth'], 2, 'Give some of batch,size,channels.'],
    [['--values', '3'], 1, '--values are of one axis: name it with --only.'],
    [['--only', 'size', '--values', '48'], 1, 'There are no images of 48 pixels'],
    [['--only', 'batch', '--values', '99999'], 1, '--values 99999: "batch" (99999): must be at most 4096'],
    [['--only', 'batch', '--values', '2,x'], 2, 'Give a whole number above 0.'],
  ])('%j is refused in words', async (flags, code, message) => {
    const { exitCode, stderr } = await lyrebird('scaling', ...flags, '--out', out);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(code);
  });
});
