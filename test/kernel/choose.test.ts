/** The rules by which variants are chosen: what they say of shapes, and that all they offer can be told apart. */
import { expect, it } from 'vitest';
import { type DirectShape, directCandidates, directWeightGradientCandidates } from '../../src/kernel/choose/direct.js';
import { gemmCandidates } from '../../src/kernel/choose/gemm.js';
import type { GemmShape } from '../../src/kernel/choose/tiling.js';
import type { Capabilities } from '../../src/kernel/choose.js';

const LAVAPIPE: Capabilities = { software: true, lanes: 8, f16: true };
const CPU: Capabilities = { software: true, lanes: 0, f16: true };
const GPU: Capabilities = { software: false, lanes: 0, f16: true };

const shape = (rows: number, columns: number, terms: number, items = 1): GemmShape => ({
  rows,
  columns,
  terms,
  items,
  sumContiguous: false,
});

it.each([
  [LAVAPIPE, shape(64, 8192, 288), 'broadcast 32x64'],
  [LAVAPIPE, shape(1, 16384, 144), 'broadcast 4x64'],
  [LAVAPIPE, shape(16, 9, 32768), 'broadcast 16x32 in 8 parts'],
  [CPU, shape(64, 8192, 288), 'registers 8x64'],
  [GPU, shape(64, 64, 65536), 'shared 64x64 in 256 parts'],
])('by rule: %o, %o: %s', (device, product, name) => {
  expect(gemmCandidates(device, product)[0]!.name).toBe(name);
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

it('offers a few plans, all different, and cuts no sum into parts of less than 64 terms', () => {
  for (const device of [LAVAPIPE, { ...LAVAPIPE, lanes: 4 } as const, CPU, GPU]) {
    for (const rows of [1, 3, 16, 64, 512]) {
      for (const columns of [1, 9, 40, 5000]) {
        for (const terms of [1, 63, 150, 100_000]) {
          const plans = gemmCandidates(device, shape(rows, columns, terms));
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
