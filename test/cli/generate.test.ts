/** lyrebird generate: labelled images from a checkpoint alone, and what it does with the folder that they go to. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageCounts } from '../../src/cli/counts.js';
import { readDataset } from '../../src/data/read.js';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { noiseIndex, noiseOf } from '../../src/train/sample.js';
import { slerp } from '../../src/train/walks.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pictures, pressWhen, put, TINY } from './fixtures.js';

interface Manifest {
  complete: boolean;
  step: number;
  seed: number;
  classes: string[];
  images: { file: string; label: string; index: number }[];
}

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const run = at('run');
const generate = (out: string, ...options: string[]) => lyrebird('generate', run, '--out', out, ...options);
const manifestOf = (out: string): Manifest => json<Manifest>(out, 'manifest.json');
const filesIn = (out: string): string[] =>
  readdirSync(out, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.png'))
    .sort();

beforeAll(async () => {
  const images = await pictures(at('images'), ['blue', 'red']);
  await lyrebird('train', images, '--out', run, '--config', put(at('tiny.json'), TINY));
});

describe('images', () => {
  const few = at('few');
  beforeAll(async () => {
    const { exitCode, stdout } = await generate(few, '--count', '3');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${few}: 6 images of 2 classes\n`);
  });

  it('are those that the manifest lists', async () => {
    const manifest = manifestOf(few);
    expect(manifest).toMatchObject({ complete: true, step: 6, seed: 1, classes: ['blue', 'red'], fold: null });
    expect(manifest).toMatchObject({ data: (await readCheckpoint(run)).data });
    expect(manifest.images.map(({ file }) => file)).toEqual(filesIn(few));
    for (const { file, label } of manifest.images) expect(file.startsWith(`${label}/`)).toBe(true);
  });

  it('are the same from a checkpoint alone, however many are made, and of whichever classes', async () => {
    const alone = at('alone');
    mkdirSync(alone);
    const checkpoint = (await latestCheckpoint(run))!;
    copyFileSync(checkpoint, path.join(alone, path.basename(checkpoint)));
    const more = at('more');
    const options = ['--count', '5', '--class', 'red', 'red'];
    for (const source of [alone, path.join(alone, path.basename(checkpoint))]) {
      expect(await lyrebird('generate', source, '--out', more, ...options)).toMatchObject({ exitCode: 0 });
      expect(filesIn(more)).toHaveLength(5);
      for (const file of filesIn(few).filter((name) => name.startsWith('red'))) {
        expect(readFileSync(path.join(more, file)).equals(readFileSync(path.join(few, file)))).toBe(true);
      }
    }
  });

  it('of another seed are others', async () => {
    const other = at('other');
    await generate(other, '--count', '1', '--seed', '2');
    expect(manifestOf(other)).toMatchObject({ seed: 2 });
    const [file] = filesIn(other);
    expect(readFileSync(path.join(other, file!)).equals(readFileSync(path.join(few, file!)))).toBe(false);
  });

  it('are of the checkpoint and the weights asked for', async () => {
    const averaged = at('averaged');
    const config = put(at('ema.json'), { ...TINY, ema: 0.9 });
    await lyrebird('train', at('images'), '--out', averaged, '--config', config);
    const made = async (...options: string[]) => {
      const out = at('asked');
      const ran = await lyrebird('generate', averaged, '--out', out, '--count', '1', ...options);
      expect(ran).toMatchObject({ exitCode: 0 });
      return { ...json<object>(out, 'manifest.json'), image: readFileSync(path.join(out, 'red/red_00000.png')) };
    };
    const ema = await made();
    expect(ema).toMatchObject({ step: 6, weights: 'ema', checkpoint: 'step-000006.safetensors' });
    expect((await made('--weights', 'ema')).image).toEqual(ema.image);
    const plain = await made('--weights', 'plain');
    expect(plain).toMatchObject({ weights: 'plain' });
    expect(plain.image).not.toEqual(ema.image);
    expect(await made('--checkpoint', '4')).toMatchObject({ step: 4 });
    expect(await made('--checkpoint', 'best')).toMatchObject({ checkpoint: 'best.safetensors' });
  });

  it('are written as they are, too, with what the discriminator says of them', async () => {
    const out = at('raw');
    expect(await generate(out, '--count', '2', '--raw')).toMatchObject({ exitCode: 0 });
    const { tensors, metadata } = readSafetensors(path.join(out, 'raw.safetensors'));
    expect(metadata).toEqual({ weights: 'ema' });
    const shapes = { noise: [4, 8], labels: [4], images: [4, 1, 32, 32], adversarial: [4], classes: [4, 2] };
    expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual(shapes);
    expect([...(tensors.get('labels')!.data as Int32Array)]).toEqual([0, 0, 1, 1]);
    const values = (tensors.get('images')!.data as Float32Array).subarray(3 * 1024);
    const levels = await sharp(path.join(out, 'red/red_00001.png')).greyscale().raw().toBuffer();
    expect(levels).toEqual(Buffer.from(values.map((value) => Math.round(((value + 1) / 2) * 255))));
    expect(new Set(tensors.get('adversarial')!.data as Float32Array).size).toBe(4);
  });

  it('replace those of an earlier call, and nothing else', async () => {
    const out = at('again');
    await generate(out, '--count', '3');
    put(path.join(out, 'blue/mine.png'), 'a file of the user');
    await generate(out, '--count', '2');
    expect(filesIn(out)).toEqual([
      'blue/blue_00000.png',
      'blue/blue_00001.png',
      'blue/mine.png',
      'red/red_00000.png',
      'red/red_00001.png',
    ]);
  });
});

describe('numbers of images', () => {
  const made = async (out: string, ...options: string[]) => {
    expect(await generate(out, ...options)).toMatchObject({ exitCode: 0 });
    return manifestOf(out).images.map(({ label }) => label);
  };

  it.each([
    ['blue=3,red=1', ['blue', 'blue', 'blue', 'red']],
    ['red=2', ['red', 'red']],
    ['blue=1,2', ['blue', 'red', 'red']],
    ['2,blue=1', ['blue', 'red', 'red']],
  ])('%s', async (count, labels) => {
    expect(await made(at(`count ${count}`), '--count', count)).toEqual(labels);
  });

  it('of labels with commas', () => {
    const { named, each } = imageCounts('Robin, European=5,Wren=2, 7');
    expect([...named, each]).toEqual([['Robin, European', 5], ['Wren', 2], 7]);
  });
});

describe('--raw', () => {
  const out = at('truncated');
  let tensors: ReturnType<typeof readSafetensors>['tensors'];
  beforeAll(async () => {
    await generate(out, '--count', 'blue=2,red=3', '--raw', '--truncation', '0.5');
    ({ tensors } = readSafetensors(path.join(out, 'raw.safetensors')));
  });

  it('has the truncated noise: what was within stays, what was beyond is drawn again', () => {
    const noise = tensors.get('noise')!.data as Float32Array;
    expect(Math.max(...noise.map(Math.abs))).toBeLessThanOrEqual(0.5);
    const plain = noiseOf(1, noiseIndex(1, 2), 8);
    const truncated = noise.slice(4 * 8, 5 * 8);
    const isWithin = [...plain].map((value) => Math.abs(value) <= 0.5);
    expect(new Set(isWithin)).toEqual(new Set([true, false]));
    for (const [i, value] of plain.entries()) expect(truncated[i] === Math.fround(value)).toBe(isWithin[i]);
  });

  it('of no class is refused, and leaves what is there', async () => {
    const out = at('none of none');
    const { exitCode, stderr } = await generate(out, '--count', 'blue=2', '--class', 'red');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/--count and --class together leave no class/);
  });

  it('of more than memory holds is refused', async () => {
    const { exitCode, stderr } = await generate(at('none'), '--count', '500000', '--raw');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/--raw would make a file of 3\.8 GiB, which has to fit into memory: ask for 5\d{5} images/);
  });
});

it('noise truncated far is found too, and is of the right spread', () => {
  const z = noiseOf(3, 0, 4000, 0.7);
  const variance = z.reduce((sum, value) => sum + value ** 2, 0) / z.length;
  expect(Math.max(...z.map(Math.abs))).toBeLessThanOrEqual(0.7);
  expect(variance).toBeGreaterThan(0.145); // of the truncated normal distribution it is 0.151
  expect(variance).toBeLessThan(0.157);
  expect(Math.max(...noiseOf(3, 0, 100, 0.05).map(Math.abs))).toBeLessThanOrEqual(0.05);
});

describe('choosing', () => {
  const scores = (out: string) =>
    json<{ images: { score?: number; confidence?: number }[] }>(out, 'manifest.json').images;

  it('--keep-best keeps those that the discriminator finds most real, and counts the others', async () => {
    const [all, best] = [at('all'), at('best')];
    await generate(all, '--count', '12', '--keep-best', '1', '--class', 'red');
    const { stdout } = await generate(best, '--count', '4', '--keep-best', '0.34', '--class', 'red');
    expect(stdout).toBe(`${best}: 4 images of 1 class; 8 others were rejected\n`);
    const highest = scores(all)
      .map(({ score }) => score!)
      .sort((a, b) => b - a)
      .slice(0, 4);
    expect(
      scores(best)
        .map(({ score }) => score!)
        .sort((a, b) => b - a),
    ).toEqual(highest);
  });

  it('--min-confidence needs a classifier, trains and keeps one, and gives up where there is nothing to find', async () => {
    const none = await generate(at('none'), '--min-confidence', '0.5');
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toMatch(/--min-confidence needs a classifier, and ".*run" keeps none.*--dataset/);
    const out = at('sure');
    const images = ['--dataset', at('images'), '--count', '2'];
    const { exitCode, stdout, stderr } = await generate(out, ...images, '--min-confidence', '1');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/all is done, but fewer images could be found than were asked for/);
    expect(stdout).toMatch(/not as many as asked for \(4\) could be found: 0 of "blue" after 100 tries/);
    expect(existsSync(path.join(run, 'features.safetensors'))).toBe(true);
    // Kept by then: no data set is needed.
    expect(await generate(out, '--count', '2', '--min-confidence', '0.001')).toMatchObject({ exitCode: 0 });
    expect(scores(out)).toHaveLength(4);
    for (const { confidence } of scores(out)) expect(confidence).toBeGreaterThanOrEqual(0.001);
  });
});

it.each([
  ['--count=2', true],
  ['--keep-best=0.5', false],
])('says so where the generator makes no numbers, and draws none: %s', async (flag, isBegun) => {
  const { tensors, metadata } = readSafetensors((await latestCheckpoint(run))!);
  for (const [name, { data }] of tensors) if (/^(g|ema)\.to_image/.test(name)) (data as Float32Array).fill(Number.NaN);
  const broken = put(at('broken', 'step-000006.safetensors'), writeSafetensors(tensors as never, metadata));
  const out = at(`broken${flag}`);
  const { exitCode, stderr } = await lyrebird('generate', broken, '--out', out, flag);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/broken.step-000006\.safetensors" makes images that are no numbers.*Use an older checkpoint/);
  expect(existsSync(out)).toBe(isBegun);
  expect(isBegun ? filesIn(out) : []).toEqual([]);
});

it('--walks draws sheets of a row for each class, gone with the next call', async () => {
  const out = at('walks');
  const sheets = ['walk-classes.png', 'walk-noise.png'].map((name) => path.join(out, name));
  await generate(out, '--count', '1', '--walks');
  for (const file of sheets) expect((await sharp(file).metadata()).width).toBeGreaterThan(9 * 96);
  await generate(out, '--count', '1');
  for (const file of sheets) expect(existsSync(file)).toBe(false);
});

it('slerp keeps to the sphere, and ends where it should', () => {
  const [a, b] = [Float64Array.of(3, 0), Float64Array.of(0, 3)];
  expect(slerp(a, b, 0)).toEqual(a);
  expect([...slerp(a, b, 1 / 3)].map((value) => value.toFixed(6))).toEqual(['2.598076', '1.500000']);
  expect(slerp(a, a, 0.5)).toEqual(a);
});

it('is a data set, marked as synthetic', async () => {
  const out = at('again-as-data');
  await generate(out, '--count', '4');
  const lines = readFileSync(path.join(out, 'manifest.csv'), 'utf8').trim().split('\n');
  expect(lines).toHaveLength(9);
  expect(lines[1]).toMatch(/^blue\/blue_00000\.png,blue,synthetic blue 1-0,train,yes,1,0,/);
  const trained = await lyrebird('train', out, '--out', at('second'), '--config', at('tiny.json'), '--steps', '2');
  expect(trained).toMatchObject({ exitCode: 0 });
  // Below the lines of real pictures it is a table of both, of which no synthetic one is tested on.
  const table = path.join(out, 'labels.csv');
  put(
    table,
    `${lines.join('\n')}\nblue/blue_00003.png,blue,mine,test\n`.replace(/blue\/blue_00003\.png,blue,syn.*\n/, ''),
  );
  const { images } = await readDataset(out);
  expect(images.filter(({ split }) => split === 'test').map(({ recording }) => recording)).toEqual(['mine']);
});

it('^C leaves whole images, listed; the next call makes the rest', async () => {
  const out = at('stopped');
  pressWhen(() => existsSync(path.join(out, 'blue/blue_00004.png')));
  const { exitCode, stdout } = await generate(out, '--count', '50000');
  expect(exitCode).toBe(130);
  const { complete, images } = manifestOf(out);
  expect(complete).toBe(false);
  expect(images.map(({ file }) => file)).toEqual(filesIn(out));
  expect(stdout).toBe(`${out}: stopped after ${images.length} of 100000 images\n`);
  for (const { file } of images) expect(statSync(path.join(out, file)).size).toBeGreaterThan(60);
  expect(await generate(out, '--count', '1')).toMatchObject({ exitCode: 0 });
  expect(filesIn(out)).toEqual(['blue/blue_00000.png', 'red/red_00000.png']);
});

it('a folder that can no longer be written is a sentence, and what was made stays listed', async () => {
  const out = at('blocked');
  put(path.join(out, 'manifest.json'), { format: 'lyrebird-synthetic/1', images: [] });
  put(path.join(out, 'red'), 'a file where a folder is needed');
  const { exitCode, stderr } = await generate(out, '--count', '4');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/Part of ".*red.*" is a file where a folder is needed/);
  expect(manifestOf(out)).toMatchObject({ complete: false, images: { length: 4 } });
});

describe('what is refused', () => {
  it.each([
    ['an unknown class', ['--class', 'rad'], 1, /has no class 'rad'\. It knows: red\./],
    ['a class of no likeness', ['--class', 'zebra'], 1, /has no class 'zebra'\. It knows: blue, red\./],
    ['a step without a checkpoint', ['--checkpoint', '5'], 1, /no checkpoint of step 5: there are best, 2, 4, 6\./],
    ['an unknown checkpoint', ['--checkpoint', 'worst'], 2, /Give last, best, or the number of a step/],
    ['unknown weights', ['--weights', 'heavy'], 2, /Allowed choices are ema, plain/],
    ['two numbers', ['--count', '10,20'], 2, /two numbers without a class/],
    ['a class twice', ['--count', 'red=5,blue=1,red=50'], 2, /two numbers for "red"/],
    ['no images', ['--count', '0'], 2, /Give a whole number above 0/],
    ['too many images', ['--count', '2000000'], 2, /Give at most 1048576/],
    ['too many images in all', ['--count', '600000'], 1, /1200000 images are too many for one folder/],
  ])('%s', async (_what, options, code, sentence) => {
    const { exitCode, stderr, stdout } = await generate(at('none'), ...options);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(existsSync(at('none'))).toBe(false);
  });

  it.each([
    ['a file', put(at('file'), ''), /file" is a file, or lies below one: name a folder/],
    [
      'a folder of other things',
      path.dirname(put(at('mine/thesis.txt'), '')),
      /holds "thesis\.txt" but no manifest\.json/,
    ],
    ['another manifest', path.dirname(put(at('web/manifest.json'), {})), /is no manifest of generated images/],
    [
      'a manifest that leads out of its folder',
      path.dirname(put(at('trap/manifest.json'), { format: 'lyrebird-synthetic/1', images: [{ file: '../file' }] })),
      /"\.\.\/file" leads outside/,
    ],
  ])('to write into %s', async (_what, out, sentence) => {
    const { exitCode, stderr } = await generate(out, '--count', '1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(existsSync(at('file'))).toBe(true);
  });

  it.each([
    [
      'a folder that is not there',
      () => at('nowhere'),
      /"nowhere" holds no checkpoints: name a run's folder, or a file/,
    ],
    ['a folder without checkpoints', () => at('images'), /"images" holds no checkpoints/],
    ['another file', () => put(at('config.json'), {}), /"config\.json" holds no checkpoints/],
    ['a missing file', () => at('x.safetensors'), /There is no file or folder "x\.safetensors"/],
    ['no safetensors', () => put(at('text.safetensors'), 'a text, and a long one'), /is not a safetensors file/],
    ['an empty file', () => put(at('empty.safetensors'), ''), /is no safetensors file: it has only 0 bytes/],
    [
      'other tensors',
      () => put(at('other.safetensors'), writeSafetensors(new Map())),
      /is not the checkpoint of a run/,
    ],
  ])('%s as a checkpoint', async (_what, source, sentence) => {
    const { exitCode, stderr } = await lyrebird('generate', source(), '--out', at('none'));
    expect(exitCode).toBe(1);
    expect(stderr.replaceAll(`${folder}/`, '')).toMatch(sentence);
  });

  it.each([
    [
      'description',
      { info: '{"step": 6}' },
      /description of the checkpoint is damaged \("classes" \(missing\): must be a list\)/,
    ],
    ['config', { config: '{}' }, /description of the checkpoint is damaged/],
    [
      'shape',
      { latent: true },
      /does not fit the network.*embed\.weight has the shape \[2, 8\], the network's has \[2, 9\]/,
    ],
  ])('a checkpoint of another %s', async (what, change, sentence) => {
    const { tensors, metadata } = readSafetensors((await latestCheckpoint(run))!);
    const config = metadata.config!.replace('"latent":8', '"latent":9');
    const file = at(`${what}.safetensors`);
    const changed = 'latent' in change ? { config } : change;
    put(file, writeSafetensors(tensors as Parameters<typeof writeSafetensors>[0], { ...metadata, ...changed }));
    const { exitCode, stderr } = await lyrebird('generate', file, '--out', at('none'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});
