/** lyrebird generate RUN: labelled spectrograms from a checkpoint alone. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { insideFolder, writeAtomically } from '../io/files.js';
import { pixelsPng } from '../io/image.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import type { Generator } from '../models/generator.js';
import type { Network } from '../nn/network.js';
import { type Checkpoint, openGenerator, type Weights, weightsOf } from '../train/checkpoint.js';
import { logitsOf } from '../train/judge.js';
import { checkNumbers, generateImages, toLevels } from '../train/sample.js';
import { classWalk, noiseWalk } from '../train/walks.js';
import { type CheckpointFlags, checkpointOptions, chosenCheckpoint } from './checkpoint.js';
import { type ClassCount, type Counts, countsFor, imageCounts } from './counts.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { runOf } from './evaluate.js';
import { type Choosing, openDiscriminator, planImages } from './generate/plan.js';
import { alone } from './interrupt.js';
import { folder, positiveInteger, positiveNumber } from './options.js';
import { LeftOut } from './outcome.js';
import { counted } from './prepare.js';
import {
  checkRoom,
  type Entry,
  earlierFiles,
  type Manifest,
  rawImages,
  rawName,
  walkNames,
  writeManifest,
} from './syntheticFolder.js';

export interface GenerateFlags extends Choosing {
  readonly count: Counts;
  /** Classes to make; all if none. */
  readonly class?: readonly string[];
  /** Whether the values are written as they are, too. */
  readonly raw?: true;
  readonly weights?: Weights;
  readonly walks?: true;
}

type Flags = GenerateFlags & CheckpointFlags & DeviceFlags & { readonly out: string };

export function register(program: Command): void {
  checkpointOptions(program.command('generate'))
    .usage('<run> --out <folder> [options]')
    .description(
      'Generates labelled spectrograms with a trained generator. It needs a checkpoint only, no data set. ' +
        'The folder gets a folder of PNG files for each class, manifest.json and manifest.csv, and can be trained on like any ' +
        'data set.',
    )
    .argument('<run>', "a run's folder, or a checkpoint file")
    .requiredOption(
      '--out <folder>',
      'where the images go: a new or empty folder, or one with images of an earlier call',
      folder,
    )
    .addOption(
      new Option(
        '--count <n>',
        'images for each class; or of some, and of all others if there is a number without a name: "wren=20,robin=5,10"',
      )
        .argParser(imageCounts)
        .default(imageCounts('100'), '100'),
    )
    .option('--class <labels...>', 'only these classes')
    .option('--seed <n>', 'of the noise', positiveInteger, 1)
    .option(
      '--truncation <t>',
      'draw noise beyond this again, such as 0.7: fewer odd images, and less variety',
      truncation,
    )
    .option('--keep-best <share>', 'keep this share of the images: those that the discriminator finds most real', share)
    .option(
      '--min-confidence <p>',
      "keep images whose label a classifier gives this probability: the one that 'evaluate' left in the run, or one trained now",
      share,
    )
    .option(
      '--dataset <folder>',
      'to train that classifier on, if it is to be (default: the folder dataset in the run)',
    )
    .option(
      '--walks',
      `draw ${walkNames.classes} and ${walkNames.noise}, too: from class to class, from noise to noise`,
    )
    .option(
      '--raw',
      `write ${rawName}, too: noise, labels, images from -1 to 1, not rounded to 8 bits, and what the discriminator says of them`,
    )
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (run: string, { out, adapter, tuned, ...flags }: Flags) => {
      const checkpoint = await chosenCheckpoint(run, flags);
      countsFor(checkpoint.classes, checkpoint.file, flags.count, flags.class);
      const { short } = await alone(out, (signal) =>
        withFastEngine({ adapter, tuned }, async (engine) => {
          const made = await generate(engine, checkpoint, { ...flags, run: runOf(run) }, out, signal);
          console.log(describeGenerated(made, out));
          return made;
        }),
      );
      if (short.length > 0)
        throw new LeftOut('all is done, but fewer images could be found than were asked for (see above).');
    });
}

/** Above 0, at most 1. */
function share(text: string): number {
  const value = positiveNumber(text);
  if (value > 1) throw new InvalidArgumentError('Give a number above 0, at most 1.');
  return value;
}

function truncation(text: string): number {
  const value = positiveNumber(text);
  if (value < 0.05) throw new InvalidArgumentError('Give 0.05 or more.');
  return value;
}

