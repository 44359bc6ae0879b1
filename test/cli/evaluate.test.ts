/** lyrebird evaluate: numbers of a small run, whatever is odd about its images. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readEvaluation } from '../../src/io/evaluation.js';
import { grayPng } from '../../src/io/image.js';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';
import { uniform } from '../../src/reference/random.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { pressWhen, put, TINY } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const config = put(at('tiny.json'), TINY);

/** `<dir>/<label>/<i>.png`, 32 x 32. */
async function images(dir: string, label: string, count: number, level: (i: number, pixel: number) => number) {
  for (let i = 0; i < count; i++) {
    const gray = Uint8Array.from({ length: 1024 }, (_, pixel) => level(i, pixel));
    put(path.join(dir, label, `${i}.png`), await grayPng(gray, 32, 32));
  }
}

/** Noise that is brighter in its upper or in its lower half. */
const halfBright = (isUpper: boolean) => {
  const noise = uniform(isUpper ? 1 : 2, 0, 64 * 1024);
  return (i: number, pixel: number) => 100 * noise[i * 1024 + pixel]! + (pixel < 512 === isUpper ? 120 : 0);
};

async function trained(name: string): Promise<string> {
  const run = at(`${name}-run`);
  const { exitCode, stderr } = await lyrebird('train', at(name), '--out', run, '--config', config);
  if (exitCode !== 0) throw new Error(stderr);
  return run;
}

const evaluate = (run: string, data: string, ...args: string[]) =>
  lyrebird('evaluate', run, '--dataset', at(data), ...args);

let run: string;

beforeAll(async () => {
  await images(at('plain'), 'high', 10, halfBright(true));
  await images(at('plain'), 'low', 10, halfBright(false));
  run = await trained('plain');
});

describe('of a run on two plain classes', () => {
  let first: Awaited<ReturnType<typeof lyrebird>>;

  beforeAll(async () => {
    first = await evaluate(run, 'plain', '--k', '2', '--json', at('numbers.json'));
  });

  it('prints tables, and writes numbers, a sheet and the report', async () => {
    const { exitCode, stdout } = first;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^step-000006\.safetensors: after 6 steps/);
    expect(stdout).toMatch(/images +16 +4 +4 +8\n/);
    expect(stdout).toMatch(/Frechet distance +[\d.]+ \([\d.]+ to [\d.]+\)/);
    expect(stdout).toMatch(/generated images +held-out images .*GAN-train/);
    expect(stdout).toContain(
      `written: ${['evaluation.json', 'neighbours.png', 'report.html']
        .map((file) => path.join(run, file))
        .join(', ')
        .replace(', ', `, ${at('numbers.json')}, `)}`,
    );
    expect(readFileSync(at('numbers.json'))).toEqual(readFileSync(path.join(run, 'evaluation.json')));
    expect(readFileSync(path.join(run, 'neighbours.png')).subarray(1, 4).toString()).toBe('PNG');
    const page = readFileSync(path.join(run, 'report.html'), 'utf8');
    expect(page).toContain('How good are the synthetic pictures?');
    expect(page).not.toContain('NaN');
  });

  it('finds held-out images like the training ones, which a generator of six steps does not reach', async () => {
    const { overall, accuracy, counts } = await readEvaluation(path.join(run, 'evaluation.json'));
    expect(counts).toEqual({ training: [8, 8], heldOut: [2, 2], generated: [8, 8] });
    const value = (measure: object | undefined): number => (measure as { value: number }).value;
    expect(value(overall.heldOut?.frechet)).toBeLessThan(0.5 * value(overall.generatedFew?.frechet));
    expect(value(overall.halves.coverage)).toBeGreaterThan(value(overall.generated.coverage));
    expect(value(accuracy.real.overall)).toBe(1);
    expect(value(accuracy.ganTest.overall)).toBeLessThan(0.95);
  });

  it('never trains its feature network on held-out images; trains it anew where the file is damaged, to the same bits', async () => {
    const info = JSON.parse(readFileSync(path.join(run, 'features.json'), 'utf8'));
    expect(info.trainedOn + info.validatedOn).toBe(16);
    const files = ['features.safetensors', 'evaluation.json', 'neighbours.png'].map((file) => path.join(run, file));
    const before = files.map((file) => readFileSync(file));
    put(files[0]!, before[0]!.subarray(0, 1000));
    const { exitCode, stderr } = await evaluate(run, 'plain', '--k', '2');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('is damaged: the feature network is trained anew');
    expect(files.map((file) => readFileSync(file))).toEqual(before);
  });

  it('judges a checkpoint file in the same features, and leaves the report alone', async () => {
    const unchanged = ['features.safetensors', 'report.html'].map((file) => path.join(run, file));
    const before = unchanged.map((file) => statSync(file).mtimeMs);
    const { exitCode, stderr } = await evaluate((await latestCheckpoint(run))!, 'plain', '--count', '3');
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain('features');
    expect(unchanged.map((file) => statSync(file).mtimeMs)).toEqual(before);
    const { counts } = await readEvaluation(path.join(run, 'evaluation.json'));
    expect(counts.generated).toEqual([3, 3]);
  });
});

