/** lyrebird listen: sounds of images of every origin, what it says of them, and what it refuses. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../src/audio/wav.js';
import { readWhole } from '../audio/fixtures.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pictures, pressWhen, put, recordings, TINY } from './fixtures.js';

interface Index {
  images: { file: string; label: string; recording: string; start: number }[];
}

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const data = at('data');
const listen = (...options: string[]) => lyrebird('listen', '--iterations', '4', ...options);
const wavOf = (file: string) => file.replace(/\.png$/, '.wav');
/** Windows of one second, small images. */
const SHORT = ['--window', '1', '--size', '64'];
let images: string[];

beforeAll(async () => {
  recordings(at('birds'), ['robin', 'wren'], 2, 1);
  await lyrebird('prepare', at('birds'), '--out', data, ...SHORT);
  images = json<Index>(data, 'dataset.json').images.map(({ file }) => file);
});

/** Grey levels. */
const levelsOf = (file: string) => sharp(file).toColourspace('b-w').raw().toBuffer();

describe('images of a data set', () => {
  it('become sounds of their length and rate, named after them', async () => {
    const [one, other] = [images[0]!, images.at(-1)!];
    const out = at('two');
    const ran = await listen(path.join(data, one), path.join(data, other), '--out', out);
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.stdout).toMatch(/1_0\.00\.wav: 1 s at 24000 Hz, spectral convergence 0\.\d{3} \(-\d+\.\d dB\)\n/);
    expect(ran.stdout).toMatch(/\n2 sounds of 2 images, 0 left out\n$/);
    for (const file of [one, other]) {
      const { samples, sampleRate } = await readWhole(path.join(out, wavOf(path.basename(file))));
      expect([samples.length, sampleRate]).toEqual([24000, 24000]);
      expect(Math.max(...samples)).toBeGreaterThan(0.85);
    }
  });

  it('are seen again in the spectrograms of their sounds', async () => {
    const out = at('again');
    expect(await listen(data, '--out', out, '--iterations', '15', '--sheet', at('sheet.png'))).toMatchObject({
      exitCode: 0,
    });
    for (const file of images) expect(existsSync(path.join(out, wavOf(file)))).toBe(true);
    await lyrebird('prepare', out, '--out', at('prepared'), ...SHORT);
    for (const file of images) {
      const again = json<Index>(at('prepared'), 'dataset.json').images.find(
        ({ label, recording }) => `${label}/${recording}.png` === file,
      )!;
      const [before, after] = [await levelsOf(path.join(data, file)), await levelsOf(at('prepared', again.file))];
      // Decibels of what is loud: within 40 of 60 dB.
      const loud = [...before.keys()].filter((i) => before[i]! > 85);
      const difference = loud.reduce((sum, i) => sum + Math.abs(before[i]! - after[i]!), 0) / loud.length;
      expect(loud.length).toBeGreaterThan(100);
      expect((difference / 255) * 60).toBeLessThan(2);
    }
    const { width, height } = await sharp(at('sheet.png')).metadata();
    expect(width! * height!).toBeGreaterThan(4 * 2 * 64 * 64);
    expect(await listen(data, '--out', out, '--sheet', at('sheet.png'))).toMatchObject({ exitCode: 1 });
  });

  it('are checked without writing anything', async () => {
    const { exitCode, stdout } = await listen(data, '--check', '2');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^2 images by morlet: spectral convergence median 0\.\d{3} \(-.* dB\), half of them from 0/);
    expect(stdout).toMatch(/the loudest row is the image's or its neighbour in \d+ % of the columns/);
    expect(images.some((file) => existsSync(path.join(data, wavOf(file))))).toBe(false);
  });
});

it('^C finishes the sound in hand, and stops', async () => {
  const out = at('stopped');
  pressWhen(() => existsSync(path.join(out, wavOf(images[0]!))));
  const { exitCode, stdout } = await listen(data, '--out', out);
  expect(exitCode).toBe(130);
  expect(stdout).toMatch(/\n[12] sounds? of 4 images, 0 left out, stopped\n$/);
  expect(existsSync(path.join(out, wavOf(images.at(-1)!)))).toBe(false);
});

