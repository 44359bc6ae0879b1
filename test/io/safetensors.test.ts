import { existsSync, readdirSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/io/errors.js';
import { readSafetensors, type StoredTensor, type WritableTensor, writeSafetensors } from '../../src/io/safetensors.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const referenceCases = path.resolve(import.meta.dirname, '../../../shared/reference/cases');

/** A file put together by hand: a header (or any text in its place) and data. */
function file(header: unknown, data: Uint8Array = new Uint8Array(), declaredLength?: number): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(declaredLength ?? json.length));
  return new Uint8Array(Buffer.concat([length, json, data]));
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function reading(bytes: Uint8Array) {
  return () => readSafetensors(bytes);
}

/** Zero, one or two dimensions, and data to fit. */
const anyTensor: fc.Arbitrary<WritableTensor> = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
    fc.constantFrom('F64', 'F32', 'I64', 'U64', 'I32', 'U32', 'I16', 'U16', 'I8', 'U8', 'BOOL'),
  )
  .chain(([shape, dtype]): fc.Arbitrary<WritableTensor> => {
    const length = shape.reduce((product, size) => product * size, 1);
    const options = { minLength: length, maxLength: length };
    switch (dtype) {
      case 'F64':
        return fc.float64Array(options).map((data) => ({ dtype, shape, data }));
      case 'F32':
        return fc.float32Array(options).map((data) => ({ dtype, shape, data }));
      case 'I64':
        return fc
          .array(fc.maxSafeInteger(), options)
          .map((values) => ({ dtype, shape, data: Float64Array.from(values) }));
      case 'U64':
        return fc.array(fc.maxSafeNat(), options).map((values) => ({ dtype, shape, data: Float64Array.from(values) }));
      case 'I32':
        return fc.int32Array(options).map((data) => ({ dtype, shape, data }));
      case 'U32':
        return fc.uint32Array(options).map((data) => ({ dtype, shape, data }));
      case 'I16':
        return fc.int16Array(options).map((data) => ({ dtype, shape, data }));
      case 'U16':
        return fc.uint16Array(options).map((data) => ({ dtype, shape, data }));
      case 'I8':
        return fc.int8Array(options).map((data) => ({ dtype, shape, data }));
      default:
        return fc.uint8Array(options).map((data) => ({ dtype: dtype === 'BOOL' ? 'BOOL' : 'U8', shape, data }));
    }
  });

const anyName = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', '0', '1', '"', '\\', 'blocks.0.conv1.weight', 'é'),
);
const anyTensors = fc.uniqueArray(fc.tuple(anyName, anyTensor), { selector: ([name]) => name, maxLength: 6 });
const anyMetadata = fc.dictionary(anyName, fc.string({ unit: 'grapheme' }), { maxKeys: 4 });

const asRows = (tensors: ReadonlyMap<string, StoredTensor>) =>
  new Map([...tensors].map(([name, { dtype, shape, data }]) => [name, { dtype, shape: [...shape], data: [...data] }]));

