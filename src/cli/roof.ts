/** What a device reaches at its best: the roof that single operations are measured against (Williams et al. 2009). */
import type { Engine } from '../kernel/engine.js';
import { affine } from '../ops/elementwise.js';
import { matmul } from '../ops/matmul.js';
import { measure, type Timing } from './measure.js';

export interface Roof {
  /** Of a product of two square matrices with `size` rows. */
  readonly gflops: number;
  readonly size: number;
  /** Of reading and writing `bytes` bytes each, four values at a time. */
  readonly gbps: number;
  readonly bytes: number;
  /** Whether the adapter's timestamps can be believed, and therefore were used. */
  readonly gpuClock: boolean;
}

const MIB = 2 ** 20;

/** Measures the roof: one or two seconds. */
export async function measureRoof(e: Engine, rounds = 3): Promise<Roof> {
  const gpuClock = e.gpu.features.has('timestamp-query');
  let size = 512;
  let product = await timeProduct(e, size, rounds, gpuClock);
  // A fast GPU is busy with the launch of small products: it gets larger ones.
  while (!e.capabilities.software && size < 4096 && product.wall.median < 2) {
    size *= 2;
    product = await timeProduct(e, size, rounds, gpuClock);
  }
  const believed = gpuClock && believable(product);
  const { maxStorageBufferBindingSize, maxBufferSize } = e.gpu.limits;
  const bytes = Math.min((e.capabilities.software ? 64 : 256) * MIB, maxStorageBufferBindingSize, maxBufferSize);
  const copy = await timeCopy(e, bytes, rounds, believed);
  return {
    gflops: (2 * size ** 3) / best(product, believed) / 1e6,
    size,
    gbps: (2 * bytes) / best(copy, believed) / 1e6,
    bytes,
    gpuClock: believed,
  };
}

/** The least milliseconds in which the roof lets `flops` operations and `bytes` bytes pass: whichever takes longer. */
export const leastMilliseconds = (roof: Roof, flops: number, bytes: number): number =>
  Math.max(flops / roof.gflops, bytes / roof.gbps) / 1e6;

/** A long computation takes the GPU about as long as the wall clock says; clocks that are stuck or of other units do not. */
const believable = ({ gpu, wall }: Timing): boolean =>
  gpu !== undefined && gpu.median > 0.3 * wall.median && gpu.median < 1.2 * wall.median;

const best = ({ gpu, wall }: Timing, gpuClock: boolean): number => (gpuClock && gpu ? gpu : wall).min;

async function timeProduct(e: Engine, size: number, rounds: number, gpuClock: boolean): Promise<Timing> {
  const shape = [size, size];
  const [a, b] = [e.upload(noise(size * size), shape), e.upload(noise(size * size), shape)];
  const run = () => e.scope(() => void matmul.forward(e, [a, b], {}, shape));
  const timing = await measure(e, run, { rounds, gpuClock });
  for (const tensor of [a, b]) e.release(tensor);
  return timing;
}

async function timeCopy(e: Engine, bytes: number, rounds: number, gpuClock: boolean): Promise<Timing> {
  const shape = [bytes / 4];
  const [x, y] = [e.empty(shape), e.empty(shape)];
  const timing = await measure(e, () => void affine(e, x, 1, 0, y), { rounds, gpuClock });
  for (const tensor of [x, y]) e.release(tensor);
  return timing;
}

/** Values in [-1, 1] that no processor shortens, as it does zeros and denormal numbers. */
const noise = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
