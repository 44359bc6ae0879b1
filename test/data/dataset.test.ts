import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type SynthesisedRecording, synthesiseRecordings } from '../../src/audio/syrinx.js';
import { encodeWav } from '../../src/audio/wav.js';
import type { Spectrogrammer } from '../../src/audio/windows.js';
import { type PrepareOptions, prepareDataset, readDataset } from '../../src/data/dataset.js';
import { loadSplit } from '../../src/data/loader.js';
import { type DatasetIndex, indexSchema } from '../../src/data/schema.js';
import { UserError } from '../../src/io/errors.js';
import { cpuSpectrogrammer, tone } from '../audio/fixtures.js';
import { temporaryFolder } from '../temporary.js';

const size = 8;
const gray: Spectrogrammer = async (windows) => windows.map(() => new Float32Array(size * size).fill(0.5));

function prepare(options: Partial<PrepareOptions> & { out: string }) {
  return prepareDataset({ spectrogrammer: gray, size, fmin: 100, fmax: 4000, ...options });
}

/** Tones as recordings: `label` -> `name` -> seconds. */
function folderOf(species: Record<string, Record<string, number>>): string {
  const dir = temporaryFolder();
  for (const [label, recordings] of Object.entries(species)) {
    mkdirSync(path.join(dir, label));
    for (const [name, seconds] of Object.entries(recordings)) {
      writeFileSync(path.join(dir, label, `${name}.wav`), encodeWav(tone(seconds), 8000));
    }
  }
  return dir;
}

const indexOf = (out: string): DatasetIndex =>
  indexSchema.parse(JSON.parse(readFileSync(path.join(out, 'dataset.json'), 'utf8')));
const filesIn = (out: string) =>
  readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(out, path.join(entry.parentPath, entry.name)))
    .sort();

