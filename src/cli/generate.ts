/** lyrebird generate RUN: labelled spectrograms from a checkpoint alone. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { manifestFormat, manifestName, readManifest } from '../data/manifest.js';
import { safeNames } from '../data/names.js';
import { indexName } from '../data/schema.js';
import { sourceOf } from '../data/store.js';
import { UserError } from '../io/errors.js';
import { insideFolder, isOwnFolder, writeAtomically } from '../io/files.js';
import { pixelsPng } from '../io/image.js';
import { createProgress } from '../io/progress.js';
import { type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import type { Engine } from '../kernel/engine.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { type Checkpoint, loadNetwork, openGenerator, type Weights, weightsOf } from '../train/checkpoint.js';
import { createDiscriminator } from '../train/gan.js';
import { type Logits, logitsOf } from '../train/judge.js';
import { generateImages, MOST_PER_CLASS, noiseIndex, noiseOf, toLevels } from '../train/sample.js';
import { type CheckpointFlags, checkpointOptions, chosenCheckpoint } from './checkpoint.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { folder, nearest, positiveInteger } from './options.js';
import { counted } from './prepare.js';

export interface GenerateFlags {
  /** Images a class. */
  readonly count: number;
  readonly seed: number;
  /** Classes to make; all if none. */
  readonly class?: readonly string[];
  /** Whether the values are written as they are, too. */
  readonly raw?: true;
  readonly weights?: Weights;
}

type Flags = GenerateFlags & CheckpointFlags & DeviceFlags & { readonly out: string };

export function register(program: Command): void {
  checkpointOptions(program.command('generate'))
    .usage('<run> --out <folder> [options]')
    .description(
      'Generates labelled spectrograms with a trained generator. It needs a checkpoint only, no data set. ' +
        'The folder gets a folder of PNG files for each class and manifest.json, and can be trained on like any data set.',
    )
    .argument('<run>', "a run's folder, or a checkpoint file")
    .requiredOption(
      '--out <folder>',
      'where the images go: a new or empty folder, or one with images of an earlier call',
      folder,
    )
    .option('--count <n>', 'images for each class', imagesPerClass, 100)
    .option('--class <labels...>', 'only these classes')
    .option('--seed <n>', 'of the noise', positiveInteger, 1)
    .option(
      '--raw',
      `write ${rawName}, too: noise, labels, images from -1 to 1, not rounded to 8 bits, and what the discriminator says of them`,
    )
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (run: string, { out, adapter, tuned, ...flags }: Flags) => {
      const checkpoint = await chosenCheckpoint(run, flags);
      classesOf(checkpoint, flags);
      await alone(out, (signal) =>
        withFastEngine({ adapter, tuned }, async (engine) => {
          console.log(describeGenerated(await generate(engine, checkpoint, flags, out, signal), out));
        }),
      );
    });
}

/** What a folder and a manifest can hold. */
const MOST = 1_000_000;

/** The parser of `--count`. */
export function imagesPerClass(text: string): number {
  const count = positiveInteger(text);
  if (count > MOST_PER_CLASS) throw new InvalidArgumentError(`Give at most ${MOST_PER_CLASS}.`);
  return count;
}

/** The numbers of the classes asked for. Throws a UserError for a label that the checkpoint does not know. */
function classesOf({ classes, file }: Checkpoint, flags: GenerateFlags): number[] {
  if (!flags.class) return classes.map((_, i) => i);
  const numbers = flags.class.map((label) => {
    const index = classes.indexOf(label);
    if (index >= 0) return index;
    const near = nearest(label, classes);
    throw new UserError(
      `"${file}" has no class '${label}'. It knows: ${(near.length > 0 ? near : classes).join(', ')}.`,
    );
  });
  return [...new Set(numbers)];
}

/** The file of what images were before they became pictures. */
const rawName = 'raw.safetensors';

interface ManifestEntry {
  readonly file: string;
  readonly label: string;
  /** Of the noise: seed and index give the image again. */
  readonly index: number;
}

export interface Generated {
  /** Images made, of those asked for. */
  readonly made: number;
  readonly wanted: number;
  readonly classes: number;
}

/**
 * Writes the images and the manifest, with progress on stderr. An earlier call's images in the folder are replaced. When it
 * is stopped or fails, what was made stays, listed in a manifest that is not complete.
 */
export async function generate(
  engine: Engine,
  checkpoint: Checkpoint,
  flags: GenerateFlags,
  out: string,
  signal: AbortSignal,
): Promise<Generated> {
  const { config } = checkpoint;
  const wanted = classesOf(checkpoint, flags);
  const plan = planImages(checkpoint, wanted, flags.count);
  for (const file of [...(await earlierImages(out)), rawName]) await rm(insideFolder(out, file), { force: true });
  const write = (images: readonly ManifestEntry[], complete: boolean): Promise<void> =>
    writeManifest(out, { checkpoint, flags, wanted, images, complete });
  // Listed before they are made: so nothing is left that no manifest knows of, whatever happens.
  await write(plan, false);

  const g = openGenerator(engine, checkpoint, flags.weights);
  const raw = flags.raw ? rawImages(checkpoint, weightsOf(checkpoint, flags.weights), plan.length) : undefined;
  const progress = createProgress({ title: 'generate', total: plan.length, unit: 'images' });
  let made = 0;
  try {
    while (made < plan.length && !signal.aborted) {
      const part = plan.slice(made, made + config.batch);
      const images = await makeImages(engine, g, part, checkpoint, flags.seed, out);
      raw?.add(part, images, flags.seed);
      made += part.length;
      progress.update(made, { class: part.at(-1)!.label });
    }
    if (raw && made === plan.length) {
      const d = createDiscriminator(engine, config, checkpoint.classes.length, { trained: false });
      loadNetwork(checkpoint, 'd.', d);
      const judged = await logitsOf(engine, d, raw.source, config.batch);
      d.destroy();
      await writeAtomically(path.join(out, rawName), raw.file(judged));
    }
    await write(plan.slice(0, made), made === plan.length);
  } catch (error) {
    await write(plan.slice(0, made), false).catch(() => undefined); // the first error is the one to report
    throw error;
  } finally {
    progress.stop();
    g.destroy();
  }
  return { made, wanted: plan.length, classes: wanted.length };
}