export interface Generated {
  /** Images made, of those asked for. */
  readonly made: number;
  readonly wanted: number;
  readonly classes: number;
  /** Images that were made only to be looked at by discriminator and classifier; absent if none chose. */
  readonly rejected?: number;
  /** Classes of which not enough could be found. */
  readonly short: readonly string[];
  readonly stopped: boolean;
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
  const { config, classes } = checkpoint;
  const { seed, truncation: within } = flags;
  const counts = countsFor(classes, checkpoint.file, flags.count, flags.class);
  const wanted = counts.reduce((sum, { count }) => sum + count, 0);
  await checkRoom(out, checkpoint, wanted, flags.raw ?? false);
  const earlier = await earlierFiles(out);
  const about = {
    checkpoint,
    weights: flags.weights,
    seed,
    truncation: within,
    classes: counts.map(({ label }) => classes[label]!),
  };
  const write = (images: readonly Entry[], complete: boolean, selection?: Manifest['selection']): Promise<void> =>
    writeManifest(out, { ...about, images, complete, selection });

  const g = openGenerator(engine, checkpoint, flags.weights);
  const { plan, rejected, short } = await planImages({ engine, checkpoint, g, counts, flags, signal });
  const { keepBest, minConfidence } = flags;
  const selection = rejected === undefined ? undefined : { keepBest, minConfidence, rejected, short };
  for (const file of earlier) await rm(file, { force: true });
  // Listed before they are made: so nothing is left that no manifest knows of, whatever happens.
  await write(plan, false, selection);
  const raw = flags.raw ? rawImages(checkpoint, weightsOf(checkpoint, flags.weights), plan.length) : undefined;
  const progress = createProgress({ title: 'generate', total: plan.length, unit: 'images' });
  let made = 0;
  try {
    while (made < plan.length && !signal.aborted) {
      const part = plan.slice(made, made + config.batch);
      const images = await makeImages(engine, g, part, checkpoint, flags, out);
      raw?.add(part, images, seed, within);
      made += part.length;
      progress.update(made, { class: part.at(-1)!.label });
    }
    const complete = made === plan.length && !signal.aborted;
    if (complete && raw) {
      const d = openDiscriminator(engine, checkpoint);
      const judged = await logitsOf(engine, d, raw.source, config.batch);
      d.destroy();
      await writeAtomically(path.join(out, rawName), raw.file(judged));
    }
    if (complete && flags.walks) await writeWalks(engine, g, checkpoint, counts, flags, out);
    await write(plan.slice(0, made), complete, selection);
  } catch (error) {
    await write(plan.slice(0, made), false, selection).catch(() => undefined); // the first error is the one to report
    throw error;
  } finally {
    progress.stop();
    g.destroy();
  }
  const stopped = made < plan.length || signal.aborted;
  return { made, wanted, classes: counts.length, ...(rejected !== undefined && { rejected }), short, stopped };
}

/** What `generate` did. */
export function describeGenerated({ made, wanted, classes, rejected, short, stopped }: Generated, out: string): string {
  if (stopped) return `${out}: stopped after ${made} of ${wanted} images`;
  const chosen = rejected === undefined ? '' : `; ${counted(rejected, 'other was', 'others were')} rejected`;
  const lacking = short.length > 0 ? `\nnot as many as asked for (${wanted}) could be found: ${short.join(', ')}` : '';
  return `${out}: ${counted(made, 'image')} of ${counted(classes, 'class', 'classes')}${chosen}${lacking}`;
}

async function makeImages(
  engine: Engine,
  g: Network<Generator>,
  entries: readonly Entry[],
  checkpoint: Checkpoint,
  { seed, truncation: within }: GenerateFlags,
  out: string,
): Promise<Float32Array> {
  const { classes, config } = checkpoint;
  const { size, channels, batch } = config;
  const labels = Int32Array.from(entries, ({ label }) => classes.indexOf(label));
  const indices = entries.map(({ index }) => index);
  const images = await generateImages(engine, g, labels, { seed, indices, batch, truncation: within });
  checkNumbers(images, checkpoint);
  for (const [i, levels] of toLevels(images, size, channels).entries()) {
    await writeAtomically(insideFolder(out, entries[i]!.file), await pixelsPng(levels, size, size, channels));
  }
  return images;
}

async function writeWalks(
  engine: Engine,
  g: Network<Generator>,
  { classes, config: { batch } }: Checkpoint,
  counts: readonly ClassCount[],
  { seed, truncation: within }: GenerateFlags,
  out: string,
): Promise<void> {
  const labels = counts.map(({ label }) => label);
  const walk = { engine, g, classes, labels, seed, batch, truncation: within };
  await writeAtomically(path.join(out, walkNames.classes), await classWalk(walk));
  await writeAtomically(path.join(out, walkNames.noise), await noiseWalk(walk));
}
