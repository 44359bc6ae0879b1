/** Tensors and the memory that they lie in, which several may share. */
import type { Engine } from '../kernel/engine.js';
import type { Storage, Tensor } from '../memory/tensor.js';

/** Where they lie. */
export const storagesOf = (tensors: readonly (Tensor | undefined)[]): Set<Storage> =>
  new Set(tensors.flatMap((tensor) => (tensor ? [tensor.storage] : [])));

/** Gives memory back, each buffer once. */
export function release(e: Engine, tensors: readonly Tensor[]): void {
  for (const tensor of new Map(tensors.map((one) => [one.storage, one])).values()) e.release(tensor);
}
