import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Array64, make, type Outputs } from '../../src/reference/array.js';

/** Where the case files lie, beside the project; they are not part of it. */
const FOLDER = new URL('../../../shared/reference/cases/', import.meta.url);

/** A case of a file of the format `reference-cases/1`, with its tensors in place of their keys. */
export interface ReferenceCase {
  name: string;
  op: string;
  attrs: object;
  inputs: Outputs;
  outputs: Outputs;
  cotangents: Outputs;
  grads: Outputs;
}

interface TensorEntry {
  dtype: 'F32' | 'I32';
  shape: number[];
  data_offsets: [start: number, end: number];
}

type Keys = { [name: string]: string };

interface CaseEntry {
  name: string;
  op: string;
  attrs: object;
  inputs: Keys;
  outputs: Keys;
  cotangents?: Keys;
  grads?: Keys;
}

/** All cases of one file, or undefined, with a line on the console, where there is no such file. */
export function readCases(file: string): ReferenceCase[] | undefined {
  const url = new URL(file, FOLDER);
  if (!existsSync(url)) {
    console.log(`skipped: there is no ${fileURLToPath(url)}`);
    return undefined;
  }
  const bytes = readFileSync(url);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as { [key: string]: TensorEntry } & {
    __metadata__: { format: string; cases: string };
  };
  const tensor = (key: string): Array64 => {
    const { dtype, shape, data_offsets } = header[key];
    const [start, end] = data_offsets.map((offset) => 8 + headerLength + offset);
    const buffer = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end);
    return make(shape, dtype === 'F32' ? new Float32Array(buffer) : new Int32Array(buffer));
  };
  const tensors = (keys: Keys = {}): Outputs =>
    Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, tensor(key)]));
  const entries = JSON.parse(header.__metadata__.cases) as CaseEntry[];
  return entries.map(({ name, op, attrs, inputs, outputs, cotangents, grads }) => ({
    name,
    op,
    attrs,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
    cotangents: tensors(cotangents),
    grads: tensors(grads),
  }));
}

/** max |expected| */
function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** What an error is relative to: each expected tensor's own maximum, but at least 1e-3 of the largest of all. */
export function scales(expected: Outputs): { [name: string]: number } {
  const own = Object.entries(expected).map(([name, array]) => [name, largest(array.data)] as const);
  const floor = 1e-3 * Math.max(...own.map(([, most]) => most));
  return Object.fromEntries(own.map(([name, most]) => [name, Math.max(most, floor)]));
}

/** max |actual - expected|; NaN where either is, or where the lengths differ. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  return Array.from(actual).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
}