describe('writing and reading back', () => {
  it('gives the same tensors and metadata, from memory and from disk', () => {
    fc.assert(
      fc.property(anyTensors, anyMetadata, (list, metadata) => {
        const bytes = writeSafetensors(new Map(list), metadata);
        const back = readSafetensors(bytes);
        expect(asRows(back.tensors)).toEqual(asRows(new Map(list)));
        expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
      { numRuns: 200 },
    );
  });

  it('aligns the header to 8 and each tensor to its element', () => {
    fc.assert(
      fc.property(anyTensors, (list) => {
        const bytes = writeSafetensors(new Map(list));
        const headerLength = new DataView(bytes.buffer).getUint32(0, true);
        expect(headerLength % 8).toBe(0);
        for (const { data } of readSafetensors(bytes).tensors.values()) {
          // Views of the file's own bytes, but for the 64-bit integers, which become numbers.
          if (!(data instanceof Float64Array)) expect(data.buffer).toBe(bytes.buffer);
        }
      }),
    );
  });

  it('reads the same from a file, and keeps the data’s order', async () => {
    const tensors = new Map<string, WritableTensor>([
      ['b', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
      ['2', { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1.5, -0) }],
      ['1', { dtype: 'F32', shape: [], data: Float32Array.of(Number.NaN) }],
      ['n', { dtype: 'I64', shape: [1], data: Float64Array.of(-(2 ** 53 - 1)) }],
      ['none', { dtype: 'I32', shape: [0, 7], data: new Int32Array() }],
    ]);
    const name = path.join(folder, 'some.safetensors');
    await writeFile(name, writeSafetensors(tensors, { format: 'pt' }));
    const back = readSafetensors(name);
    expect(asRows(back.tensors)).toEqual(asRows(tensors));
    expect([...back.tensors.keys()]).toEqual(['n', '2', '1', 'none', 'b']);
    expect(back.metadata).toEqual({ format: 'pt' });
  });

  it('writes bytes exactly as the format defines them', () => {
    const bytes = writeSafetensors(new Map([['x', { dtype: 'I32', shape: [1], data: Int32Array.of(258) }]]), {
      a: 'b',
    });
    const json = '{"__metadata__":{"a":"b"},"x":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}';
    const length = Math.ceil(json.length / 8) * 8;
    expect(Buffer.from(bytes).toString('latin1')).toBe(
      `${String.fromCharCode(length)}${'\0'.repeat(7)}${json.padEnd(length)}\x02\x01\0\0`,
    );
  });

  it('writes a file of nothing', () => {
    expect(readSafetensors(writeSafetensors(new Map()))).toEqual({ tensors: new Map(), metadata: {} });
  });

  it.each<[string, WritableTensor, RegExp]>([
    ['shape', { dtype: 'F32', shape: [2, 2], data: new Float32Array(3) }, /"w" has 3 elements, not the 4 of \[2, 2\]/],
    [
      'fraction',
      { dtype: 'I64', shape: [1], data: Float64Array.of(0.5) },
      /"w".*element 0 is 0.5, which is no integer/,
    ],
    ['sign', { dtype: 'U64', shape: [2], data: Float64Array.of(1, -1) }, /"w".*element 1 is -1, which is negative/],
  ])('refuses data of a wrong %s', (_, tensor, message) => {
    expect(() => writeSafetensors(new Map([['w', tensor]]))).toThrow(message);
    expect(() => writeSafetensors(new Map([['w', tensor]]))).toThrow(RangeError);
  });

  it('refuses the reserved name', () => {
    const tensor: WritableTensor = { dtype: 'U8', shape: [0], data: new Uint8Array() };
    expect(() => writeSafetensors(new Map([['__metadata__', tensor]]))).toThrow(/keeps for itself/);
  });
});

describe('reading other writers’ files', () => {
  it('reads tensors that are not aligned', () => {
    const data = new Uint8Array(Buffer.from('ff0000803f000000c0', 'hex'));
    const { tensors } = readSafetensors(file({ flag: entry('BOOL', [1], 0, 1), x: entry('F32', [2], 1, 9) }, data));
    expect([...tensors.get('flag')!.data, ...tensors.get('x')!.data]).toEqual([255, 1, -2]);
  });

  it('widens half precision: ordinary, subnormal and special values', () => {
    const half = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
    const halves = half(0x3c00, 0xc000, 0x3555, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000);
    const { tensors } = readSafetensors(file({ h: entry('F16', [10], 0, 20) }, halves));
    const { data } = tensors.get('h')!;
    expect([...data]).toEqual([
      1,
      -2,
      0.333251953125,
      2 ** -24,
      -(2 ** -14) * (1023 / 1024),
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      -0,
    ]);
    const brain = readSafetensors(file({ b: entry('BF16', [4], 0, 8) }, half(0x3f80, 0xc049, 0x0001, 0xff80)));
    expect([...brain.tensors.get('b')!.data]).toEqual([1, -3.140625, 2 ** -133, Number.NEGATIVE_INFINITY]);
  });

  it('accepts fields that it does not know, and spaces after the header', () => {
    const header = `{"x":{"dtype":"U8","shape":[],"data_offsets":[0,1],"note":"hm"}}   `;
    expect([...readSafetensors(file(header, Uint8Array.of(7))).tensors.get('x')!.data]).toEqual([7]);
  });

  it('reads the reference cases of PyTorch', ({ skip }) => {
    if (!existsSync(referenceCases)) skip(`no reference cases in ${referenceCases}`);
    for (const name of readdirSync(referenceCases).filter((name) => name.endsWith('.safetensors'))) {
      const { tensors, metadata } = readSafetensors(path.join(referenceCases, name));
      expect(metadata.format).toBe('reference-cases/1');
      expect(tensors.size).toBeGreaterThan(0);
      const cases: { inputs: Record<string, string>; outputs: Record<string, string> }[] = JSON.parse(metadata.cases!);
      for (const key of cases.flatMap(({ inputs, outputs }) => [...Object.values(inputs), ...Object.values(outputs)])) {
        const tensor = tensors.get(key);
        expect(tensor, key).toBeDefined();
        if (tensor!.dtype === 'F32') expect(tensor!.data.every(Number.isFinite), key).toBe(true);
      }
      // The very same floats, in the very same order.
      const again = readSafetensors(writeSafetensors(writable(tensors), metadata));
      for (const [key, { data }] of tensors) {
        const [mine, theirs] = [again.tensors.get(key)!.data, data].map(({ buffer, byteOffset, byteLength }) =>
          Buffer.from(buffer, byteOffset, byteLength),
        );
        expect(mine!.equals(theirs!), key).toBe(true);
      }
    }
  });
});

function writable(tensors: ReadonlyMap<string, StoredTensor>): Map<string, WritableTensor> {
  const result = new Map<string, WritableTensor>();
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F16' && tensor.dtype !== 'BF16') result.set(name, tensor);
  }
  return result;
}

describe('damaged files', () => {
  const one = Uint8Array.of(0, 0, 128, 63);

  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(), /no safetensors file: it has only 0 bytes/],
    ['three bytes', Uint8Array.of(1, 2, 3), /only 3 bytes/],
    ['text', Buffer.from('species,recordist\nwren,someone\n'), /is not a safetensors file\. Check/],
    ['a PyTorch archive', Buffer.from('PK\x03\x04and a good deal more'), /PyTorch checkpoint.*save_file/],
    ['a pickle', Buffer.from('\x80\x02}q\x00X\x05\x00\x00\x00state', 'latin1'), /PyTorch checkpoint/],
    ['HDF5', Buffer.from('\x89HDF\r\n\x1a\n--------', 'latin1'), /HDF5/],
    ['a header of 2^63 bytes', file('{}', one, 2 ** 63), /is not a safetensors file/],
    [
      'a header longer than the file',
      file('{}', one, 5000),
      /cut short: it has 14 bytes, but its header asks for 5008/,
    ],
    ['a header of nothing', file('', one, 0), /is not a safetensors file/],
    ['a header that is no JSON', file('{"x": [}'), /damaged header: .*JSON/],
    ['a header in another encoding', file('{"é":1}', one).fill(0xe9, 10, 11), /not UTF-8/],
    ['an entry that is no object', file({ x: 3 }), /tensor "x" has a damaged header entry/],
    ['an entry without a shape', file({ x: { dtype: 'F32', data_offsets: [0, 4] } }, one), /"x".*shape/],
    ['a negative size', file({ x: entry('F32', [-1], 0, 4) }, one), /"x".*shape: 0/],
    ['a fractional offset', file({ x: entry('F32', [1], 0.5, 4.5) }, one), /"x".*data_offsets: 0/],
    ['offsets beyond 2^53', file({ x: entry('F32', [1], 2 ** 60, 2 ** 60 + 4) }, one), /"x".*data_offsets/],
    [
      'an unknown dtype',
      file({ x: entry('C64', [1], 0, 4) }, one),
      /"x" has the element type "C64", not one of F64, F32/,
    ],
    ['an inherited name as dtype', file({ x: entry('toString', [1], 0, 4) }, one), /element type "toString"/],
    [
      'a shape that does not fit',
      file({ x: entry('F32', [2], 0, 4) }, one),
      /"x" needs 8 bytes of F32 .*\[2\].* hold 4/,
    ],
    ['an endless shape', file({ x: entry('F32', [2 ** 52, 2 ** 52, 0], 0, 4) }, one), /"x" needs 0 bytes/],
    ['offsets in reverse', file({ x: entry('F32', [1], 4, 0) }, one), /"x" needs 4 bytes.*hold -4/],
    [
      'offsets past the end',
      file({ x: entry('F32', [2], 0, 8) }, one),
      /"x" should end at 8, .*only 4 bytes.*cut short/,
    ],
    [
      'overlapping tensors',
      file({ a: entry('U8', [3], 0, 3), b: entry('U8', [2], 2, 4) }, one),
      /tensor "b" begins at 2, within tensor "a", which ends at 3/,
    ],
    [
      'a gap',
      file({ a: entry('U8', [1], 0, 1), b: entry('U8', [1], 3, 4) }, one),
      /tensor "b" begins at 3 and leaves a gap/,
    ],
    ['bytes at the end', file({ a: entry('U8', [1], 0, 1) }, one), /3 bytes that belong to no tensor/],
    ['metadata that are no texts', file({ __metadata__: { steps: 3 } }), /__metadata__ that are not all texts/],
    ['metadata that are a list', file({ __metadata__: ['a'] }), /__metadata__/],
    [
      'a duplicate tensor',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":1}'),
      /names "a" twice/,
    ],
    ['duplicate metadata', file('{"__metadata__":{"k":"1", "k" : "2"}}'), /names "k" twice/],
    [
      'a large integer',
      file({ n: entry('I64', [1], 0, 8) }, new Uint8Array(8).fill(0x7f)),
      /"n" cannot be held: .*2\^53/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(reading(bytes)).toThrow(UserError);
    expect(reading(bytes)).toThrow(message);
  });

  it('does not take equal keys of different objects, or texts, for duplicates', () => {
    const header = '{"__metadata__":{"a":"\\"a\\":{","b":"a"},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
    expect(readSafetensors(file(header)).metadata).toEqual({ a: '"a":{', b: 'a' });
  });

  it('is named when it was cut anywhere', async () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => i);
    const whole = writeSafetensors(
      new Map<string, WritableTensor>([
        ['first', { dtype: 'F32', shape: [10, 10], data: values }],
        ['second', { dtype: 'F32', shape: [100], data: values }],
      ]),
    );
    const name = path.join(folder, 'cut.safetensors');
    await writeFile(name, whole);
    for (let length = whole.length - 1; length >= 0; length -= 61) {
      await truncate(name, length);
      expect(() => readSafetensors(name)).toThrow(UserError);
      expect(() => readSafetensors(name)).toThrow(/cut\.safetensors".*(cut short|only \d+ bytes)/);
    }
  });

  it('never makes the reader fail in another way, whatever bytes change', () => {
    const whole = writeSafetensors(
      new Map<string, WritableTensor>([
        ['weight', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }],
        ['steps', { dtype: 'I64', shape: [], data: Float64Array.of(800) }],
      ]),
      { format: 'pt' },
    );
    const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), (changes, length) => {
        const bytes = whole.slice(0, length % 3 === 0 ? length : whole.length);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const { shape, data } of readSafetensors(bytes).tensors.values()) {
            expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that are not there, or folders, are named', () => {
    expect(() => readSafetensors(path.join(folder, 'none'))).toThrow(/There is no file or folder ".*none"/);
    expect(() => readSafetensors(folder)).toThrow(/is a folder/);
  });
});
