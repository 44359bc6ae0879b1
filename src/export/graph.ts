/** A graph under construction. */
import type { Shape } from '../memory/tensor.js';
import type { Attribute, Initializer, OnnxNode } from './onnx.js';

/** What a node gives, or what it takes. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
}

export class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly constants: Initializer[] = [];

  /** Adds a node; the name of what it gives. An input that is not given is ''. */
  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const output = `${op}_${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** Adds float32 values; their name. */
  floats(values: readonly number[], shape: Shape = [values.length]): string {
    return this.constant(Float32Array.from(values), shape);
  }

  /** Adds int64 values; their name. */
  ints(values: readonly number[]): string {
    return this.constant(values, [values.length]);
  }

  private constant(data: Initializer['data'], shape: Shape): string {
    const name = `constant_${this.constants.length}`;
    this.constants.push({ name, shape, data });
    return name;
  }
}
