/** Protocol buffers, as far as writing ONNX takes: https://protobuf.dev/programming-guides/encoding. */

/** Fields of a message: pieces that follow one another. Large ones are not copied before the end. */
export type Fields = readonly Uint8Array[];

const [VARINT, LENGTH, FIXED_32] = [0, 2, 5];

function varint(value: number): Uint8Array {
  // Negative numbers count down from 2^64.
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

const tag = (field: number, type: number): Uint8Array => varint(field * 8 + type);

/** int32, int64 or an enumeration. */
export const int = (field: number, value: number): Fields => [tag(field, VARINT), varint(value)];

export function float(field: number, value: number): Fields {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [tag(field, FIXED_32), bytes];
}

export const bytes = (field: number, value: Uint8Array): Fields => [
  tag(field, LENGTH),
  varint(value.byteLength),
  value,
];

export const text = (field: number, value: string): Fields => bytes(field, new TextEncoder().encode(value));

/** A message as a field of another one. */
export const message = (field: number, ...parts: readonly Fields[]): Fields => {
  const fields = parts.flat();
  return [tag(field, LENGTH), varint(lengthOf(fields)), ...fields];
};

const lengthOf = (fields: Fields): number => fields.reduce((length, { byteLength }) => length + byteLength, 0);

/** The whole message. */
export function encode(...parts: readonly Fields[]): Uint8Array {
  const fields = parts.flat();
  const whole = new Uint8Array(lengthOf(fields));
  let at = 0;
  for (const field of fields) {
    whole.set(field, at);
    at += field.byteLength;
  }
  return whole;
}