/** What `generate` did. */
export function describeGenerated({ made, wanted, classes }: Generated, out: string): string {
  if (made < wanted) return `${out}: stopped after ${made} of ${wanted} images`;
  return `${out}: ${counted(made, 'image')} of ${counted(classes, 'class', 'classes')}`;
}

/** All images to be made, class by class. */
function planImages({ classes }: Checkpoint, wanted: readonly number[], count: number): ManifestEntry[] {
  if (wanted.length * count > MOST) {
    throw new UserError(
      `${wanted.length * count} images are too many for one folder: ask for ${MOST} at most at a time.`,
    );
  }
  const folders = safeNames(classes, [manifestName, rawName, indexName]);
  return wanted.flatMap((label) => {
    const name = folders.get(classes[label]!)!;
    return Array.from({ length: count }, (_, i) => ({
      file: `${name}/${name}_${String(i).padStart(5, '0')}.png`,
      label: classes[label]!,
      index: noiseIndex(label, i),
    }));
  });
}

async function makeImages(
  engine: Engine,
  g: Network<Generator>,
  entries: readonly ManifestEntry[],
  { classes, config: { size, channels, batch } }: Checkpoint,
  seed: number,
  out: string,
): Promise<Float32Array> {
  const labels = Int32Array.from(entries, ({ label }) => classes.indexOf(label));
  const images = await generateImages(engine, g, labels, { seed, indices: entries.map(({ index }) => index), batch });
  for (const [i, levels] of toLevels(images, size, channels).entries()) {
    await writeAtomically(insideFolder(out, entries[i]!.file), await pixelsPng(levels, size, size, channels));
  }
  return images;
}

/**
 * Room for all images as they are: noise [count, latent], labels [count] and images [count, channels, size, size]; the file also
 * has what the discriminator says of them: adversarial [count] and classes [count, width].
 */
function rawImages({ classes, config: { latent, channels, size } }: Checkpoint, weights: Weights, count: number) {
  const noise = new Float32Array(count * latent);
  const labels = new Int32Array(count);
  const images = new Float32Array(count * channels * size ** 2);
  let done = 0;
  return {
    source: sourceOf(images, labels, size),
    add(entries: readonly ManifestEntry[], values: Float32Array, seed: number): void {
      images.set(values, done * channels * size ** 2);
      for (const { label, index } of entries) {
        labels[done] = classes.indexOf(label);
        noise.set(noiseOf(seed, index, latent), done++ * latent);
      }
    },
    file: ({ adversarial, classes: named, width }: Logits): Uint8Array =>
      writeSafetensors(
        new Map<string, WritableTensor>([
          ['noise', { dtype: 'F32', shape: [count, latent], data: noise }],
          ['labels', { dtype: 'I32', shape: [count], data: labels }],
          ['images', { dtype: 'F32', shape: [count, channels, size, size], data: images }],
          ['adversarial', { dtype: 'F32', shape: [count], data: adversarial }],
          ['classes', { dtype: 'F32', shape: [count, width], data: named }],
        ]),
        { weights },
      ),
  };
}

/** The images that an earlier call left in the folder. Throws a UserError if it holds anything else. */
async function earlierImages(out: string): Promise<string[]> {
  if (!(await isOwnFolder(out, manifestName))) return [];
  const manifest = await readManifest(out);
  if (manifest) return manifest.images.map(({ file }) => file);
  throw new UserError(`"${path.join(out, manifestName)}" is no manifest of generated images: choose another --out.`);
}

interface Manifest {
  readonly checkpoint: Checkpoint;
  readonly flags: GenerateFlags;
  readonly wanted: readonly number[];
  readonly images: readonly ManifestEntry[];
  readonly complete: boolean;
}

async function writeManifest(out: string, { checkpoint, flags, wanted, images, complete }: Manifest): Promise<void> {
  const manifest = {
    format: manifestFormat,
    complete,
    synthetic: 'These images were generated; they are no recordings.',
    trainedOnSynthesisedRecordings: checkpoint.synthetic,
    checkpoint: path.basename(checkpoint.file),
    step: checkpoint.step,
    weights: weightsOf(checkpoint, flags.weights),
    seed: flags.seed,
    size: checkpoint.config.size,
    channels: checkpoint.config.channels,
    shown: checkpoint.shown,
    classes: wanted.map((label) => checkpoint.classes[label]),
    images,
  };
  await writeAtomically(path.join(out, manifestName), `${JSON.stringify(manifest, null, 1)}\n`);
}
