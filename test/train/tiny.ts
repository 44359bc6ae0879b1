/** A data set and networks so small that a run takes a second. */
import path from 'node:path';
import { type Dataset, readDataset } from '../../src/data/read.js';
import { writeAtomically } from '../../src/io/files.js';
import { grayPng } from '../../src/io/image.js';
import { uniform } from '../../src/reference/random.js';
import { checkConfig, presetConfig, type TrainConfig } from '../../src/train/config.js';

/** Networks of a few channels, six steps. */
export const TINY: TrainConfig = checkConfig(
  {
    ...presetConfig('small', 32),
    batch: 4,
    steps: 6,
    latent: 8,
    base: 8,
    generatorWidths: [8, 6, 4],
    discriminatorWidths: [4, 4, 6, 6],
    sampleEvery: 4,
    checkpointEvery: 2,
  },
  'the test',
);

/** Two classes that differ in where they are bright: `images/high` and `images/low` below the folder. */
export async function highAndLow(folder: string): Promise<Dataset> {
  for (const label of ['high', 'low']) {
    for (let i = 0; i < 10; i++) {
      const noise = uniform(i, label.length, 32 * 32);
      const gray = Uint8Array.from(noise, (u, p) => (p < 512 === (label === 'high') ? 150 : 0) + 100 * u);
      await writeAtomically(path.join(folder, 'images', label, `${i}.png`), await grayPng(gray, 32, 32));
    }
  }
  return readDataset(path.join(folder, 'images'));
}
