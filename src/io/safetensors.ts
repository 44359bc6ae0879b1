/**
 * Tensors in files that PyTorch and other tools share: https://github.com/huggingface/safetensors. A file is
 *
 *   8 bytes: N, little-endian | N bytes: JSON header, padded with spaces | the tensors' bytes, without gaps
 *
 * and its header maps each name to { dtype, shape, data_offsets: [begin, end] }, with offsets from the header's end,
 * and `__metadata__` to texts. Nothing in a file is trusted: every number is checked before it is used.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { codecs, type Dtype, type DtypeArrays, type WritableDtype } from './dtypes.js';
import { describe, systemCode, toUserError, UserError } from './errors.js';

type TensorOf<D extends Dtype> = { [K in D]: { dtype: K; shape: readonly number[]; data: DtypeArrays[K] } }[D];

/** `data` in row-major order; `shape` `[]` is a scalar, with one element. */
export type StoredTensor = TensorOf<Dtype>;

/** What can be written: everything but half precision. */
export type WritableTensor = TensorOf<WritableDtype>;

export interface SafetensorsFile {
  /** In the order of their data. */
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

/**
 * Reads a file, or the bytes of one; of bytes, the tensors are views where alignment allows, so leave them unchanged.
 * Throws a UserError that names the file, the tensor and what is wrong with it.
 */
export function readSafetensors(source: string | Uint8Array): SafetensorsFile {
  if (typeof source !== 'string') {
    const read = (offset: number, length: number) => source.subarray(offset, offset + length);
    return parse({ name: 'The safetensors data', size: source.byteLength, read });
  }
  let descriptor: number | undefined;
  try {
    descriptor = openSync(source, 'r');
    return parse(fileSource(source, descriptor));
  } catch (error) {
    throw systemCode(error) === undefined ? error : toUserError(error, source);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * The bytes of a safetensors file. Every tensor begins at a multiple of its element size. Throws a RangeError that names
 * the tensor if its data do not fit its shape or dtype.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  // Wide elements first: with the header's end a multiple of 8, that alone aligns every tensor.
  const sorted = [...tensors].sort(([, a], [, b]) => codecs[b.dtype].bytes - codecs[a.dtype].bytes);
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[metadataKey, metadata]] : [];
  const parts: { begin: number; bytes: Uint8Array }[] = [];
  let end = 0;
  for (const [name, tensor] of sorted) {
    const bytes = encode(name, tensor);
    const begin = end;
    end += bytes.byteLength;
    entries.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, end] }]);
    parts.push({ begin, bytes });
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  file.fill(0x20, 8 + json.length, 8 + headerLength);
  for (const { begin, bytes } of parts) file.set(bytes, 8 + headerLength + begin);
  return file;
}

const metadataKey = '__metadata__';

/** The format's own limit, so that a nonsense length is never allocated. */
const maxHeaderLength = 100_000_000;

interface Source {
  /** How messages begin: the quoted path. */
  name: string;
  size: number;
  /** At most `length` bytes from `offset` on; fewer only where the file ends. */
  read(offset: number, length: number): Uint8Array;
}

/** Each read has memory of its own, so that tensors are aligned and can be let go one by one. */
function fileSource(path: string, descriptor: number): Source {
  const read = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(descriptor, bytes, filled, Math.min(length - filled, 2 ** 30), offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  };
  return { name: `"${path}"`, size: fstatSync(descriptor).size, read };
}

function parse(source: Source): SafetensorsFile {
  const { json, length } = readHeader(source);
  const { metadata, entries } = parseHeader(source, json);
  const dataStart = 8 + length;
  checkLayout(source, entries, source.size - dataStart);
  const tensors = new Map<string, StoredTensor>();
  for (const entry of entries) {
    const [begin, end] = entry.offsets;
    const bytes = source.read(dataStart + begin, end - begin);
    if (bytes.byteLength < end - begin) throw cutShort(source, dataStart + end);
    tensors.set(entry.name, decode(source, entry, bytes));
  }
  return { tensors, metadata };
}

/** The header's text and its length in bytes. */
function readHeader(source: Source): { json: string; length: number } {
  const start = source.read(0, 16);
  if (start.byteLength < 8) {
    throw new UserError(`${source.name} is no safetensors file: it has only ${start.byteLength} bytes. ${getAgain}`);
  }
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const looksRight = start.byteLength === 8 || start[8] === '{'.charCodeAt(0);
  if (!looksRight || length > maxHeaderLength || length < 2) {
    throw new UserError(`${source.name} is not a safetensors file. ${foreignAdvice(start)}`);
  }
  if (8 + length > source.size) throw cutShort(source, 8 + length);
  try {
    return { json: new TextDecoder('utf-8', { fatal: true }).decode(source.read(8, length)), length };
  } catch {
    throw new UserError(`${source.name} has a damaged header: it is not UTF-8 text. ${getAgain}`);
  }
}

const getAgain = 'Copy or download it again.';

function cutShort({ name, size }: Source, needed: number): UserError {
  return new UserError(`${name} is cut short: it has ${size} bytes, but its header asks for ${needed}. ${getAgain}`);
}

/** What to do about a file whose first bytes belong to another format. */
function foreignAdvice(start: Uint8Array): string {
  const begins = (...bytes: number[]) => bytes.every((byte, i) => start[i] === byte);
  if (begins(0x50, 0x4b, 3, 4) || begins(0x80, 2) || begins(0x80, 4)) {
    return 'It looks like a PyTorch checkpoint (.pt, .pth): load it in Python and save it with safetensors.torch.save_file.';
  }
  if (begins(0x89, 0x48, 0x44, 0x46)) return 'It looks like HDF5 (.h5): convert it to safetensors in Python.';
  return 'Check that it is the right file, or copy or download it again.';
}

