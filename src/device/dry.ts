/** A device for dry runs, which say what a job would take without doing it. */
import type { Gpu } from './open.js';

/** Does nothing, whatever it is asked for, and gives itself as the result. */
const inert: object = new Proxy(() => inert, { get: () => inert });

const createBuffer = ({ size }: GPUBufferDescriptor) => ({ getMappedRange: () => new ArrayBuffer(size), unmap: inert });

/**
 * A device like `gpu`, with the same limits, that allocates no memory and runs nothing: an engine on it counts the same
 * bytes and meets the same refusals. Only the processor's own memory has no end there. It must not be waited for.
 */
export function dryGpu({ info: { hostBytes: _, ...info }, features, limits, readKernel }: Gpu): Gpu {
  return {
    device: new Proxy(
      { createBuffer },
      { get: (own, name) => (name in own ? createBuffer : inert) },
    ) as object as GPUDevice,
    info,
    features,
    limits,
    readKernel,
    wait: () => Promise.reject(new Error('a dry run has no results to wait for')),
    lost: new Promise(() => undefined),
    error: () => undefined,
    close: () => undefined,
  };
}
