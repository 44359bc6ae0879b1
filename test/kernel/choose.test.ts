/** The rules by which variants are chosen: what they say of shapes, and that all they offer can be told apart. */
import { expect, it } from 'vitest';
import { type DirectShape, directCandidates, directWeightGradientCandidates } from '../../src/kernel/choose/direct.js';
import { gemmCandidates } from '../../src/kernel/choose/gemm.js';
import type { GemmShape } from '../../src/kernel/choose/tiling.js';
import { BASE, type Capabilities, capabilities } from '../../src/kernel/choose.js';

const LAVAPIPE: Capabilities = { ...BASE, software: true, lanes: 8, f16: true };
const CPU: Capabilities = { ...BASE, software: true, f16: true };
const GPU: Capabilities = { ...BASE, f16: true, workgroupBytes: 32768 };
const MATRICES: Capabilities = { ...GPU, matrix: { M: 16, N: 16, K: 16, lanes: 32 } };

const shape = (rows: number, columns: number, terms: number, halves = false): GemmShape => ({
  rows,
  columns,
  terms,
  items: 1,
  sumContiguous: false,
  halves,
});

it.each([
  [LAVAPIPE, shape(64, 8192, 288), 'broadcast 32x64'],
  [LAVAPIPE, shape(1, 16384, 144), 'broadcast 4x64'],
  [LAVAPIPE, shape(16, 9, 32768), 'broadcast 16x32 in 8 parts'],
  [CPU, shape(64, 8192, 288), 'registers 8x64'],
  [GPU, shape(4096, 4096, 4096), 'shared 128x128 by 8x8'],
  [GPU, shape(64, 8192, 288), 'shared 64x64 by 4x4'],
  [GPU, shape(16, 262144, 144), 'shared 16x256 by 4x8'],
  [GPU, shape(64, 64, 65536), 'shared 64x64 by 4x4 in 128 parts'],
  [MATRICES, shape(4096, 4096, 4096, true), 'matrix 128x128'],
  [MATRICES, shape(64, 64, 65536, true), 'matrix 32x32 in 64 parts'],
  [MATRICES, shape(16, 262144, 144, true), 'matrix 16x128'],
])('by rule: %o, %o: %s', (device, product, name) => {
  expect(gemmCandidates(device, product)[0]!.name).toBe(name);
});

it('multiplies by subgroup matrices what is stored in f16, and nothing else', () => {
  const cores = (device: Capabilities, halves: boolean) =>
    new Set(gemmCandidates(device, shape(256, 256, 256, halves)).map(({ core }) => core));
  expect(cores(MATRICES, false)).toEqual(new Set(['shared']));
  expect(cores(MATRICES, true)).toEqual(new Set(['matrix', 'shared']));
  expect(cores(GPU, true)).toEqual(new Set(['shared']));
});

it('takes of the adapter the largest matrices that keep their sums in f32', () => {
  const config = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => ({
    componentType,
    resultComponentType,
    M,
    N,
    K,
  });
  const nvidia = [
    config('f16', 'f16', 16, 16, 16),
    config('f16', 'f32', 16, 8, 16),
    config('f16', 'f32', 16, 16, 16),
    config('i8', 'i32', 16, 16, 32),
  ];
  const matrixOf = (subgroupMatrices: typeof nvidia, subgroupMax: number, without?: string) => {
    const features = ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'];
    const info = { software: false, subgroupMin: 32, subgroupMax, subgroupMatrices };
    return capabilities({
      info,
      features: new Set(features.filter((name) => name !== without)),
      limits: { maxComputeWorkgroupStorageSize: 49152 },
    }).matrix;
  };
  expect(matrixOf(nvidia, 32)).toEqual({ M: 16, N: 16, K: 16, lanes: 32 });
  expect(matrixOf([config('f16', 'f16', 8, 8, 8), config('f32', 'f32', 8, 8, 8)], 32)).toBeNull();
  expect(matrixOf(nvidia, 64)).toBeNull();
  expect(matrixOf(nvidia, 32, 'shader-f16')).toBeNull();
  expect(matrixOf(nvidia, 32, 'subgroups')).toBeNull();
  expect(matrixOf(nvidia, 32, 'chromium-experimental-subgroup-matrix')).toBeNull();
});

it('never asks for more workgroup memory than there is', () => {
  for (const workgroupBytes of [16384, 32768, 49152]) {
    for (const { core, constants } of gemmCandidates({ ...MATRICES, workgroupBytes }, shape(256, 256, 256, true))) {
      const of = (name: string) => (constants[name] ?? 0) as number;
      const line = (of('TILE_ROWS') + of('TILE_COLUMNS')) / 4 + 2 * of('PADDING');
      const staged = of('STAGES') * of('K_STEP') * line * (core === 'matrix' ? 8 : 16);
      const results = of('DOWN') * of('ACROSS') * of('MATRIX_M') * (of('MATRIX_N') + 4) * 4;
      expect(staged + results).toBeLessThanOrEqual(workgroupBytes);
    }
  }
});

