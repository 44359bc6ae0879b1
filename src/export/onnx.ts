/**
 * ONNX files: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. A model is a graph whose nodes name their inputs and
 * outputs, with the values of those that are constant (initializers). The numbers are the field numbers of that definition.
 */
import { type Shape, sizeOf } from '../memory/tensor.js';
import { bytes, encode, type Fields, float, int, message, text } from './protobuf.js';

/** Whose operators the graph is written in. */
const OPSET = 17;
/** Of the file format: the one that came with that opset. */
const IR_VERSION = 8;

/** Whole numbers are integers; another number is wrapped, so that 1 can be one, too. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  /** Names; '' for one that is not given. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** float32 values, or int64 ones, which are numbers here. */
export interface Initializer {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array | readonly number[];
}

export interface OnnxValue {
  readonly name: string;
  readonly type: 'float' | 'int64';
  /** A name stands for any extent. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of an .onnx file. */
export const onnxFile = (graph: OnnxGraph, metadata: Readonly<Record<string, string>>): Uint8Array =>
  encode(
    int(1, IR_VERSION),
    text(2, 'lyrebird'),
    message(7, ...graphFields(graph)),
    message(8, text(1, ''), int(2, OPSET)),
    ...Object.entries(metadata).map(([key, value]) => message(14, text(1, key), text(2, value))),
  );

const graphFields = ({ name, nodes, initializers, inputs, outputs }: OnnxGraph): Fields[] => [
  ...nodes.map((node) => message(1, ...nodeFields(node))),
  text(2, name),
  ...initializers.map((initializer) => message(5, ...tensorFields(initializer))),
  ...inputs.map((value) => message(11, ...valueFields(value))),
  ...outputs.map((value) => message(12, ...valueFields(value))),
];

const nodeFields = ({ op, inputs, output, attributes }: OnnxNode): Fields[] => [
  ...inputs.map((name) => text(1, name)),
  text(2, output),
  text(3, output),
  text(4, op),
  ...Object.entries(attributes).map(([name, value]) => message(5, text(1, name), ...attributeFields(value))),
];

function attributeFields(value: Attribute): Fields[] {
  const type = (number: number): Fields => int(20, number);
  if (typeof value === 'number') return [int(3, value), type(2)];
  if (typeof value === 'string') return [text(4, value), type(3)];
  if ('float' in value) return [float(2, value.float), type(1)];
  return [...value.map((item) => int(8, item)), type(7)];
}

const TYPES = { float: 1, int64: 7 } as const;

function tensorFields({ name, shape, data }: Initializer): Fields[] {
  const isFloat = data instanceof Float32Array;
  const count = data.length;
  if (count !== sizeOf(shape)) throw new Error(`${name} has ${count} values, not those of [${shape}]`);
  const raw = isFloat ? data : BigInt64Array.from(data, BigInt);
  return [
    ...shape.map((extent) => int(1, extent)),
    int(2, isFloat ? TYPES.float : TYPES.int64),
    text(8, name),
    bytes(9, new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength)),
  ];
}

function valueFields({ name, type, shape }: OnnxValue): Fields[] {
  const dimensions = shape.map((extent) => message(1, typeof extent === 'number' ? int(1, extent) : text(2, extent)));
  return [text(1, name), message(2, message(1, int(1, TYPES[type]), message(2, ...dimensions)))];
}
