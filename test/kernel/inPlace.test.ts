import { expect, it } from 'vitest';
import { inPlace } from '../../src/kernel/inPlace.js';

const TEXT = `
@group(0) @binding(0) var<storage, read> y: array<Y>;
@group(0) @binding(1) var<storage, read> gy: array<GY>;
@group(0) @binding(2) var<storage, read_write> gx: array<GX>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
fn f(gx: f32) -> f32 { return gx; }
fn main() {
  let gy_old = gy[i]; // gy
  gx[i] = GX(f(gy[i]) * y[i]);
  { let gx = 2.0; sums[0] = gx + gy[1]; }
}`;

it('reads the operand from where the result is written, and leaves what only has its name', () => {
  expect(inPlace(TEXT, [1, 2])).toBe(`
@group(0) @binding(0) var<storage, read> y: array<Y>;

@group(0) @binding(1) var<storage, read_write> gy_gx: array<GX>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
fn f(gx: f32) -> f32 { return gx; }
fn main() {
  let gy_old = gy_gx[i]; // gy
  gy_gx[i] = GX(f(gy_gx[i]) * y[i]);
  { let gx = 2.0; sums[0] = gx + gy_gx[1]; }
}`);
});
