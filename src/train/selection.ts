/**
 * Choosing among a generator's images: those that a classifier takes for what their labels say, and of these the ones that the
 * discriminator finds most real (Azadi et al. 2019 reject by the discriminator; Ravuri and Vinyals 2019 by a classifier). What is
 * chosen is noise, by its index: the images are made again from it.
 */
import { sourceOf } from '../data/store.js';
import type { Engine } from '../kernel/engine.js';
import type { Discriminator } from '../models/discriminator.js';
import type { FeatureNet } from '../models/featureNet.js';
import { type Generator, generatedSize } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { logitsOf } from './judge.js';
import { outputsOf } from './outputs.js';
import { checkNumbers, generateImages, MOST_PER_CLASS, noiseIndex } from './sample.js';

export interface SelectionOptions {
  readonly engine: Engine;
  readonly g: Network<Generator>;
  /** Where it comes from. */
  readonly checkpoint: { readonly file: string };
  readonly seed: number;
  readonly batch: number;
  readonly truncation?: number | undefined;
  /** Keeps this share of the images: those that the discriminator finds most real. */
  readonly best?: { readonly share: number; readonly d: Network<Discriminator> } | undefined;
  /** Keeps images to whose label the classifier gives this probability or more. */
  readonly confident?: { readonly least: number; readonly classifier: Network<FeatureNet> } | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (chosen: number, tried: number) => void;
}

export interface Candidate {
  /** Of its noise, among those of its class. */
  readonly i: number;
  /** The discriminator's logit of its being real. */
  readonly score?: number;
  /** The probability that the classifier gives to its label. */
  readonly confidence?: number;
}

export interface Selection {
  /** In the order of their numbers; fewer than asked for if that many could not be found. */
  readonly chosen: readonly Candidate[];
  readonly tried: number;
}

/** Images that are made for each one wanted before a search is given up. */
const MOST_TRIES = 50;

/** Chooses `count` images of a class, or as many as can be found. Throws a UserError if they are no numbers, the signal's reason if it is stopped. */
export async function select(label: number, count: number, options: SelectionOptions): Promise<Selection> {
  const { best, signal, onProgress } = options;
  const share = best?.share ?? 1;
  const wanted = Math.ceil(count / share);
  const most = Math.min(MOST_PER_CLASS, MOST_TRIES * wanted);
  const accepted: Candidate[] = [];
  let tried = 0;
  while (accepted.length < wanted && tried < most) {
    signal.throwIfAborted();
    const numbers = Array.from({ length: Math.min(options.batch, most - tried) }, (_, k) => tried + k);
    for (const candidate of await judge(label, numbers, options)) {
      if (accepted.length >= wanted) break;
      tried++;
      if ((candidate.confidence ?? 1) >= (options.confident?.least ?? 0)) accepted.push(candidate);
    }
    onProgress?.(Math.min(count, Math.floor(accepted.length * share)), tried);
  }
  const kept = Math.min(count, Math.ceil(accepted.length * share));
  const ranked = best ? accepted.toSorted((a, b) => b.score! - a.score!) : accepted;
  return { chosen: ranked.slice(0, kept).toSorted((a, b) => a.i - b.i), tried };
}

async function judge(label: number, numbers: readonly number[], options: SelectionOptions): Promise<Candidate[]> {
  const { engine: e, g, checkpoint, seed, batch, truncation, best, confident } = options;
  const labels = new Int32Array(numbers.length).fill(label);
  const indices = numbers.map((i) => noiseIndex(label, i));
  const images = await generateImages(e, g, labels, { seed, indices, batch, truncation });
  checkNumbers(images, checkpoint);
  const size = generatedSize(g.module.config.base, g.module.config.widths);
  const source = sourceOf(images, labels, size);
  const scores = best && (await logitsOf(e, best.d, source, batch)).adversarial;
  const module = confident?.classifier.module;
  const logits = module && (await outputsOf(e, module, module.forward.bind(module), source));
  return numbers.map((i, k) => ({
    i,
    ...(scores && { score: scores[k]! }),
    ...(logits && { confidence: probability(logits, k, label, logits.length / numbers.length) }),
  }));
}

/** Softmax of a row of logits, at a label. */
function probability(logits: Float32Array, row: number, label: number, classes: number): number {
  const own = logits.subarray(row * classes, (row + 1) * classes);
  const most = own.reduce((a, b) => Math.max(a, b));
  return Math.exp(own[label]! - most) / own.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
}
