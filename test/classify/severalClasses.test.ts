/** Recordings that gave images of several classes: whoever divides a data set, or counts its recordings, takes each as one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkExperiment } from '../../src/classify/experiment/config.js';
import { foldDataset } from '../../src/classify/experiment/plan.js';
import { judgeClassifier } from '../../src/classify/judge.js';
import { keepBack } from '../../src/data/keepBack.js';
import { findLeaks } from '../../src/data/leaks.js';
import { type Dataset, readDataset } from '../../src/data/read.js';
import { defaultParameters } from '../../src/data/schema.js';
import type { ImageStore } from '../../src/data/store.js';
import { recordingsOf } from '../../src/train/kinds.js';
import { temporaryFolder } from '../temporary.js';

/** Recordings of one name in the folders of two species, each with windows of its species and of noise. */
const recordings = ['robin', 'wren'].flatMap((label) =>
  Array.from({ length: 6 }, (_, i) => ({ label, recording: `${i}`, source: `${label}/${i}.wav` })),
);

const numbered = recordings.flatMap((from) =>
  Array.from({ length: 4 }, (_, start) => ({
    ...from,
    label: start < 2 ? from.label : 'noise',
    file: `${start < 2 ? from.label : 'noise'}/${from.label} ${from.recording}_${start}.png`,
    start,
  })),
);

/** As `prepare` writes it: the source stands with the windows of noise alone. */
function prepared(): string {
  const images = numbered.map(({ source, ...image }) => ({
    ...{ ...image, seconds: 2, split: 'train' },
    ...(image.label === 'noise' && { source }),
  }));
  const counts = { recordings: 12, images: 48, train: 48, validation: 0, test: 0, skippedFiles: 0, skippedWindows: 0 };
  const index = {
    ...{ format: 'lyrebird-dataset/2', complete: true, parameters: defaultParameters, counts, notes: [], skipped: [] },
    split: { fractions: { train: 1, validation: 0, test: 0 }, seed: 0 },
    classes: ['noise', 'robin', 'wren'],
    recordings: recordings.map((each) => ({ ...each, fingerprint: '', sampleRate: 24_000, seconds: 5 })),
    images,
  };
  return folderWith('dataset.json', JSON.stringify(index));
}

const labelled = (): string =>
  folderWith(
    'labels.csv',
    ['file,label,recording,part', ...numbered.map((row) => `${row.file},${row.label},${row.source},train`)].join('\n'),
  );

function folderWith(name: string, text: string): string {
  const dir = temporaryFolder();
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, name), text);
  return dir;
}

/** By file, as in the list above. */
const sourceOf = new Map(numbered.map(({ file, source }) => [file, source]));

/** What it reads are the images' numbers. */
const storeOf = ({ images, classes }: Dataset): ImageStore => ({
  ...{ size: 1, channels: 1, skipped: [], hash: '' },
  files: images.map(({ file }) => file),
  labels: Int32Array.from(images, ({ label }) => classes.indexOf(label)),
  read: (i, to) => void to.fill(i),
});

describe.each([
  ['a prepared data set', prepared],
  ['a folder of pictures with a table', labelled],
])('of %s', (_, make) => {
  it('each is in one fold of an experiment', async () => {
    const folded = foldDataset(await readDataset(make()), checkExperiment({ folds: 3 }, 'small', 'the test'));
    const places = new Set(folded.dataset.images.map(({ file, fold }) => `${sourceOf.get(file)} in ${fold}`));
    expect(places.size).toBe(recordings.length);
    for (const fold of folded.folds) {
      const inFold = folded.dataset.images.filter((image) => image.fold === fold);
      expect(new Set(inFold.map(({ label }) => label)).size).toBe(3);
    }
  });

  it('each is either trained on or kept back', async () => {
    const dataset = await readDataset(make());
    const { train, validation } = keepBack(dataset, storeOf(dataset), 0.25, 1);
    const sourcesOf = async (part: typeof train): Promise<Set<string>> => {
      const at = new Float32Array(1);
      const names = new Set<string>();
      for (const k of part.labels.keys()) {
        await part.read(k, at);
        names.add(sourceOf.get(dataset.images[at[0]!]!.file)!);
      }
      return names;
    };
    const [trained, kept] = [await sourcesOf(train), await sourcesOf(validation)];
    expect(kept.size).toBeGreaterThan(1);
    expect(trained.size + kept.size).toBe(recordings.length);
  });

  it('parts that share one are warned of, and intervals draw it as a whole', async () => {
    const dataset = await readDataset(make());
    const images = dataset.images.map((image) => ({
      ...image,
      split: image.label === 'noise' ? ('test' as const) : ('train' as const),
    }));
    const nothing = { count: 0, values: new Float32Array(), bits: new Uint32Array() };
    expect(findLeaks({ images }, nothing)[0]).toMatch(/^12 of 12 recordings are in more than one part/);
    expect(new Set(Array.from(recordingsOf(dataset, storeOf(dataset)))).size).toBe(recordings.length);
  });
});

it('what a recording is named is judged for each of its labels', () => {
  const probabilities = Float64Array.from([0.9, 0.1, 0.6, 0.4, 0.2, 0.8]);
  const { recordings: judged } = judgeClassifier(probabilities, Int32Array.of(0, 0, 1), [7, 7, 7], 2);
  expect(judged).toMatchObject({ count: 2, accuracy: 1 });
});
