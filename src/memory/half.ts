/**
 * f16 on the CPU, IEEE 754 binary16: (-1)^s 2^(e - 15) (1 + m / 1024), e = 1 to 30; e = 0: (-1)^s 2^-14 m / 1024; e = 31:
 * infinity or NaN. As bits, for Node 20 has no Float16Array.
 */

/** The values of f16 numbers, given by their bits. */
export function fromHalf(bits: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, half) => halfValue(half));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
  return values;
}

/**
 * The bits of the f16 numbers nearest to values that f32 can hold; half-way between two, of the even one. Beyond 65504 by half
 * a step or more that is infinity. The array is padded with a zero to whole words of four bytes.
 */
export function toHalf(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(Math.ceil(values.length / 2) * 2);
  for (let i = 0; i < values.length; i++) {
    single[0] = values[i]!;
    bits[i] = halfOf(singleBits[0]!);
  }
  return bits;
}

/** The value of every f16 number, by its bits. */
let table: Float32Array | undefined;

function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = (half & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The least f32 numbers, as bits, that become infinity and normal numbers; infinity itself. */
const OVERFLOW = 0x477ff000;
const NORMAL = 0x38800000;
const INFINITY = 0x7f800000;

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > INFINITY) return sign | 0x7e00;
  if (size >= OVERFLOW) return sign | 0x7c00;
  if (size < NORMAL) {
    // Multiples of 2^-24: adding 2^23 leaves no room for anything else, and rounds to even.
    single[0] = Math.abs(single[0]!) * 2 ** 24 + 2 ** 23;
    return sign | (singleBits[0]! - 0x4b000000);
  }
  // 13 bits of the fraction go; the bias of the exponent was 127 and becomes 15.
  return sign | ((size + 0xfff + ((size >>> 13) & 1) - 0x38000000) >>> 13);
}