const offset = z.int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(offset),
  data_offsets: z.tuple([offset, offset]),
});

interface Entry {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  offsets: readonly [begin: number, end: number];
}

function parseHeader(source: Source, json: string): { metadata: Record<string, string>; entries: Entry[] } {
  const header = parseJson(source, json);
  const duplicate = findDuplicateKey(json);
  if (duplicate !== undefined) {
    throw new UserError(`${source.name} names ${JSON.stringify(duplicate)} twice in its header. Write the file anew.`);
  }
  const metadata = header[metadataKey] ?? {};
  if (!isRecord(metadata) || !isTextRecord(metadata)) {
    throw new UserError(`${source.name} has ${metadataKey} that are not all texts. Write the file anew.`);
  }
  const entries = Object.entries(header)
    .filter(([name]) => name !== metadataKey)
    .map(([name, value]) => parseEntry(source, name, value))
    .sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  return { metadata, entries };
}

function parseJson(source: Source, json: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (error) {
    throw new UserError(`${source.name} has a damaged header: ${describe(error)}. ${getAgain}`, { cause: error });
  }
  if (isRecord(header)) return header;
  throw new UserError(`${source.name} has a damaged header: it is no JSON object. ${getAgain}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextRecord(record: Record<string, unknown>): record is Record<string, string> {
  return Object.values(record).every((value) => typeof value === 'string');
}

function parseEntry(source: Source, name: string, value: unknown): Entry {
  const entry = entrySchema.safeParse(value);
  if (!entry.success) {
    const { path, message } = entry.error.issues[0]!;
    throw tensorFault(source, name, `has a damaged header entry: ${[...path, message].join(': ')}`);
  }
  const { dtype, shape, data_offsets: offsets } = entry.data;
  if (!isDtype(dtype)) {
    const known = Object.keys(codecs).join(', ');
    throw tensorFault(source, name, `has the element type ${JSON.stringify(dtype)}, not one of ${known}`);
  }
  const [begin, end] = offsets;
  const needed = shape.reduce((product, size) => product * size, codecs[dtype].bytes);
  if (end - begin !== needed) {
    const bytes = `${needed} bytes of ${dtype} for its shape [${shape.join(', ')}]`;
    throw tensorFault(source, name, `needs ${bytes}, but its offsets ${begin} to ${end} hold ${end - begin}`);
  }
  return { name, dtype, shape, offsets };
}

/** The tensors (sorted by offset) must follow each other without overlap or gap, up to the end of the file. */
function checkLayout(source: Source, entries: readonly Entry[], dataLength: number): void {
  let previous: Entry | undefined;
  for (const entry of entries) {
    const expected = previous?.offsets[1] ?? 0;
    const [begin, end] = entry.offsets;
    if (begin < expected) {
      const other = JSON.stringify(previous?.name);
      throw tensorFault(source, entry.name, `begins at ${begin}, within tensor ${other}, which ends at ${expected}`);
    }
    if (begin > expected) {
      throw tensorFault(
        source,
        entry.name,
        `begins at ${begin} and leaves a gap after the data before, up to ${expected}`,
      );
    }
    if (end > dataLength) {
      const fault = `should end at ${end}, but the file has only ${Math.max(0, dataLength)} bytes of data: it is cut short`;
      throw tensorFault(source, entry.name, fault);
    }
    previous = entry;
  }
  const used = previous?.offsets[1] ?? 0;
  if (used < dataLength) {
    throw new UserError(`${source.name} has ${dataLength - used} bytes that belong to no tensor. ${getAgain}`);
  }
}

function tensorFault(source: Source, name: string, fault: string): UserError {
  return new UserError(`${source.name}: tensor ${JSON.stringify(name)} ${fault}. Write or download the file again.`);
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(codecs, name);
}

/** JSON.parse keeps the last of equal keys without a word. The first key that any object of valid `json` has twice. */
function findDuplicateKey(json: string): string | undefined {
  const scopes: Set<string>[] = [];
  const afterString = /\s*:/y;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') scopes.push(new Set());
    else if (character === '}') scopes.pop();
    else if (character === '"') {
      const start = at++;
      while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
      afterString.lastIndex = at + 1;
      if (!afterString.test(json)) continue;
      const key: string = JSON.parse(json.slice(start, at + 1));
      if (scopes.at(-1)?.has(key)) return key;
      scopes.at(-1)?.add(key);
    }
  }
  return undefined;
}

function decode(source: Source, { name, dtype, shape }: Entry, bytes: Uint8Array): StoredTensor {
  try {
    // The compiler cannot follow that a dtype and what its codec gives belong together.
    return { dtype, shape, data: codecs[dtype].decode(bytes) } as StoredTensor;
  } catch (error) {
    if (error instanceof RangeError) throw tensorFault(source, name, `cannot be held: ${error.message}`);
    throw error;
  }
}

function encode(name: string, { dtype, shape, data }: WritableTensor): Uint8Array {
  const fault = (what: string) => new RangeError(`Tensor ${JSON.stringify(name)} ${what}`);
  if (name === metadataKey) throw fault('has a name that the format keeps for itself');
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== data.length)
    throw fault(`has ${data.length} elements, not the ${elements} of [${shape.join(', ')}]`);
  try {
    const encodeAs = codecs[dtype].encode as (values: WritableTensor['data']) => ArrayBufferView;
    const { buffer, byteOffset, byteLength } = encodeAs(data);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    throw error instanceof RangeError ? fault(`cannot be written: ${error.message}`) : error;
  }
}
