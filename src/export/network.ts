/**
 * Any network as an ONNX model: its forward pass is traced, and each op that it applies becomes nodes (operators.ts). So a new
 * network needs nothing here, and a new op a few lines there.
 */

import { shapeOnly, Tracer } from '../autograd/tracer.js';
import { formatShape, type Shape, sameShape, type Tensor } from '../memory/tensor.js';
import type { Module } from '../nn/module.js';
import type { State } from '../nn/network.js';
import { Graph, type Value } from './graph.js';
import { type Initializer, type OnnxGraph, onnxFile } from './onnx.js';
import { operators } from './operators.js';

/** What the forward pass takes or gives for each image: `shape` comes after the number of images. */
export interface Port {
  readonly name: string;
  readonly shape: Shape;
  /** Whole numbers, which are int64 in the model. Default false. */
  readonly integers?: boolean;
}

/** A network to be exported. */
export interface Exported {
  readonly name: string;
  /** Without memory. */
  readonly module: Module;
  readonly state: State;
  readonly inputs: readonly Port[];
  readonly output: string;
  forward(tape: Tracer, inputs: readonly Tensor[]): Tensor;
  /** Goes into the file as it is. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of an .onnx file (opset 17), in evaluation mode, for any number of images. Throws an error that names what has no
 * counterpart, or which of the weights is missing or of another shape.
 */
export function toOnnx(network: Exported): Uint8Array {
  const [two, three] = [graphOf(network, 2), graphOf(network, 3)];
  if (JSON.stringify(two.nodes) !== JSON.stringify(three.nodes) || !sameConstants(two.constants, three.constants)) {
    throw new Error(`${network.name} computes with the number of images, which ONNX would fix`);
  }
  const graph: OnnxGraph = {
    name: network.name,
    nodes: two.nodes,
    initializers: [...weightsOf(network, two.weights), ...two.constants],
    inputs: network.inputs.map(({ name, shape, integers }) => ({
      name,
      type: integers ? 'int64' : 'float',
      shape: [BATCH, ...shape],
    })),
    outputs: [{ name: network.output, type: 'float', shape: [BATCH, ...two.output] }],
  };
  return onnxFile(graph, network.metadata);
}

/** What the first extent is called. */
const BATCH = 'N';

interface Traced {
  readonly nodes: Graph['nodes'];
  readonly constants: readonly Initializer[];
  /** Names of the parameters and buffers that are used. */
  readonly weights: ReadonlySet<string>;
  /** Of the result, for each image. */
  readonly output: Shape;
}

function graphOf({ module, inputs, output, forward }: Exported, images: number): Traced {
  const values = new Map<Tensor, Value>();
  const known = (tensor: Tensor, name: string): Tensor => {
    values.set(tensor, { name, shape: tensor.shape });
    return tensor;
  };
  for (const { name, parameter } of module.state()) parameter.place(known(shapeOnly(parameter.shape), name));
  const weights = new Set<string>();
  const names = new Set([...values.values()].map(({ name }) => name));
  const tape = new Tracer();
  module.eval();
  const given = inputs.map(({ name, shape, integers }) =>
    known(shapeOnly([images, ...shape], integers ? 'i32' : 'f32'), name),
  );
  const result = forward(tape, given);
  const g = new Graph();
  for (const { op, attrs, calls } of tape.steps) {
    const emit = operators.get(op.name);
    if (!emit) throw new Error(`${op.name} has no counterpart in ONNX yet (src/export/operators.ts)`);
    for (const { inputs: operands, y } of calls) {
      const named = operands.map((operand) => operand && values.get(operand));
      for (const value of named) if (value && names.has(value.name)) weights.add(value.name);
      known(y, emit(g, named, attrs));
    }
  }
  g.nodes.push({ op: 'Identity', inputs: [values.get(result)!.name], output, attributes: {} });
  return { nodes: g.nodes, constants: g.constants, weights, output: result.shape.slice(1) };
}

const sameConstants = (a: readonly Initializer[], b: readonly Initializer[]): boolean =>
  a.length === b.length &&
  a.every(({ shape, data }, i) => sameShape(shape, b[i]!.shape) && data.every((value, j) => value === b[i]!.data[j]));

function weightsOf({ module, state }: Exported, used: ReadonlySet<string>): Initializer[] {
  return [...module.state()].flatMap(({ name, parameter: { shape } }) => {
    if (!used.has(name)) return [];
    const entry = state.get(name);
    if (!entry) throw new Error(`the tensor ${name} of the network is missing`);
    if (sameShape(entry.shape, shape)) return [{ name, shape, data: entry.data }];
    throw new Error(
      `the tensor ${name} has the shape ${formatShape(entry.shape)}, the network's has ${formatShape(shape)}`,
    );
  });
}
