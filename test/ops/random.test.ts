import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largest } from '../../src/autograd/check.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { dropout } from '../../src/ops/dropout.js';
import { randomNormal, randomUniform } from '../../src/ops/random.js';
import * as reference from '../../src/reference/random.js';

/** Kernels that call the library functions with arguments of the test's choice. */
const PROBES: Readonly<Record<string, string>> = {
  'philox_probe.wgsl': `
    @group(0) @binding(0) var<storage, read> counters: array<vec4u>;
    @group(0) @binding(1) var<storage, read> keys: array<vec2u>;
    @group(0) @binding(2) var<storage, read_write> words: array<vec4u>;
    @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
      words[id.x] = philox4x32(counters[id.x], keys[id.x]);
    }`,
  'box_muller_probe.wgsl': `
    @group(0) @binding(0) var<storage, read> words: array<vec2u>;
    @group(0) @binding(1) var<storage, read_write> normals: array<vec2f>;
    @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
      normals[id.x] = box_muller(words[id.x]);
    }`,
};

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine({ ...gpu, readKernel: (file) => PROBES[file] ?? gpu.readKernel(file) });
});

afterAll(() => gpu?.close());

const mean = (values: Float32Array, f: (x: number, i: number) => number = (x) => x): number =>
  values.reduce((sum, x, i) => sum + f(x, i), 0) / values.length;

/** Correlation of each value with the one `lag` later, for values of mean 0 and variance 1. */
const correlation = (a: Float32Array, b: Float32Array, lag = 0): number =>
  mean(a.subarray(0, a.length - lag), (x, i) => x * b[i + lag]!);

describe('philox4x32', () => {
  // The known answers published with the Random123 library for philox4x32 with 10 rounds.
  const answers = [
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];

  it('gives the known answers', async () => {
    const counters = engine.upload(Uint32Array.from(answers.flatMap(({ counter }) => counter)), [3, 4]);
    const keys = engine.upload(Uint32Array.from(answers.flatMap(({ key }) => key)), [3, 2]);
    const words = engine.empty([3, 4], 'u32');
    engine.dispatch({
      file: 'philox_probe',
      uses: ['lib/philox'],
      tensors: [counters, keys, words],
      params: {},
      grid: [3],
    });
    expect(Uint32Array.from(await engine.readInt(words))).toEqual(
      Uint32Array.from(answers.flatMap((answer) => answer.words)),
    );
  });
});

describe('box_muller', () => {
  it('is exact where logarithm and sine are hard', async () => {
    const top = 2 ** 24 - 1;
    const hardForLog = [0, 1, 2, 1000, 4913933, 4913934, 2 ** 23 - 1, 2 ** 23, top - 2, top - 1, top];
    const hardForSine = [0, 1, top].concat(
      [1, 2, 3, 4, 5, 6, 7].flatMap((i) => [-1, 0, 1].map((d) => i * 2 ** 21 + d)),
    );
    const pairs = hardForLog.flatMap((a) => hardForSine.map((b) => [a, b] as const));
    const words = engine.upload(Uint32Array.from(pairs.flat()), [pairs.length, 2]);
    const normals = engine.empty([pairs.length, 2]);
    engine.dispatch({
      file: 'box_muller_probe',
      uses: ['lib/box_muller'],
      tensors: [words, normals],
      params: {},
      grid: [pairs.length],
    });
    const actual = await engine.read(normals);
    const errors = pairs.flatMap(([a, b], i) => {
      const radius = Math.sqrt(-2 * Math.log1p(-a / 2 ** 24));
      const angle = (2 * Math.PI * b) / 2 ** 24;
      return [actual[2 * i]! - radius * Math.cos(angle), actual[2 * i + 1]! - radius * Math.sin(angle)];
    });
    expect(largest(errors)).toBeLessThan(1e-6);
  });
});

