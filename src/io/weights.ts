/** Initial weights of a classifier from a file: such as torchvision's, trained on photographs, saved as safetensors. */
import { formatShape, type Shape, sameShape, sizeOf } from '../memory/tensor.js';
import type { Classifier } from '../models/classifier.js';
import type { Network, State } from '../nn/network.js';
import { UserError } from './errors.js';
import { readSafetensors } from './safetensors.js';

type Values = { readonly shape: Shape; readonly data: Float32Array };

/**
 * Loads what a file has of a network's weights; returns what to tell the user: each thing that was made to fit or that begins
 * at random, in a sentence. Kernels of a first convolution for other channels are summed or spread, so that grey images give what
 * the same images in colours gave; a last layer for other classes is not loaded; static weights serve as W0 of dynamic layers.
 * Throws a UserError that names the file and the tensor where anything else does not fit.
 */
export async function loadWeights(file: string, network: Network<Classifier>): Promise<string[]> {
  const given = readWeights(file);
  const own = await network.state();
  const sources = new Map(
    [...own.keys()].map((name) => [name, [name, staticName(name)].find((candidate) => given.has(candidate))]),
  );
  checkOrigin(file, given, new Set(sources.values()));
  const notes: string[] = [];
  const state = new Map(own);
  for (const [name, source] of sources) {
    if (source === undefined) continue;
    const pair = { name, source, shape: own.get(name)!.shape, values: given.get(source)! };
    const values = fitted(pair, network.module, file, notes);
    if (values) state.set(name, values);
  }
  const fresh = [...sources.values()].filter((source) => source === undefined).length;
  if (fresh > 0) notes.push(`${fresh} tensors that the file does not have begin at random.`);
  network.load(state);
  return notes;
}

/** Throws unless all of a file, and something of it, is used. */
function checkOrigin(file: string, given: State, used: ReadonlySet<string | undefined>): void {
  const unknown = [...given.keys()].find((name) => !used.has(name));
  if (unknown === undefined && given.size > 0) return;
  const what = unknown === undefined ? 'has no weights' : `has ${unknown}, which this network lacks`;
  throw new UserError(`"${file}" ${what}. Are these weights of another network?`);
}

/** A tensor of the network, and the one of the file that is meant for it. */
interface Pair {
  readonly name: string;
  readonly shape: Shape;
  readonly source: string;
  readonly values: Values;
}

/** The file's values in the network's shape; undefined if the tensor begins at random. May add to the notes. */
function fitted(
  { name, shape, source, values }: Pair,
  { stem, head }: Classifier,
  file: string,
  notes: string[],
): Values | undefined {
  // A linear layer is a dynamic convolution of one pixel.
  if (sameShape(values.shape, shape) || sameShape([...values.shape, 1, 1], shape)) return { shape, data: values.data };
  if (name === `${stem}.weight` && fitsButChannels(values.shape, shape)) {
    notes.push(`The first convolution, for ${values.shape[1]} channels, was made to fit ${shape[1]}.`);
    return withChannels(values, shape[1]!);
  }
  if (name.startsWith(`${head}.`)) {
    // Once for the layer: with its bias.
    if (shape.length === 1) {
      notes.push(`The last layer, for ${values.shape[0]} classes, begins at random for ${shape[0]}.`);
    }
    return undefined;
  }
  throw new UserError(
    `"${file}": the tensor ${source} has the shape ${formatShape(values.shape)}, the network's has ${formatShape(shape)}. ` +
      'Are these weights of a network of another width?',
  );
}

/** The floating-point tensors of a file; integers only count batches. */
function readWeights(file: string): State {
  const tensors = [...readSafetensors(file).tensors].filter(([name]) => !name.endsWith('.num_batches_tracked'));
  return new Map(
    tensors.map(([name, { dtype, shape, data }]) => {
      if (data instanceof Float32Array) return [name, { shape, data }];
      if (dtype === 'F64') return [name, { shape, data: Float32Array.from(data) }];
      throw new UserError(`"${file}": the tensor ${name} is of ${dtype}, but weights are F32, F16, BF16 or F64.`);
    }),
  );
}

/** What a tensor of a dynamic layer is called in the same network without them. */
const staticName = (name: string): string =>
  name.replace(/(\.pixel)?\.conv\.weight$/, '.weight').replace(/(\.pixel)?\.p\.bias$/, '.bias');

const fitsButChannels = (given: Shape, own: Shape): boolean =>
  given.length === 4 && sameShape([given[0]!, own[1]!, ...given.slice(2)], own);

/** Kernels [O, C, h, w] for other channels: their sum over C, in equal shares. */
function withChannels({ shape, data }: Values, channels: number): Values {
  const [outputs, inputs, ...size] = shape as [number, number, ...number[]];
  const taps = sizeOf(size);
  const values = Float32Array.from({ length: outputs * channels * taps }, (_, i) => {
    const output = Math.floor(i / (channels * taps));
    let sum = 0;
    for (let c = 0; c < inputs; c++) sum += data[(output * inputs + c) * taps + (i % taps)]!;
    return sum / channels;
  });
  return { shape: [outputs, channels, ...size], data: values };
}
