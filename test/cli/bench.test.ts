import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Results } from '../../src/cli/bench.js';
import { benchmarks } from '../../src/cli/benchmarks.js';
import { measure } from '../../src/cli/measure.js';
import { leastMilliseconds, type Roof } from '../../src/cli/roof.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { fill } from '../../src/ops/elementwise.js';
import { temporaryFolder } from '../temporary.js';
import { isBuilt, root } from './built.js';
import { lyrebird } from './console.js';

describe('bench', () => {
  it('times the passes of an op, beside the roof', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'results', 'bench.json');
    const { exitCode, stdout } = await lyrebird('bench', 'softplus', '--rounds', '2', '--json', file);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^softplus \[16, 64, 32, 32\]\n {2}forward .*%\n {2}d x .*%$/m);
    const results = JSON.parse(readFileSync(file, 'utf8')) as Results;
    expect(results).toMatchObject({
      rounds: 2,
      host: { node: process.version },
      roof: { gflops: expect.any(Number) },
    });
    expect(results.results.map(({ pass }) => pass)).toEqual(['forward', 'd x']);
    for (const { timing, gbps, share } of results.results) {
      expect(timing.wall.min).toBeLessThanOrEqual(timing.wall.median);
      expect(timing.recording.min).toBeLessThanOrEqual(timing.wall.median);
      expect(gbps).toBeGreaterThan(0);
      expect(share).toBeGreaterThan(0);
    }
  });

  it('times the base variants beside the chosen ones', async () => {
    const { exitCode, stdout } = await lyrebird('bench', 'linear [16', '--variants', '--rounds', '1');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^linear \[16, 100\] .*\n +base ms +chosen ms +base speed\nforward( +[\d.]+){3} %$/m);
  });

  it('times nothing if the results could not be written', async () => {
    const { exitCode, stdout, stderr } = await lyrebird('bench', 'linear [16', '--json', tmpdir());
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('is a folder, but a file is needed here');
  });

  it('names the ops if the filter fits none', async () => {
    const { exitCode, stderr } = await lyrebird('bench', 'zzz');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^lyrebird: No benchmark's name contains "zzz". There are: conv2d, /m);
  });
});

describe('benchmarks', () => {
  let gpu: Gpu;
  let engine: Engine;
  beforeAll(async () => {
    gpu = await openGpu();
    engine = new Engine(gpu);
  });
  afterAll(() => gpu?.close());

  it('have a pass forward, one for each gradient, and one for all of it', async () => {
    const linear = benchmarks.find(({ name }) => name.startsWith('linear [32, 2048]'))!;
    const prepared = await linear.prepare(engine);
    const passes = prepared.passes.map(({ name, flops, bytes }) => ({ name, flops, bytes }));
    const [x, weight, bias, y] = [32 * 2048, 17 * 2048, 20, 32 * 17]; // values, in whole vectors of four
    const flops = 2 * 32 * 2048 * 17;
    expect(passes).toEqual([
      { name: 'forward', flops, bytes: 4 * (x + weight + bias + y) },
      { name: 'd x', flops, bytes: 4 * (y + weight + x) },
      { name: 'd weight', flops, bytes: 4 * (x + y + weight) },
      { name: 'd bias', flops: undefined, bytes: 4 * (y + bias) },
      { name: 'forward + backward', flops: undefined, bytes: undefined },
    ]);
    for (const pass of prepared.passes) await pass.run();
    await engine.sync();
    prepared.release();
    expect(engine.memory().inUse).toBe(0);
  });

  it('are measured by each clock there is', async () => {
    const tensor = engine.empty([1024]);
    let runs = 0;
    const run = () => {
      runs++;
      fill(engine, tensor, 1);
    };
    const gpuClock = gpu.features.has('timestamp-query');
    const timing = await measure(engine, run, { rounds: 3, gpuClock });
    expect(runs).toBeGreaterThan(3);
    expect(timing.wall.min).toBeGreaterThan(0);
    expect(timing.wall.median).toBeGreaterThanOrEqual(timing.recording.min);
    expect(timing.gpu !== undefined).toBe(gpuClock);
    engine.release(tensor);
  });
});

it('the roof is the slower of computing and moving', () => {
  const roof: Roof = { gflops: 100, size: 512, gbps: 10, bytes: 1, gpuClock: true };
  expect(leastMilliseconds(roof, 2e9, 10e6)).toBeCloseTo(20);
  expect(leastMilliseconds(roof, 1e6, 10e6)).toBeCloseTo(1);
});

it.skipIf(!isBuilt())('stands among its peers: bench/peers.js computes what it is asked', () => {
  const script = `
    import { make } from './bench/peers.js';
    const peer = await make('own', {});
    const product = peer.matmul({ m: 1, k: 2, n: 2 }, Float32Array.of(1, 2), Float32Array.of(1, 0, 3, 4));
    const { fwd, fb } = peer.conv(
      { type: 'convT', N: 1, C: 1, H: 1, W: 1, F: 1, k: 2, s: 2, p: 0 },
      Float32Array.of(3), Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 1, 0, 2),
    );
    for (const task of [product, fwd, fb]) { task.run(); task.run(); await task.sync(); }
    const { dx, dw } = await fb.read();
    console.log(JSON.stringify([await product.read(), (await fwd.read()).y, dx, dw].map((values) => [...values])));
    process.exit(0);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(JSON.parse(stdout)).toEqual([[7, 8], [3, 6, 9, 12], [11], [3, 3, 0, 6]]);
});
