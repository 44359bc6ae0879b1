/** Walks through what a generator knows, as sheets: from class to class, and from noise to noise. */
import { gridPng } from '../io/image.js';
import type { Engine } from '../kernel/engine.js';
import { Generator, type GeneratorConfig, generatedSize } from '../models/generator.js';
import { Network, type State } from '../nn/network.js';
import { imagesOf, noiseIndex, noiseOf, toLevels } from './sample.js';

export interface WalkOptions {
  readonly engine: Engine;
  readonly g: Network<Generator>;
  readonly classes: readonly string[];
  /** Numbers of the classes to walk through. */
  readonly labels: readonly number[];
  readonly seed: number;
  readonly batch: number;
  readonly truncation?: number | undefined;
}

/** Images of a row, from where it begins to where it ends. */
const STEPS = 9;

const SHARES = Array.from({ length: STEPS }, (_, i) => i / (STEPS - 1));

/** A row from each class to the next, the last to the first: all that the generator knows by class is mixed, the noise stays. PNG. */
export async function classWalk(options: WalkOptions): Promise<Buffer> {
  const { engine: e, g, classes, labels, seed, batch, truncation } = options;
  const { latent } = g.module.config;
  const rows = labels.map((from, k) => ({ from, to: labels[(k + 1) % labels.length]! }));
  const mixes = rows.flatMap(({ from, to }) => SHARES.map((share) => ({ from, to, share })));
  const mixed = await mixedGenerator(e, g, mixes);
  const noise = noiseOf(seed, noiseIndex(labels[0]!, 0), latent, truncation);
  const images = await imagesOf(e, mixed, Int32Array.from(mixes.keys()), batch, () => noise);
  mixed.destroy();
  const names = rows.map(({ from }) => classes[from]!);
  return sheet(g, images, names, 'from each class to that of the row below, the same noise');
}

/** A row for each class, from one noise to another along the sphere on which noise lies. PNG. */
export async function noiseWalk(options: WalkOptions): Promise<Buffer> {
  const { engine: e, g, classes, labels, seed, batch, truncation } = options;
  const { latent } = g.module.config;
  const [from, to] = [0, 1].map((i) => noiseOf(seed, noiseIndex(labels[0]!, i), latent, truncation));
  const walked = SHARES.map((share) => slerp(from!, to!, share));
  const all = Int32Array.from(labels.flatMap((label) => SHARES.map(() => label)));
  const images = await imagesOf(e, g, all, batch, (i) => walked[i % STEPS]!);
  return sheet(
    g,
    images,
    labels.map((label) => classes[label]!),
    'from noise to noise, the same in every class',
  );
}

async function sheet(
  g: Network<Generator>,
  images: Float32Array,
  rowLabels: readonly string[],
  title: string,
): Promise<Buffer> {
  const { base, widths, channels } = g.module.config;
  const size = generatedSize(base, widths);
  return gridPng(toLevels(images, size, channels), { columns: STEPS, size, rowLabels, title });
}

/**
 * Between two vectors, by their angle: sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b (Shoemake 1985). A straight line would lead
 * through shorter ones, such as normal noise of many dimensions never is.
 */
export function slerp(a: Float64Array, b: Float64Array, t: number): Float64Array {
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))));
  const [u, v] =
    Math.sin(angle) < 1e-6
      ? [1 - t, t]
      : [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((s) => s / Math.sin(angle));
  return a.map((value, i) => u! * value + v! * b[i]!);
}

interface Mix {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** A generator whose classes are mixtures of those of another one. */
async function mixedGenerator(e: Engine, g: Network<Generator>, mixes: readonly Mix[]): Promise<Network<Generator>> {
  const { config } = g.module;
  const tables = classTables(config);
  const state: State = new Map(
    [...(await g.state())].map(([name, { shape, data }]) => {
      if (!tables.has(name)) return [name, { shape, data }];
      const width = data.length / config.classes;
      const mixed = Float32Array.from({ length: mixes.length * width }, (_, i) => {
        const { from, to, share } = mixes[Math.floor(i / width)]!;
        const [a, b] = [data[from * width + (i % width)]!, data[to * width + (i % width)]!];
        return (1 - share) * a + share * b;
      });
      return [name, { shape: [mixes.length, ...shape.slice(1)], data: mixed }];
    }),
  );
  const network = new Network(e, new Generator({ ...config, classes: mixes.length }), 0, { trained: false });
  network.load(state);
  return network;
}

/** Names of the tensors with a row for each class: those that are other in a generator of one class more. */
function classTables(config: GeneratorConfig): Set<string> {
  const rows = (classes: number) => [...new Generator({ ...config, classes }).state()];
  const more = rows(config.classes + 1);
  return new Set(
    rows(config.classes).flatMap(({ name, parameter }, i) =>
      parameter.shape[0] === more[i]!.parameter.shape[0] ? [] : [name],
    ),
  );
}
