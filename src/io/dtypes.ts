/** The element types of safetensors files: little-endian bytes there, typed arrays here (on a little-endian machine). */

import { fromHalf } from '../memory/half.js';

/** How each element type is held in memory: 64-bit integers as numbers, half precision widened to float32. */
export interface DtypeArrays {
  F64: Float64Array;
  F32: Float32Array;
  F16: Float32Array;
  BF16: Float32Array;
  I64: Float64Array;
  U64: Float64Array;
  I32: Int32Array;
  U32: Uint32Array;
  I16: Int16Array;
  U16: Uint16Array;
  I8: Int8Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

export type Dtype = keyof DtypeArrays;

/** Half precision is read but never written: widened values lose nothing as F32. */
export type WritableDtype = Exclude<Dtype, 'F16' | 'BF16'>;

interface Codec<Data> {
  /** Bytes an element in the file. */
  readonly bytes: number;
  /** A view of the bytes where it can be one, otherwise a new array. RangeError: a value that `Data` cannot hold. */
  readonly decode: (bytes: Uint8Array) => Data;
}

interface TwoWayCodec<Data> extends Codec<Data> {
  /** A view of the data where it can be one. RangeError: a value that the file cannot hold. */
  readonly encode: (data: Data) => ArrayBufferView;
}

type Codecs = { readonly [D in Dtype]: D extends WritableDtype ? TwoWayCodec<DtypeArrays[D]> : Codec<DtypeArrays[D]> };

export const codecs: Codecs = {
  F64: viewed<Float64Array>(Float64Array),
  F32: viewed<Float32Array>(Float32Array),
  F16: { bytes: 2, decode: (bytes) => fromHalf(viewAs(Uint16Array, bytes)) },
  BF16: { bytes: 2, decode: widenBrainFloat },
  I64: numbered(BigInt64Array),
  U64: numbered(BigUint64Array),
  I32: viewed<Int32Array>(Int32Array),
  U32: viewed<Uint32Array>(Uint32Array),
  I16: viewed<Int16Array>(Int16Array),
  U16: viewed<Uint16Array>(Uint16Array),
  I8: viewed<Int8Array>(Int8Array),
  U8: viewed<Uint8Array>(Uint8Array),
  BOOL: viewed<Uint8Array>(Uint8Array),
};

interface ArrayType<Data> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Data;
}

/** The bytes as elements of another type, without a copy where they are aligned for it. */
function viewAs<Data>(Type: ArrayType<Data>, bytes: Uint8Array): Data {
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Type(aligned.buffer, aligned.byteOffset, aligned.byteLength / Type.BYTES_PER_ELEMENT);
}

function viewed<Data extends ArrayBufferView>(Type: ArrayType<Data>): TwoWayCodec<Data> {
  return { bytes: Type.BYTES_PER_ELEMENT, decode: (bytes) => viewAs(Type, bytes), encode: (data) => data };
}

/** 64-bit integers as float64, which holds them exactly up to 2^53 - 1. */
function numbered<Data extends BigInt64Array | BigUint64Array>(
  Type: ArrayType<Data> & { new (length: number): Data },
): TwoWayCodec<Float64Array> {
  return {
    bytes: 8,
    decode(bytes) {
      const values = viewAs(Type, bytes);
      return Float64Array.from({ length: values.length }, (_, index) => exactNumber(values[index]!, index));
    },
    encode(data) {
      const values = new Type(data.length);
      for (const [index, value] of data.entries()) {
        if (!Number.isSafeInteger(value)) throw new RangeError(`element ${index} is ${value}, which is no integer`);
        values[index] = BigInt(value);
        if (Number(values[index]) !== value) throw new RangeError(`element ${index} is ${value}, which is negative`);
      }
      return values;
    },
  };
}

function exactNumber(value: bigint, index: number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`element ${index} is ${value}, beyond 2^53 - 1`);
  return number;
}

/** bfloat16 is the upper half of a float32. */
function widenBrainFloat(bytes: Uint8Array): Float32Array {
  const bits = viewAs(Uint16Array, bytes);
  const widened = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) widened[i] = bits[i]! << 16;
  return new Float32Array(widened.buffer);
}
