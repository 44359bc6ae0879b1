/** Reference-case files, format `reference-cases/1`: safetensors with the cases described in their metadata. */
import { z } from 'zod';
import { UserError } from '../../io/errors.js';
import { readSafetensors } from '../../io/safetensors.js';
import type { Engine } from '../../kernel/engine.js';
import type { Shape, Tensor } from '../../memory/tensor.js';

const keys = z.record(z.string(), z.string());

const schema = z.array(
  z.object({
    name: z.string(),
    op: z.string(),
    attrs: z.record(z.string(), z.unknown()),
    inputs: keys,
    outputs: keys.refine((outputs) => Object.keys(outputs).length > 0, 'a case must expect some output'),
    cotangents: keys.default({}),
    grads: keys.default({}),
    tol: z.number().positive(),
    gradTol: z.number().positive(),
  }),
);

/** float32 values, or the int32 ones of labels and indices. */
export interface Value {
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array;
}

export type Values = ReadonlyMap<string, Value>;

export interface ReferenceCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: Values;
  readonly outputs: Values;
  readonly cotangents: Values;
  readonly grads: Values;
  readonly tol: number;
  readonly gradTol: number;
}

/** An input of a case. Throws an error if there is none of that name. */
export function required(values: Values, name: string): Value {
  const value = values.get(name);
  if (!value) throw new Error(`the case has no input named ${name}`);
  return value;
}

/** On the GPU. */
export const upload = (e: Engine, { data, shape }: Value): Tensor => e.upload(data, shape);

/** Reads all cases of a file. Throws a UserError that says what is wrong with it. */
export function readReferenceCases(path: string): ReferenceCase[] {
  const { tensors, metadata } = readSafetensors(path);
  if (metadata.format !== 'reference-cases/1') {
    throw new UserError(`${path} is not a file of reference cases: its metadata has no format 'reference-cases/1'.`);
  }
  const described = schema.safeParse(parseJson(path, metadata.cases));
  if (!described.success)
    throw new UserError(`${path}: the description of the cases is damaged. ${z.prettifyError(described.error)}`);
  const values = (names: Record<string, string>): Values =>
    new Map(
      Object.entries(names).map(([name, key]) => {
        const tensor = tensors.get(key);
        if (!tensor || !(tensor.data instanceof Float32Array || tensor.data instanceof Int32Array)) {
          throw new UserError(`${path}: the tensor ${key} of the cases is missing, or neither F32 nor I32.`);
        }
        return [name, { shape: tensor.shape, data: tensor.data }];
      }),
    );
  return described.data.map((entry) => ({
    ...entry,
    inputs: values(entry.inputs),
    outputs: values(entry.outputs),
    cotangents: values(entry.cotangents),
    grads: values(entry.grads),
  }));
}

function parseJson(path: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new UserError(`${path}: the description of the cases is not JSON.`);
  }
}