async function messageFor(action: Promise<unknown>): Promise<string> {
  const error = await action.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

test('recordings become windows, pictures, and an index that lists them', async () => {
  const out = path.join(temporaryFolder(), 'set');
  const dir = folderOf({ wren: { a: 3, b: 2.5 }, robin: { c: 2, d: 4.2 } });
  writeFileSync(path.join(dir, 'MANIFEST.tsv'), 'file\trecordist\nwren/a.wav\tAda\nwren/b.wav\tBen\n');
  const seen: string[] = [];
  const summary = await prepare({
    dir,
    out,
    onProgress: ({ current, done, total }) => seen.push(`${done}/${total} ${current}`),
  });

  expect(summary).toMatchObject({ complete: true, classes: ['robin', 'wren'], reused: 0, notes: [] });
  expect(summary.counts).toMatchObject({ recordings: 4, images: 7, skippedFiles: 0, skippedWindows: 0 });
  expect(new Set(seen.filter((line) => !line.startsWith('0')))).toEqual(
    new Set([
      '1/4 robin/c.wav',
      '1/4 robin/d.wav',
      '2/4 robin/d.wav',
      '2/4 wren/a.wav',
      '3/4 wren/a.wav',
      '3/4 wren/b.wav',
      '4/4 wren/b.wav',
    ]),
  );
  const index = indexOf(out);
  const listed = [
    'robin/c_0.00',
    'robin/d_0.00',
    'robin/d_1.00',
    'robin/d_2.00',
    'wren/a_0.00',
    'wren/a_1.00',
    'wren/b_0.00',
  ];
  expect(index.images.map((image) => image.file)).toEqual(listed.map((name) => `${name}.png`));
  expect(filesIn(out)).toEqual(['dataset.json', ...listed.map((name) => `${name}.png`)]);
  expect(index.images[5]).toMatchObject({ label: 'wren', recording: 'a', recordist: 'Ada', start: 1, seconds: 2 });
  expect(index.recordings[2]).toMatchObject({ source: 'wren/a.wav', sampleRate: 8000, seconds: 3 });
  const picture = await sharp(path.join(out, 'wren/a_0.00.png')).metadata();
  expect(picture).toMatchObject({ format: 'png', width: size, height: size, channels: 1, depth: 'uchar' });
});

test('windows of one recording are in one part, and each class is in both', async () => {
  const out = temporaryFolder();
  const recordings = synthesiseRecordings({
    seed: 1,
    species: 3,
    recordingsPerSpecies: 6,
    seconds: 3,
    sampleRate: 16000,
  });
  await prepare({ recordings, out, batch: 1 });
  const { images, classes } = indexOf(out);
  const partsOf = new Map<string, Set<string>>();
  for (const { recordist, split } of images)
    partsOf.set(recordist!, new Set([...(partsOf.get(recordist!) ?? []), split]));
  for (const parts of partsOf.values()) expect(parts.size).toBe(1);
  for (const label of classes) {
    expect(new Set(images.filter((image) => image.label === label).map((image) => image.split)).size).toBe(2);
  }
});

test('bad recordings are left out and listed; a class without images is dropped, and it is said', async () => {
  const dir = folderOf({ wren: { a: 2, b: 2 }, robin: { c: 0.5 } });
  writeFileSync(path.join(dir, 'wren/empty.wav'), '');
  writeFileSync(path.join(dir, 'wren/silent.wav'), encodeWav(new Float32Array(24000), 8000));
  writeFileSync(path.join(dir, 'wren/notes.txt'), 'cloudy');
  mkdirSync(path.join(dir, 'junco'));
  writeFileSync(path.join(dir, 'junco/x.wav'), 'no sound');
  const out = temporaryFolder();
  const summary = await prepare({ dir, out });
  expect(summary.classes).toEqual(['wren']);
  expect(summary.counts).toMatchObject({ recordings: 2, images: 2, skippedFiles: 3, skippedWindows: 3 });
  expect(summary.notes.slice(0, 1)).toEqual([expect.stringMatching(/^There is one species only, "wren"/)]);
  expect(summary.notes.slice(1)).toEqual(
    ['"junco"', '"robin"'].map((label) => `${label} is left out: none of its recordings could be used.`),
  );
  expect(summary.leftOut.map(({ file }) => file)).toEqual([
    'junco/x.wav',
    'wren/empty.wav',
    'robin/c.wav',
    'wren/silent.wav',
  ]);
  expect(summary.others.map(({ file }) => file)).toEqual(['wren/notes.txt']);
  const reasons = Object.fromEntries(indexOf(out).skipped.map(({ file, reason }) => [file, reason]));
  expect(reasons).toEqual({
    'wren/notes.txt': expect.stringMatching(/^is not a recording/),
    'junco/x.wav': expect.stringMatching(/^is a text file/),
    'wren/empty.wav': 'is empty (0 bytes): copy or download it again.',
    'robin/c.wav': expect.stringMatching(/^is too short/),
    'wren/silent.wav': 'is silent (it never changes)',
  });
});

test('labels and names never lead out of the data set', async () => {
  const out = path.join(temporaryFolder(), 'set');
  const one = (label: string, recording: string): SynthesisedRecording => {
    return { label, recording, recordist: 'x', samples: tone(2), sampleRate: 8000 };
  };
  const recordings = [
    one('../up', '../../a'),
    one('/etc', 'b'),
    one('dataset.json', 'c'),
    one('A/b', 'd'),
    one('a:b', 'd'),
  ];
  const { classes } = await prepare({ recordings, out });
  expect(classes).toEqual(['../up', '/etc', 'A/b', 'a:b', 'dataset.json']);
  expect(readdirSync(path.dirname(out))).toEqual(['set']);
  expect(filesIn(out).sort()).toEqual(
    [
      'A_b/d_0.00.png',
      '_etc/b_0.00.png',
      '_up/_.._a_0.00.png',
      'a_b-2/d_0.00.png',
      'dataset.json',
      'dataset.json-2/c_0.00.png',
    ].sort(),
  );
});

describe('running it again', () => {
  const counting = () => {
    let windows = 0;
    const spectrogrammer: Spectrogrammer = (batch) => {
      windows += batch.length;
      return gray(batch);
    };
    return { spectrogrammer, count: () => windows };
  };

  test('keeps what is up to date and makes what is not', async () => {
    const dir = folderOf({ wren: { a: 3, b: 3, c: 3 } });
    const out = temporaryFolder();
    await prepare({ dir, out });
    const before = indexOf(out);
    const unchanged = statSync(path.join(out, 'wren/a_0.00.png')).mtimeMs;

    const nothing = counting();
    expect((await prepare({ dir, out, ...nothing })).reused).toBe(3);
    expect(nothing.count()).toBe(0);
    expect(indexOf(out)).toEqual(before);

    writeFileSync(path.join(dir, 'wren/b.wav'), encodeWav(tone(2), 8000)); // other content: one window less
    rmSync(path.join(out, 'wren/c_1.00.png')); // a lost image
    writeFileSync(path.join(dir, 'MANIFEST.tsv'), 'file\trecordist\nwren/a.wav\tAda\n');
    const some = counting();
    expect((await prepare({ dir, out, ...some })).reused).toBe(1);
    expect(some.count()).toBe(3);
    const files = ['wren/a_0.00.png', 'wren/a_1.00.png', 'wren/b_0.00.png', 'wren/c_0.00.png', 'wren/c_1.00.png'];
    expect(filesIn(out)).toEqual(['dataset.json', ...files]);
    expect(indexOf(out).images[0]!.recordist).toBe('Ada');
    expect(statSync(path.join(out, 'wren/a_0.00.png')).mtimeMs).toBe(unchanged);
  });

  test('keeps what an earlier version of this program made', async () => {
    const dir = folderOf({ wren: { a: 3, b: 3 } });
    const out = temporaryFolder();
    await prepare({ dir, out });
    const made = indexOf(out);
    const { skippedLines: _, ...counts } = made.counts;
    writeFileSync(path.join(out, 'dataset.json'), JSON.stringify({ ...made, format: 'lyrebird-dataset/1', counts }));
    expect((await readDataset(out)).images).toHaveLength(4);
    expect((await prepare({ dir, out })).reused).toBe(2);
    expect(indexOf(out)).toEqual(made);
  });

  test('gives what a first run would have given', async () => {
    const dir = folderOf({ wren: { b: 2, c: 2 } });
    const [out, fresh] = [temporaryFolder(), temporaryFolder()];
    await prepare({ dir, out });
    writeFileSync(path.join(dir, 'wren/a.wav'), encodeWav(tone(2), 8000));
    mkdirSync(path.join(dir, 'robin'));
    writeFileSync(path.join(dir, 'robin/z.wav'), encodeWav(tone(2), 8000));
    await prepare({ dir, out });
    await prepare({ dir, out: fresh });
    expect(indexOf(out)).toEqual(indexOf(fresh));
  });

  test('gives a file name to another recording without losing the file', async () => {
    const one = (label: string, seconds: number) => {
      return { label, recording: 'x', recordist: 'Ada', samples: tone(seconds), sampleRate: 8000 };
    };
    const out = temporaryFolder();
    await prepare({ recordings: [one('a:b', 2), one('a/b', 2)], out });
    await prepare({ recordings: [one('a/b', 2)], out });
    expect(filesIn(out)).toEqual(['a_b/x_0.00.png', 'dataset.json']);
  });

  test('with other parameters makes everything anew, and removes what no longer belongs', async () => {
    const dir = folderOf({ wren: { a: 4, b: 4 } });
    const out = temporaryFolder();
    await prepare({ dir, out });
    writeFileSync(path.join(out, 'wren/mine.txt'), 'not listed, so never touched');
    rmSync(path.join(dir, 'wren/b.wav'));
    const all = counting();
    expect((await prepare({ dir, out, hop: 2, ...all })).reused).toBe(0);
    expect(all.count()).toBe(2);
    expect(filesIn(out)).toEqual(['dataset.json', 'wren/a_0.00.png', 'wren/a_2.00.png', 'wren/mine.txt']);
  });

  test('with other parameters says that the set is not finished before it removes anything', async () => {
    const dir = folderOf({ wren: { a: 2 } });
    const out = temporaryFolder();
    await prepare({ dir, out });
    rmSync(path.join(out, 'wren/a_0.00.png'));
    mkdirSync(path.join(out, 'wren/a_0.00.png')); // no file, so that removing it fails
    await expect(prepare({ dir, out, hop: 2 })).rejects.toThrow();
    expect(indexOf(out)).toMatchObject({ complete: false, parameters: { hop: 1 } });
  });

  test('after a stop goes on where it was', async () => {
    const dir = folderOf({ wren: { a: 3, b: 3, c: 3 } });
    const out = temporaryFolder();
    const stop = new AbortController();
    const stopped = await prepare({
      dir,
      out,
      batch: 1,
      signal: stop.signal,
      onProgress: ({ done }) => done === 1 && stop.abort(),
    });
    expect(stopped).toMatchObject({ complete: false, counts: { images: 2 } });
    expect(filesIn(out)).toEqual(['dataset.json', 'wren/a_0.00.png', 'wren/a_1.00.png']);
    expect(await messageFor(readDataset(out))).toMatch(/is not finished \("complete": false\): prepare it again/);

    const rest = counting();
    expect(await prepare({ dir, out, ...rest })).toMatchObject({ complete: true, reused: 1, counts: { images: 6 } });
    expect(rest.count()).toBe(4);
  });

  test('after a stop in the midst of a recording makes all of that one again', async () => {
    const dir = folderOf({ wren: { a: 2, b: 4 } });
    const out = temporaryFolder();
    const stop = new AbortController();
    let calls = 0;
    const stopping: Spectrogrammer = (windows) => {
      if (++calls === 2) stop.abort();
      return gray(windows);
    };
    const stopped = await prepare({ dir, out, batch: 1, signal: stop.signal, spectrogrammer: stopping });
    expect(stopped).toMatchObject({ complete: false, counts: { recordings: 1, images: 1 } });
    expect(filesIn(out)).toEqual(['dataset.json', 'wren/a_0.00.png', 'wren/b_0.00.png']);
    const rest = counting();
    expect(await prepare({ dir, out, ...rest })).toMatchObject({ complete: true, reused: 1, counts: { images: 4 } });
    expect(rest.count()).toBe(3);
  });

  test('after a failure does too; the failure itself is thrown', async () => {
    const dir = folderOf({ wren: { a: 3, b: 3 } });
    const out = temporaryFolder();
    let calls = 0;
    const failing: Spectrogrammer = (windows) =>
      ++calls > 1 ? Promise.reject(new Error('device lost')) : gray(windows);
    await expect(prepare({ dir, out, spectrogrammer: failing })).rejects.toThrow('device lost');
    expect(indexOf(out)).toMatchObject({ complete: false, counts: { images: 2 } });
    expect((await prepare({ dir, out })).reused).toBe(1);
  });

  test('makes images that could not be written before', async () => {
    const dir = folderOf({ robin: { a: 2 }, wren: { b: 2 } });
    const out = temporaryFolder();
    await prepare({ dir: folderOf({ robin: { a: 2 } }), out });
    writeFileSync(path.join(out, 'wren'), 'a file in the place of the folder');
    expect(await messageFor(prepare({ dir, out }))).toMatch(/wren.* is a file where a folder is needed/);
    expect(indexOf(out)).toMatchObject({ complete: false });
    rmSync(path.join(out, 'wren'));
    expect(await prepare({ dir, out })).toMatchObject({ complete: true, counts: { images: 2 }, leftOut: [] });
  });
});

describe('refuses in one sentence', () => {
  test.each([
    ['fmax', { fmax: 50 }, 'The setting "fmax" (50): must be greater than fmin.'],
    ['hop', { hop: 3 }, 'The setting "hop" (3): must be at most window, or sound is passed over.'],
    ['size', { size: 2.5 }, /^The setting "size" \(2\.5\): /],
    ['w0', { w0: Number.NaN }, /^The setting "w0" \((null|NaN)\): /],
    ['batch', { batch: 0 }, 'The setting "batch" (0): must be at least 1.'],
    ['split', { fractions: { train: 0.9, validation: 0, test: 0.2 } }, /must sum to 1/],
    ['dir', { recordings: undefined }, 'No recordings: name the folder that holds one folder per species.'],
  ])('the setting %s', async (_, options, sentence) => {
    const message = await messageFor(prepare({ recordings: [], out: temporaryFolder(), ...options }));
    if (typeof sentence === 'string') expect(message).toBe(sentence);
    else expect(message).toMatch(sentence);
  });

  test('a place for the data set that is not its own', async () => {
    const dir = folderOf({ wren: { a: 2 } });
    expect(await messageFor(prepare({ dir, out: path.join(dir, 'set') }))).toMatch(/lies in the folder of recordings/);
    expect(await messageFor(prepare({ dir, out: folderOf({ other: { b: 2 } }) }))).toMatch(
      /holds "other" but no dataset\.json/,
    );
    const file = path.join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await messageFor(prepare({ dir, out: file }))).toMatch(/file" is a file/);
    expect(await messageFor(prepare({ dir, out: path.join(file, 'below') }))).toMatch(
      /below" is a file, or lies below one/,
    );
  });

  test('recordings that give nothing at all', async () => {
    const message = await messageFor(prepare({ dir: folderOf({ wren: { a: 0.2 } }), out: temporaryFolder() }));
    expect(message).toMatch(/^No recording gave an image\. The first problem of 1: "wren\/a\.wav" is too short/);
  });

  test('two recordings of one name', async () => {
    const twin = { label: 'wren', recording: 'a', recordist: 'x', samples: tone(2), sampleRate: 8000 };
    expect(await messageFor(prepare({ recordings: [twin, twin], out: temporaryFolder() }))).toMatch(
      /"wren" are called "a"/,
    );
  });

  test('a damaged index of an earlier run', async () => {
    const out = temporaryFolder();
    writeFileSync(path.join(out, 'dataset.json'), '{"format":');
    expect(await messageFor(prepare({ recordings: [], out }))).toMatch(/dataset\.json" is not valid JSON/);
  });
});

test('low sample rates are noted, since black rows could give a species away', async () => {
  const dir = folderOf({ wren: { a: 2, b: 2 } });
  const notesFor = async (fmax: number) => (await prepare({ dir, out: temporaryFolder(), fmax })).notes;
  const advice = (recordings: string, fmax: number) => [
    expect.stringMatching(/^There is one species only/),
    expect.stringMatching(
      new RegExp(`^${recordings} recordings have .*\\(8000 Hz the lowest\\).*A fmax of ${fmax} Hz`),
    ),
  ];
  expect(await notesFor(6000)).toEqual(advice('2 of 2', 3800));
  expect(await notesFor(4000)).toHaveLength(1);
  // Half of 8000 Hz is 4000 Hz, of which the upper twentieth is of no use: now some are black there and others are not.
  writeFileSync(path.join(dir, 'wren/c.wav'), encodeWav(tone(2, 16000), 16000));
  expect(await notesFor(4000)).toEqual(advice('2 of 3', 3800));
  expect(await notesFor(3800)).toHaveLength(1);
});

test('a spectrogrammer that gives NaN is a fault of the program, not of the recording', async () => {
  const dir = folderOf({ wren: { a: 2 } });
  const broken: Spectrogrammer = async () => [new Float32Array(size * size).fill(Number.NaN)];
  await expect(prepare({ dir, out: temporaryFolder(), spectrogrammer: broken })).rejects.toThrow(
    /8 \* 8 finite values/,
  );
});

describe('recordings of real birds', () => {
  const birds = path.resolve('../shared/data/birds');
  const present = existsSync(birds);
  if (!present) console.log(`skipped: there are no recordings in ${birds}`);

  test.skipIf(!present)('become a data set that can be loaded', async () => {
    const out = temporaryFolder();
    const recordings = ['XC137480', 'XC205538'].map((recording) => {
      return { label: 'Junco', recording, path: path.join(birds, 'junco_hyemalis', `${recording}.mp3`) };
    });
    await prepareDataset({ recordings, out, size: 16, spectrogrammer: cpuSpectrogrammer(16) });
    const train = await loadSplit(await readDataset(out), 'train', 16);
    expect(train.count).toBe(5);
    expect(Math.max(...train.images)).toBe(1);
    expect(Math.min(...train.images)).toBeLessThan(0);
  });
});