it('offers few of the tiles of GPUs, or all that fit where all are asked for', () => {
  const product = shape(150, 140, 21, true);
  const tiles = (device: Capabilities, core: string, most?: number) =>
    gemmCandidates(device, product, undefined, most).filter((plan) => plan.core === core).length;
  const all = Number.POSITIVE_INFINITY;
  expect([tiles(GPU, 'shared'), tiles(GPU, 'shared', all)]).toEqual([6, 9]);
  expect([tiles(MATRICES, 'matrix'), tiles(MATRICES, 'matrix', all)]).toEqual([4, 7]);
  expect(tiles({ ...MATRICES, workgroupBytes: 16384 }, 'matrix', all)).toBe(4);
});

it('packs where the sum is long enough', () => {
  const packed = { columns: 8192, steps: 72, texels: 60_000 };
  const first = (device: Capabilities, product: GemmShape) => gemmCandidates(device, product, packed)[0]!.name;
  expect(first(LAVAPIPE, shape(64, 8192, 288))).toBe('packed 32x64');
  expect(first(CPU, shape(64, 8192, 288))).toBe('packed_alone 8x128');
  expect(first(GPU, shape(64, 8192, 288))).toMatch(/^shared /);
  const short = { columns: 64, steps: 4, texels: 60_000 };
  expect(gemmCandidates(LAVAPIPE, shape(4, 64, 16), short).map(({ core }) => core)).toContain('packed');
  expect(gemmCandidates(LAVAPIPE, shape(4, 64, 16), short)[0]!.core).toBe('broadcast');
});

it('shares out the sum where there are few columns, and it is long', () => {
  for (const [device, long] of [
    [LAVAPIPE, 1024],
    [CPU, 1024],
    [GPU, 128],
  ] as const) {
    const first = (columns: number, terms: number) => gemmCandidates(device, shape(512, columns, terms))[0]!.core;
    expect(first(4, long)).toBe('strip');
    expect(first(5, long)).not.toBe('strip');
    expect(first(4, long - 1)).not.toBe('strip');
  }
  const splits = (device: Capabilities) => gemmCandidates(device, shape(16, 1, 131_072))[0]!.splits;
  expect([splits(CPU), splits(GPU)]).toEqual([1, 64]);
});

it('offers a few plans, all different, and cuts no sum into parts of less than 64 terms', () => {
  for (const device of [LAVAPIPE, { ...LAVAPIPE, lanes: 4 } as const, CPU, GPU, MATRICES]) {
    for (const rows of [1, 3, 16, 64, 512]) {
      for (const columns of [1, 9, 40, 5000]) {
        for (const terms of [1, 63, 150, 100_000]) {
          const plans = gemmCandidates(device, shape(rows, columns, terms, true));
          expect(plans.length).toBeGreaterThan(0);
          expect(plans.length).toBeLessThan(16);
          expect(new Set(plans.map(({ name }) => name)).size).toBe(plans.length);
          for (const { splits } of plans) expect(splits === 1 || 64 * splits <= terms).toBe(true);
        }
      }
    }
  }
});

const CBAM: DirectShape = {
  rows: 1,
  channels: 2,
  groups: 1,
  images: 16,
  width: 32,
  aligned: true,
  kernel: [7, 7],
  left: 3,
};

it.each([
  [LAVAPIPE, CBAM, 'direct 8 pixels x 1 rows', 'direct 8 pixels in 64 parts'],
  [LAVAPIPE, { ...CBAM, width: 30, aligned: false }, 'direct 4 pixels x 1 rows', 'direct 4 pixels in 128 parts'],
  [GPU, { ...CBAM, kernel: [3, 3], left: 1, rows: 3 }, 'direct 4 pixels x 4 rows', 'direct 4 pixels in 128 parts'],
  [LAVAPIPE, { ...CBAM, rows: 5 }, undefined, 'direct 8 pixels in 52 parts'],
  [LAVAPIPE, { ...CBAM, rows: 5, channels: 5 }, undefined, undefined],
  [LAVAPIPE, { ...CBAM, kernel: [9, 9], left: 4 }, undefined, undefined],
] as const)('directly, by rule: %o, %o: %s, %s', (device, convolution, forward, weightGradient) => {
  expect(directCandidates(device, convolution)[0]?.name).toBe(forward);
  expect(directWeightGradientCandidates(device, convolution)[0]?.name).toBe(weightGradient);
});
