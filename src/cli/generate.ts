/** lyrebird generate RUN: labelled spectrograms from a checkpoint alone. */
import path from 'node:path';
import type { Command } from 'commander';
import { safeNames } from '../data/names.js';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { grayPng } from '../io/image.js';
import { createProgress } from '../io/progress.js';
import type { Engine } from '../kernel/engine.js';
import { type Checkpoint, loadNetwork, readCheckpoint } from '../train/checkpoint.js';
import { createGenerator } from '../train/gan.js';
import { generateImages, toGray } from '../train/sample.js';
import { adapterOption, withFastEngine } from './engine.js';
import { interruptible } from './interrupt.js';
import { nearest, positiveInteger } from './options.js';

export interface GenerateFlags {
  /** Images a class. */
  readonly count: number;
  readonly seed: number;
  /** Classes to make; all if none. */
  readonly class?: readonly string[];
}

export function register(program: Command): void {
  program
    .command('generate')
    .description(
      'Generates labelled spectrograms with a trained generator. It needs a checkpoint only, no data set. ' +
        'The folder gets a folder of PNG files for each class and manifest.json, and can be trained on like any data set.',
    )
    .argument('<run>', "a run's folder, or a checkpoint file")
    .requiredOption('--out <folder>', 'where the images go')
    .option('--count <n>', 'images for each class', positiveInteger, 100)
    .option('--class <labels...>', 'only these classes')
    .option('--seed <n>', 'of the noise', positiveInteger, 1)
    .addOption(adapterOption())
    .action(async (run: string, { out, adapter, ...flags }: GenerateFlags & { out: string; adapter?: string }) => {
      const checkpoint = await readCheckpoint(run);
      await interruptible((signal) =>
        withFastEngine({ adapter }, async (engine) => {
          const made = await generate(engine, checkpoint, flags, out, signal);
          console.log(`${out}: ${made} images of ${classesOf(checkpoint, flags).length} classes`);
        }),
      );
    });
}

/** The numbers of the classes asked for. Throws a UserError for a label that the checkpoint does not know. */
function classesOf({ classes, file }: Checkpoint, flags: GenerateFlags): number[] {
  if (!flags.class) return classes.map((_, i) => i);
  return flags.class.map((label) => {
    const index = classes.indexOf(label);
    if (index >= 0) return index;
    const near = nearest(label, classes);
    throw new UserError(
      `"${file}" has no class '${label}'. It knows: ${(near.length > 0 ? near : classes).join(', ')}.`,
    );
  });
}

interface ManifestEntry {
  readonly file: string;
  readonly label: string;
  /** Of the noise: seed and index give the image again. */
  readonly index: number;
}

/** Writes the images and, last, the manifest; with progress on stderr. Returns the number of images. */
export async function generate(
  engine: Engine,
  checkpoint: Checkpoint,
  flags: GenerateFlags,
  out: string,
  signal: AbortSignal,
): Promise<number> {
  const { config, classes } = checkpoint;
  const { size, batch } = config;
  const { count, seed } = flags;
  const names = safeNames(classes);
  const g = createGenerator(engine, config, classes.length);
  loadNetwork(checkpoint, 'g.', g);
  const wanted = classesOf(checkpoint, flags);
  const images: ManifestEntry[] = [];
  const progress = createProgress({ title: 'generate', total: wanted.length * count, unit: 'images' });
  try {
    for (const label of wanted) {
      const name = names.get(classes[label]!)!;
      for (let i = 0; i < count && !signal.aborted; i += batch) {
        const labels = new Int32Array(Math.min(batch, count - i)).fill(label);
        const first = label * count + i;
        const made = toGray(await generateImages(engine, g, labels, { seed, first, batch }), size);
        for (const [j, gray] of made.entries()) {
          const file = `${name}/${name}_${String(i + j).padStart(5, '0')}.png`;
          await writeAtomically(path.join(out, file), await grayPng(gray, size, size));
          images.push({ file, label: classes[label]!, index: first + j });
        }
        progress.update(images.length, { class: classes[label]! });
      }
    }
  } finally {
    progress.stop();
    g.destroy();
  }
  const manifest = {
    format: 'lyrebird-synthetic/1',
    synthetic: 'These images were generated; they are no recordings.',
    trainedOnSynthesisedRecordings: checkpoint.synthetic,
    checkpoint: path.basename(checkpoint.file),
    step: checkpoint.step,
    seed,
    size,
    classes: wanted.map((label) => classes[label]),
    images,
  };
  await writeAtomically(path.join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
  return images.length;
}
