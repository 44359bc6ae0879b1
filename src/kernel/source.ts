/**
 * From plain WGSL files to one shader module's text, and from that text to its layout.
 *
 * A kernel is a file of kernels/, the library files that it uses, and a record of constants. The text is the record as
 * `const`s and `alias`es, then the files one after another: WGSL does not mind the order of declarations. Only `enable`s go
 * first: those of the files, and f16 where a constant asks for it.
 */

import type { DType, Tensor } from '../memory/tensor.js';
import { inPlace } from './inPlace.js';
import { windowed } from './windows.js';

/** Numbers become `const NAME = 3u;`, strings `alias NAME = f32;`, booleans `const NAME = true;`. */
export type Constants = Readonly<Record<string, number | boolean | string>>;

/** Types of an element, and of four of them. */
const ELEMENTS: Readonly<Record<DType, readonly [string, string]>> = {
  f32: ['f32', 'vec4f'],
  f16: ['f16', 'vec4h'],
  i32: ['i32', 'vec4i'],
  u32: ['u32', 'vec4u'],
};

const HALVES = new Set(ELEMENTS.f16);

const ENABLE = /^enable (\w+);\n/gm;

/**
 * Constants for a kernel that computes in f32 whatever its tensors are stored in: the types of their elements, `lanes` at a
 * time. With `elements({ X: x, Y: y }, 4)` it binds x as array<X>, reads vec4f(x[i]), and writes y[i] = Y(value).
 */
export function elements(tensors: Readonly<Record<string, Tensor>>, lanes = 1): Record<string, string> {
  const types: Record<string, string> = {};
  for (const name in tensors) types[name] = ELEMENTS[tensors[name]!.dtype][lanes === 4 ? 1 : 0];
  return types;
}

export interface KernelSource {
  /** File name in kernels/ without its ending. */
  readonly file: string;
  /** Library files it uses, likewise. */
  readonly uses?: readonly string[];
  readonly constants?: Constants;
  /** An operand's binding and the result's, where both are the same tensor: see inPlace.ts. */
  readonly inPlace?: readonly [read: number, written: number] | undefined;
  /** In how many windows each binding comes, where a tensor passes the binding limit: see windows.ts. */
  readonly windows?: readonly number[] | undefined;
}

export type ParamType = 'u32' | 'i32' | 'f32';

/** What the text says of itself: its bindings in group 0 in order, and the fields of `struct Params`. */
export interface KernelLayout {
  readonly bindings: readonly ('read' | 'read_write')[];
  /** Those whose elements are stored in f16. */
  readonly halves: ReadonlySet<number>;
  readonly params: readonly { readonly name: string; readonly type: ParamType }[];
  /** How it uses the scratch texture (src/memory/scratch.ts), if it does: the binding in group 2. */
  readonly scratch: 'read' | 'write' | undefined;
}

/** A kernel's identity: equal keys are the same pipeline. */
export function kernelKey(kernel: KernelSource): string {
  let key = kernel.file;
  if (kernel.uses) for (const file of kernel.uses) key += `+${file}`;
  if (kernel.constants) for (const name in kernel.constants) key += `;${name}=${kernel.constants[name]}`;
  if (kernel.inPlace) key += `;IN_PLACE=${kernel.inPlace.join('-')}`;
  if (kernel.windows) key += `;WINDOWS=${kernel.windows.join('-')}`;
  return key;
}

export function kernelText(kernel: KernelSource, read: (file: string) => string): string {
  const constants = Object.entries(kernel.constants ?? {});
  const half = constants.some(([, value]) => HALVES.has(value as string));
  const files = [...(kernel.uses ?? []), kernel.file].map((file) => read(`${file}.wgsl`)).join('\n');
  const enabled = new Set([...files.matchAll(ENABLE)].map((match) => match[1]!));
  if (half) enabled.add('f16');
  const prelude = [...enabled].map((name) => `enable ${name};`);
  for (const [name, value] of constants) {
    if (typeof value === 'string') prelude.push(`alias ${name} = ${value};`);
    else prelude.push(`const ${name} = ${typeof value === 'number' ? `${value}u` : value};`);
  }
  const written = [...prelude, files.replace(ENABLE, '')].join('\n');
  const text = kernel.inPlace ? inPlace(written, kernel.inPlace) : written;
  return kernel.windows ? windowed(text, kernel.windows) : text;
}

export function parseLayout(text: string): KernelLayout {
  const types = new Map([...text.matchAll(/^alias (\w+) = (\w+);/gm)].map(([, name, type]) => [name!, type!]));
  const bindings: ('read' | 'read_write')[] = [];
  const halves = new Set<number>();
  const declaration =
    /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>\s*\w+\s*:\s*(?:array<(\w+)>)?/g;
  for (const [, index, access, element] of text.matchAll(declaration)) {
    bindings[Number(index)] = access as 'read' | 'read_write';
    if (HALVES.has(types.get(element ?? '') ?? '')) halves.add(Number(index));
  }
  const body = /struct Params\s*\{([^}]*)\}/.exec(text)?.[1] ?? '';
  const params = [...body.matchAll(/^\s*(\w+)\s*:\s*(u32|i32|f32)\s*,/gm)].map((match) => ({
    name: match[1]!,
    type: match[2] as ParamType,
  }));
  const scratch = /@group\(2\)[^;]*texture_storage_2d<rgba32float,\s*(read|write)>/.exec(text)?.[1];
  return { bindings, halves, params, scratch: scratch as KernelLayout['scratch'] };
}
