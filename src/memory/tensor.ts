/** Tensors: plain data that names a range of GPU memory. They own nothing; storages belong to the pool. */

export type DType = 'f32' | 'f16' | 'i32' | 'u32';
export type Shape = readonly number[];

/** A range of GPU memory that the pool hands out. `generation` counts how often, so that a stale owner can be told. */
export interface Storage {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Whether it was made for a plan (see plan.ts). */
  readonly planned: boolean;
  /** Bytes that were asked for. */
  used: number;
  generation: number;
  free: boolean;
}

/** Row-major (NCHW) values of `shape`, from byte `offset` (a multiple of 256) of `storage`. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly storage: Storage;
  readonly offset: number;
}

/** WebGPU's greatest default alignment of a storage binding: views into a larger buffer start at its multiples. */
export const VIEW_ALIGNMENT = 256;

export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

/** Bytes of an element. */
export const elementBytes = (dtype: DType): number => (dtype === 'f16' ? 2 : 4);

export const byteLength = (shape: Shape, dtype: DType): number => elementBytes(dtype) * sizeOf(shape);

/** Bytes as bound: whole vec4s, so that a kernel may read any tensor four values at a time. */
export const paddedBytes = (shape: Shape, dtype: DType): number =>
  Math.max(16, Math.ceil(sizeOf(shape) / 4) * 4 * elementBytes(dtype));

/** Whole vec4s of a tensor, the last one padded. */
export const vectors = (tensor: Tensor): number => Math.ceil(sizeOf(tensor.shape) / 4);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The same values under another shape. Throws if the number of elements differs. */
export function reshaped(tensor: Tensor, shape: Shape): Tensor {
  if (sizeOf(shape) !== sizeOf(tensor.shape)) {
    throw new Error(
      `cannot view ${formatShape(tensor.shape)} as ${formatShape(shape)}: the number of elements differs`,
    );
  }
  return { ...tensor, shape };
}

/** Tensors of these shapes one after another in a buffer, each where a binding may begin: byte offsets, length in elements. */
export function layOut(shapes: readonly Shape[], dtype: DType = 'f32'): { offsets: number[]; length: number } {
  let end = 0;
  const offsets = shapes.map((shape) => {
    const offset = end;
    end += Math.ceil(byteLength(shape, dtype) / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;
    return offset;
  });
  return { offsets, length: end / elementBytes(dtype) };
}

/** The least range that holds all of the tensors, as one tensor; undefined if they lie in several buffers. */
export function spanOf(tensors: readonly Tensor[]): Tensor | undefined {
  const [{ storage, dtype }] = tensors as [Tensor];
  if (tensors.some((tensor) => tensor.storage !== storage)) return undefined;
  const offset = Math.min(...tensors.map((tensor) => tensor.offset));
  const end = Math.max(...tensors.map((tensor) => tensor.offset + paddedBytes(tensor.shape, dtype)));
  return { shape: [(end - offset) / elementBytes(dtype)], dtype, storage, offset };
}

/** Bytes that these tensors take together; what is there twice, as what a dispatch binds may be, counts once. */
export function boundBytes(tensors: readonly Tensor[]): number {
  const bound = new Map<string, number>();
  for (const { storage, offset, shape, dtype } of tensors) {
    bound.set(`${storage.id}:${offset}`, paddedBytes(shape, dtype));
  }
  return [...bound.values()].reduce((total, size) => total + size, 0);
}
