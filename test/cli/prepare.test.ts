/** lyrebird prepare: where it writes, what it refuses, and that it goes on. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeWav } from '../../src/audio/wav.js';
import type { DatasetIndex } from '../../src/data/schema.js';
import { LOCK_NAME } from '../../src/io/lock.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pressWhen, put, recordings, tone } from './fixtures.js';

const folder = temporaryFolder();
const dir = recordings(path.join(folder, 'birds'), ['robin', 'wren'], 2);
const prepare = (out: string, ...options: string[]) => lyrebird('prepare', dir, '--out', out, ...options);

describe('a place for the data set', () => {
  it.each([
    [
      'among the recordings',
      path.join(dir, 'set'),
      /lies in the folder of recordings, ".*": choose a place outside it/,
    ],
    ['that is a file', put(path.join(folder, 'file'), ''), /file" is a file, or lies below one: name a folder/],
    ['below a file', path.join(folder, 'file/set'), /is a file, or lies below one/],
    [
      'that holds other things',
      path.dirname(put(path.join(folder, 'mine/thesis.txt'), 'precious')),
      /holds "thesis\.txt" but no dataset\.json.*choose a new or empty folder/,
    ],
    [
      'with a damaged index',
      path.dirname(put(path.join(folder, 'damaged/dataset.json'), '{"format": "lyrebird')),
      /dataset\.json" is not valid JSON .*: prepare the data set in a new folder/,
    ],
    ['where nothing can be made', '/proc/lyrebird/set', /^lyrebird: .*"\/proc\/lyrebird\/set"/],
  ])('%s is refused', async (_what, out, sentence) => {
    const { exitCode, stdout, stderr } = await prepare(out);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
  });

  it('without a name is wrong usage', async () => {
    const { exitCode, stderr } = await prepare('');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Name a folder.');
  });
});

it('is alone in its folder, and clears away what a killed process left', async () => {
  const out = path.join(folder, 'shared');
  expect((await prepare(out)).exitCode).toBe(0);
  const leftover = put(path.join(out, 'wren/.0123456789abcdef.tmp'), 'half an image');
  put(path.join(out, LOCK_NAME), { pid: process.pid, host: hostname(), since: 'just now' });
  expect(await prepare(out)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/is in use by process/) });
  put(path.join(out, LOCK_NAME), { pid: 2 ** 22 + 1, host: hostname(), since: 'long ago' });
  expect((await prepare(out)).exitCode).toBe(0);
  expect(existsSync(leftover)).toBe(false);
});

it('says that parts share recordings before it says of each recording what is missing in it', async () => {
  const shared = recordings(path.join(folder, 'copies'), ['robin'], 12);
  for (let i = 1; i <= 12; i++) {
    const whole = readFileSync(path.join(shared, 'robin', `${i}.wav`));
    put(path.join(shared, 'robin', `${i}.wav`), whole.subarray(0, 0.8 * whole.length));
    put(path.join(shared, 'wren', `${i}.wav`), readFileSync(path.join(shared, 'robin', '1.wav')));
  }
  const { stdout } = await lyrebird('prepare', shared, '--out', path.join(folder, 'leaky'));
  expect(stdout).toMatch(/images look the same as one of another part/);
  expect(stdout).toMatch(/is cut off or damaged: .*\n\.\.\. and \d+ more like these/);
});

it('says that nothing lies between songs that would make a class noise', async () => {
  const song = tone(3000, { seconds: 2.4 }).map((sample, i) =>
    i > 24000 && i < 33600 ? sample : 0.01 * Math.sin(i * i),
  );
  for (const name of ['1', '2']) put(path.join(folder, 'dense/wren', `${name}.wav`), encodeWav(song, 24000));
  const made = (window: string) => {
    const out = path.join(folder, `noise-${window}`);
    return lyrebird(
      'prepare',
      path.join(folder, 'dense'),
      '--out',
      out,
      '--noise-class',
      '--hop',
      '0.5',
      '--window',
      window,
    );
  };
  const sentence = /There is no class "noise": between what sounds, no 2 s are left/;
  expect((await made('2')).stdout).toMatch(sentence);
  expect((await made('0.5')).stdout).not.toMatch(/no class "noise"/);
});

it.each([
  [['--test', '0.7', '--validation', '0.3'], 1, /0\.7 to test and 0\.3 to validate leave nothing to train on/],
  [['--fmin', '9000', '--fmax', '100'], 1, /9000 to 100 Hz\. Choose 0 < fmin < fmax/],
  [['--hop', '3'], 1, /"hop" \(3\): must be at most window/],
  [['--transform', 'fourier'], 2, /Allowed choices are morlet, morse, bump, mel, stft/],
  [['--w0', '1'], 1, /"w0" \(1\): must be at least 2/],
  [['--sigma', '7'], 1, /"sigma" \(7\): must be less than mu/],
  [['--frame-hop', '0.5'], 1, /"frameHop" \(0\.5\): must be at most half of frame/],
  [['--event-gap', ''], 2, /Give a number/],
  [['--max-windows', '0'], 2, /Give a whole number above 0/],
  [['--window', '1000'], 1, /"window" \(1000\): must be at most 600/],
  [['--size', '48'], 2, /Give 32, 64, 128, 256/],
  [['--seed', '1.5'], 2, /Give a whole number above 0/],
])('%j are refused', async (options, code, sentence) => {
  const { exitCode, stderr } = await prepare(path.join(folder, 'none'), ...options);
  expect(exitCode).toBe(code);
  expect(stderr).toMatch(sentence);
  expect(existsSync(path.join(folder, 'none'))).toBe(false);
});

it('makes what its options say, and writes them down', async () => {
  const out = path.join(folder, 'options');
  const calls = path.join(folder, 'calls');
  for (const label of ['robin', 'wren']) {
    for (const n of [1, 2]) {
      // A second of hiss, half a second of song, three seconds of hiss.
      const samples = tone(label === 'robin' ? 2000 : 4000, { seconds: 4.5, rate: 16000, seed: n });
      const hiss = tone(0, { seconds: 4.5, rate: 16000, seed: n });
      const heard = samples.map((value, i) => (i >= 16000 && i < 24000 ? value : hiss[i]!));
      put(path.join(calls, label, `${n}.wav`), encodeWav(heard, 16000));
    }
  }
  const ran = await lyrebird(
    ...['prepare', calls, '--out', out, '--fmax', '7000', '--window', '1', '--hop', '0.5', '--transform', 'mel'],
    ...['--windows', 'events', '--max-windows', '1', '--noise-class', '--gate', '--normalise', 'rms', '--keep-dc'],
  );
  expect(ran).toMatchObject({ exitCode: 0 });
  const index = json<DatasetIndex>(out, 'dataset.json');
  expect(index.parameters).toMatchObject({ transform: 'mel', windows: 'events', maxWindows: 1, noiseWindows: 2 });
  expect(index.parameters).toMatchObject({ gateDb: 8, normalise: 'rms', removeDc: false });
  expect(index.counts).toMatchObject({ images: 12, recordings: 4 });
  for (const { label, start } of index.images.filter((image) => image.label !== 'noise')) {
    expect(['robin', 'wren']).toContain(label);
    expect(start).toBeCloseTo(0.75, 1);
  }
  expect(readdirSync(path.join(out, 'noise'))).toHaveLength(8);
});

it('stops at ^C, says how far it came, and the same command makes the rest', async () => {
  const long = recordings(path.join(folder, 'long'), ['robin', 'wren'], 3, 5);
  const out = path.join(folder, 'stopped');
  const go = () => lyrebird('prepare', long, '--out', out, '--hop', '0.1');
  pressWhen(() => existsSync(path.join(out, 'robin')));
  const stopped = await go();
  expect(stopped.exitCode).toBe(130);
  expect(stopped.stderr).toContain('lyrebird: finishing what is in hand; ^C again ends at once.');
  // Of what nobody has looked at yet, nothing is said.
  expect(stopped.stdout).toMatch(
    /^.*stopped: \d+ images? of \d class(es)? from \d recordings? so far; the same command goes on from here\n$/,
  );
  expect(json(out, 'dataset.json')).toMatchObject({ complete: false, notes: [] });

  const train = await lyrebird('train', out, '--out', path.join(folder, 'run'));
  expect(train.exitCode).toBe(1);
  expect(train.stderr).toMatch(/the data set is not finished.*prepare it again, it goes on where it stopped/);

  expect(await go()).toMatchObject({ exitCode: 0 });
  const fresh = path.join(folder, 'fresh');
  await lyrebird('prepare', long, '--out', fresh, '--hop', '0.1');
  const index = (set: string) => readFileSync(path.join(set, 'dataset.json'), 'utf8');
  expect(index(out)).toBe(index(fresh));
  expect(readdirSync(path.join(out, 'wren'))).toEqual(readdirSync(path.join(fresh, 'wren')));
});