describe('files that are there', () => {
  const out = at('taken');
  const target = () => path.join(out, wavOf(path.basename(images[0]!)));

  it('of earlier calls are replaced, and nothing else', async () => {
    const image = path.join(data, images[0]!);
    await listen(image, '--out', out);
    const before = readFileSync(target());
    expect(await listen(image, '--out', out, '--iterations', '2')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(target()).equals(before)).toBe(false);

    const recording = encodeWav(new Float32Array(100), 24000);
    put(target(), recording);
    const ran = await listen(image, path.join(data, images[1]!), '--out', out);
    expect(ran).toMatchObject({ exitCode: 3 });
    expect(ran.stdout).toMatch(
      /left out: .*: ".*" is there already, and was not made from a spectrogram: choose another/,
    );
    expect(ran.stdout).toMatch(/1 sound of 2 images, 1 left out/);
    expect(readFileSync(target()).equals(recording)).toBe(true);
  });

  it('say that a rate is too low for what an image shows', async () => {
    const { stdout } = await listen(path.join(data, images[0]!), '--out', at('low'), '--rate', '4000');
    expect(stdout).toMatch(/at 4000 Hz, spectral convergence .*; the rate holds nothing above 1900 Hz/);
    const { stdout: enough } = await listen(path.join(data, images[0]!), '--out', at('high'), '--rate', '48000');
    expect(enough).not.toContain('holds nothing');
  });

  it('are not made like what is not there', async () => {
    const { exitCode, stdout, stderr } = await listen(path.join(data, images[0]!), '--like', at('nowhere'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/There is no file or folder ".*nowhere"/);
  });

  it('of one name are numbered', async () => {
    mkdirSync(at('same/b'), { recursive: true });
    for (const name of ['same/a.png', 'same/b/a.png']) cpSync(path.join(data, images[0]!), at(name));
    const ran = await listen(at('same/a.png'), at('same/b/a.png'), '--like', data, '--out', at('numbered'));
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(['a.wav', 'a-2.wav'].map((name) => existsSync(at('numbered', name)))).toEqual([true, true]);
  });
});

describe('generated images', () => {
  const run = at('run');
  const far = at('far/away/made');
  beforeAll(async () => {
    await lyrebird('train', data, '--out', run, '--size', '32', '--config', put(at('tiny.json'), TINY));
    await lyrebird('generate', run, '--out', path.join(run, 'synthetic'), '--count', '1');
    await lyrebird('generate', run, '--out', far, '--count', '1', '--class', 'wren');
  });

  it('of a checkpoint alone say what they show', async () => {
    const ran = await listen(far);
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.stdout).toMatch(/wren_00000\.wav: 1 s at 24000 Hz, spectral convergence 0/);
    expect((await readWhole(path.join(far, 'wren/wren_00000.wav'))).samples).toHaveLength(24000);
  });

  it('of a run are those in its synthetic folder', async () => {
    const ran = await listen(run, '--rate', '32000', '--window', '0.5');
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.stdout).toMatch(/synthetic\/robin\/robin_00000\.wav: 0\.5 s at 32000 Hz/);
    expect(ran.stdout).toMatch(/2 sounds of 2 images, 0 left out/);
  });

  it('of an older version, elsewhere, need to be told', async () => {
    const manifest = { ...json<object>(far, 'manifest.json'), shown: undefined };
    put(path.join(far, 'manifest.json'), manifest);
    rmSync(path.join(far, 'wren/wren_00000.wav'));
    const silent = await listen(far);
    expect(silent).toMatchObject({ exitCode: 1 });
    expect(silent.stdout).toMatch(/left out: Nothing says what ".*" shows.*--like, or give --transform/);
    expect(await listen(far, '--like', data)).toMatchObject({ exitCode: 0 });
    const like = await listen(far, '--like', run);
    expect(like.stdout).toMatch(/left out: .*"[^"]*run" does not say how its images were made: name a data set/);
    // A data set near by, of something else, is no answer; that of the run that they lie in is.
    cpSync(data, path.join(path.dirname(far), 'dataset'), { recursive: true });
    expect(await listen(far)).toMatchObject({ exitCode: 1 });
    mkdirSync(path.join(path.dirname(far), 'checkpoints'));
    expect(await listen(far)).toMatchObject({ exitCode: 0 });
    rmSync(path.join(path.dirname(far), 'checkpoints'), { recursive: true });
    const told = await listen(far, '--transform', 'stft', '--fmax', '8000', '--window', '0.5');
    expect(told.stdout).toMatch(/wren_00000\.wav: 0\.5 s at 22050 Hz/);
  });
});

describe('what cannot be heard', () => {
  it('is left out and named, and the others go on', async () => {
    await pictures(at('mixed/dog'), ['red'], 1);
    put(at('mixed/torn.png'), 'no picture');
    put(
      at('mixed/small.png'),
      await sharp({ create: { width: 5, height: 300, channels: 3, background: 'black' } })
        .png()
        .toBuffer(),
    );
    put(
      at('mixed/black.png'),
      await sharp({ create: { width: 20, height: 30, channels: 3, background: 'black' } })
        .png()
        .toBuffer(),
    );
    const ran = await listen(at('mixed'), '--transform', 'morlet');
    expect(ran).toMatchObject({ exitCode: 3 });
    expect(ran.stdout).toMatch(/left out: .*0\.png: It is in colour, and nothing says how loud which colour is/);
    expect(ran.stdout).toMatch(/left out: ".*torn\.png" cannot be read as an image/);
    expect(ran.stdout).toMatch(/left out: .*small\.png: It has 5 x 300 pixels: 8 to 4096/);
    expect(ran.stdout).toMatch(/black\.wav: 2 s at 32000 Hz, spectral convergence 0\.000\n/);
    expect(ran.stdout).toMatch(/1 sound of 4 images, 3 left out/);
    expect(ran.stderr).toMatch(/all is done, but 3 images could not be used/);
  });

  it.each([
    [[at('nothing.png')], 1, /There is no file or folder ".*nothing\.png"/],
    [[at('birds')], 1, /"[^"]*birds" holds no pictures/],
    [[at('data'), '--rate', '12.5'], 2, /Give a whole number/],
    [[at('data'), '--rate', '1000'], 1, /up to 475 Hz, the spectrogram begins at 500 Hz/],
    [[at('data'), '--window', '500'], 1, /at most 1048576 are possible. Use shorter windows/],
    [[at('data'), '--fmax', '200'], 1, /"fmax" \(200\): must be greater than fmin/],
    [[], 2, /missing required argument/],
  ])('%j is a sentence', async (options, code, sentence) => {
    const { exitCode, stdout, stderr } = await listen(...options);
    expect(stdout + stderr).toMatch(sentence);
    expect(exitCode).toBe(code);
  });

  it('a list that leads out of its folder is refused', async () => {
    put(at('trap/manifest.json'), { format: 'lyrebird-synthetic/1', images: [{ file: '../data/x.png' }] });
    const { exitCode, stderr } = await listen(at('trap'));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('leads outside the folder')]);
  });
});