it('stopped by ^C keeps the feature network, and leaves the numbers as they were', async () => {
  const [kept, numbers] = [path.join(run, 'features.safetensors'), path.join(run, 'evaluation.json')];
  const before = readFileSync(numbers);
  rmSync(kept);
  pressWhen(() => existsSync(kept));
  const { exitCode, stderr } = await evaluate(run, 'plain', '--seed', '2');
  expect(exitCode).toBe(130);
  expect(stderr).toContain('finishing what is in hand');
  expect(readFileSync(numbers)).toEqual(before);
});

describe('of odd images', () => {
  type Ran = Awaited<ReturnType<typeof lyrebird>>;
  const expectWhole = async (name: string, { exitCode, stdout, stderr }: Ran, code = 0) => {
    expect(stderr).not.toMatch(/bug|Error/);
    expect(exitCode).toBe(code);
    expect(stdout).not.toMatch(/NaN|Infinity|undefined/);
    return readEvaluation(path.join(at(`${name}-run`), 'evaluation.json')); // refuses what is no number
  };

  it('says what a class of one image, of black ones, of equal ones, and one that is damaged, do not allow', async () => {
    await images(at('odd'), 'black', 5, () => 0);
    await images(at('odd'), 'equal', 5, (_, pixel) => pixel % 200);
    await images(at('odd'), 'lonely', 1, () => 90);
    const odd = await trained('odd');
    put(at('odd/equal/4.png'), 'no picture');
    const result = await evaluate(odd, 'odd');
    const { perClass, notes } = await expectWhole('odd', result, 3);
    expect(result.stderr).toMatch(/note: left out: equal\/4\.png: cannot be read.*all is done, but 1 image could not/s);
    expect(notes.join('\n')).toContain('There are no held-out images of "lonely"');
    expect(perClass[2]!.heldOut).toBeUndefined();
    expect(perClass[2]!.generated.frechet).toEqual({
      reason: 'takes 2 images or more of each kind, and there are 1 and 1',
    });
    expect(perClass[0]!.halves.frechet).toMatchObject({ value: 0 });
    expect(result.stdout).toContain('note: There are no held-out images of "lonely"');
  });

  it('says so where there is one image a class and nothing held out', async () => {
    for (const label of ['a', 'b']) await images(at('single'), label, 1, halfBright(label === 'a'));
    await trained('single');
    const result = await evaluate(at('single-run'), 'single', '--count', '3', '--k', '2');
    const { accuracy, overall, neighbours } = await expectWhole('single', result);
    expect(result.stderr).toMatch(/^note: .*"a".*\n/m);
    expect(accuracy.ganTrain.overall).toEqual({ reason: 'there are no held-out images' });
    expect(accuracy.ganTest.overall).toHaveProperty('value');
    expect(overall.heldOut).toBeUndefined();
    expect(neighbours.features.nearer).toEqual({ reason: 'there are no held-out images' });
    expect(result.stdout).toContain('note: There are no held-out images: only halves');
    expect(readFileSync(at('single-run', 'report.html'), 'utf8')).toContain('GAN-train cannot be tested');
  });

  it('says so where the generator makes no numbers', async () => {
    const file = (await latestCheckpoint(run))!;
    const { tensors, metadata } = readSafetensors(file);
    for (const [name, { data }] of tensors)
      if (/^(g|ema)\.to_image/.test(name)) (data as Float32Array).fill(Number.NaN);
    const broken = put(at('broken', 'step-000006.safetensors'), writeSafetensors(tensors as never, metadata));
    const { exitCode, stderr } = await evaluate(broken, 'plain', '--count', '2');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/makes images that are no numbers: its training broke down/);
    expect(existsSync(at('broken', 'evaluation.json'))).toBe(false);
  });
});

describe('refuses', () => {
  it.each([
    ['what is no run', () => [at('plain')], 1, /holds no checkpoints/],
    ['a run without its data set', () => [run], 1, /has no data set in it: name the one that it was trained on/],
    ['a data set of other classes', () => [run, '--dataset', at('other')], 1, /was trained on the classes high, low/],
    ['no neighbours', () => [run, '--k', '0'], 2, /Give a whole number above 0/],
    ['too many neighbours', () => [run, '--k', '65'], 2, /Give at most 64/],
  ])('%s', async (_what, args, code, sentence) => {
    await images(at('other'), 'else', 3, () => 50);
    const { exitCode, stderr } = await lyrebird('evaluate', ...args());
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(sentence);
  });

  it('an evaluation that is damaged, in the report', async () => {
    put(path.join(run, 'evaluation.json'), '{"format": "lyrebird-evaluation/1"}');
    const { exitCode, stderr } = await lyrebird('report', run, '--dataset', at('plain'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/evaluation\.json" is damaged, or of another version: evaluate the run again/);
  });
});