describe('randomUniform', () => {
  it.each([
    [0, 0, 1],
    [123456789, 5, 1003],
    [Number.MAX_SAFE_INTEGER, 2 ** 32 - 1, 4096],
    [0xfedcba9876543210n, 17, 77],
  ])('has the very numbers of the reference: seed %s, stream %i, %i of them', async (seed, stream, count) => {
    const actual = await engine.read(randomUniform(engine, [count], { seed, stream }));
    expect(actual).toEqual(Float32Array.from(reference.uniform(seed, stream, count)));
  });

  it.each([
    [{ seed: -1, stream: 0 }, 'the seed -1 is not'],
    [{ seed: 2 ** 53, stream: 0 }, 'must be a bigint'],
    [{ seed: 2n ** 64n, stream: 0 }, 'from 0 to 2^64 - 1'],
    [{ seed: 1, stream: 2 ** 32 }, 'the stream 4294967296 is not'],
    [{ seed: 1, stream: 0.5 }, 'the stream 0.5 is not'],
  ])('refuses %o', (attrs, message) => {
    expect(() => randomUniform(engine, [4], attrs)).toThrow(message);
  });
});

describe('randomNormal', () => {
  const COUNT = 2 ** 16;
  const sample = async (stream: number) => engine.read(randomNormal(engine, [COUNT], { seed: 42, stream }));

  it('has the numbers of the reference to rounding', async () => {
    const expected = reference.normal(42, 0, COUNT);
    const actual = await sample(0);
    expect(largest(actual.map((x, i) => x - expected[i]!))).toBeLessThan(1e-6);
  });

  it('has the moments of a normal distribution', async () => {
    const x = await sample(0);
    // Five standard errors of each.
    const within = (variance: number) => 5 * Math.sqrt(variance / COUNT);
    expect(Math.abs(mean(x))).toBeLessThan(within(1));
    expect(Math.abs(mean(x, (v) => v * v) - 1)).toBeLessThan(within(2));
    expect(Math.abs(mean(x, (v) => v ** 3))).toBeLessThan(within(15));
    expect(Math.abs(mean(x, (v) => v ** 4) - 3)).toBeLessThan(within(96));
  });

  it('is not correlated with its neighbours, nor with other streams', async () => {
    const [x, other] = [await sample(0), await sample(1)];
    for (const lag of [1, 2, 3, 4, 5, 8]) {
      expect(Math.abs(correlation(x, x, lag)), `lag ${lag}`).toBeLessThan(5 / Math.sqrt(COUNT));
    }
    expect(Math.abs(correlation(x, other))).toBeLessThan(5 / Math.sqrt(COUNT));
  });
});

describe('dropout', () => {
  const SIZE = 40_000;
  const attrs = { p: 0.3, seed: 5, stream: 1, training: true };

  it('keeps the mean, drops the share p, and passes gradients through the same mask', async () => {
    const x = engine.upload(new Float32Array(SIZE).fill(1), [SIZE]);
    const gradients = new Gradients([x]);
    const tape = new Tape(engine, gradients);
    const y = tape.apply(dropout, [x], attrs);
    const values = await engine.read(y);
    expect(Math.abs(mean(values, (v) => (v === 0 ? 1 : 0)) - attrs.p)).toBeLessThan(0.012);
    expect(Math.abs(mean(values) - 1)).toBeLessThan(0.02);
    tape.backward(y);
    expect(await engine.read(gradients.of(x)!)).toEqual(values);
  });

  it('draws another mask for another stream', async () => {
    const x = engine.upload(new Float32Array(SIZE).fill(1), [SIZE]);
    const [a, b] = [1, 2].map((stream) => new Tape(engine).apply(dropout, [x], { ...attrs, stream }));
    const [first, second] = [await engine.read(a!), await engine.read(b!)];
    const both = mean(first, (v, i) => (v === 0 && second[i] === 0 ? 1 : 0));
    expect(Math.abs(both - attrs.p ** 2)).toBeLessThan(0.008);
  });

  it('refuses to drop everything', () => {
    expect(() => dropout.shape([[3]], { ...attrs, p: 1 })).toThrow('p must be at least 0 and below 1, but is 1');
  });
});
