/** lyrebird train: what it refuses and why, what it leaves out, and that nothing learnt is lost. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readLog } from '../../src/io/log.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { temporaryFolder } from '../temporary.js';
import { isBuilt, program } from './built.js';
import { lyrebird } from './console.js';
import { json, loggedSteps, pictures, pressWhen, put, recordings, TINY, upTo } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const config = put(at('tiny.json'), TINY);
const images = at('images');
const dataset = at('dataset');
let fresh = 0;
/** A folder that is not there yet. */
const unused = (): string => at(`out-${fresh++}`);
const train = (data: string, out = unused(), ...options: string[]) =>
  lyrebird('train', data, '--out', out, '--config', config, ...options);

/** Expects a sentence, and nothing else: no results, no stack, no run. */
async function refused(running: ReturnType<typeof lyrebird>, sentence: RegExp, exitCode = 1): Promise<void> {
  const ran = await running;
  expect(ran.stderr).toMatch(sentence);
  expect(ran.stderr).not.toMatch(/bug in lyrebird|^ {4}at /m);
  expect(ran).toMatchObject({ exitCode, stdout: '' });
}

beforeAll(async () => {
  await pictures(images, ['blue', 'red']);
  await lyrebird('prepare', recordings(at('birds'), ['robin', 'wren'], 2), '--out', dataset);
});

describe('a config file', () => {
  it.each([
    ['an unknown field', '{"colour": 3}', /"my\.json": unknown field "colour"\. The fields are size, channels, /],
    ['a value too small', '{"batch": 0}', /"my\.json": "batch" \(0\): must be at least 1\./],
    ['a value too large', '{"batch": 100000}', /"batch" \(100000\): must be at most 4096\./],
    ['a text for a number', '{"batch": "many"}', /"batch" \("many"\): must be a number\./],
    ['an unknown size', '{"size": 48}', /"size" \(48\): must be 32 or 64 or 128 or 256\./],
    ['an unknown word', '{"adversarial": "wgan"}', /"adversarial" \("wgan"\): must be "bce" or "hinge"\./],
    ['too few widths', '{"discriminatorWidths": [4, 4]}', /"discriminatorWidths" \(\[4,4\]\): must have 4 entries\./],
    ['widths for another size', '{"generatorWidths": [8, 8]}', /gives images of 8 pixels, not 32/],
    ['no JSON', 'batch: 4', /"my\.json" is not valid JSON/],
    ['nothing', '', /"my\.json" is not valid JSON/],
    ['an array', '[1, 2]', /"my\.json" must hold a JSON object with fields of config\.json/],
  ])('with %s is refused', async (_what, text, sentence) => {
    const file = put(at('my.json'), text);
    const ran = await lyrebird('train', images, '--out', at('none'), '--config', file);
    await refused(Promise.resolve({ ...ran, stderr: ran.stderr.replace(`${folder}/`, '') }), sentence);
    expect(existsSync(at('none'))).toBe(false);
  });

  it('that is missing, or a folder, is refused', async () => {
    await refused(
      lyrebird('train', images, '--out', at('none'), '--config', at('x.json')),
      /no file or folder ".*x\.json"/,
    );
    await refused(
      lyrebird('train', images, '--out', at('none'), '--config', folder),
      /is a folder, but a file is needed/,
    );
  });

  it('with one kind of augmentation has no other', async () => {
    const out = unused();
    const file = put(at('gain.json'), { ...TINY, steps: 1, augment: { gain: 3 } });
    expect(await lyrebird('train', images, '--out', out, '--config', file)).toMatchObject({ exitCode: 0 });
    expect(json(out, 'config.json')).toMatchObject({ augment: { gain: 3, timeShift: 0, background: 0, cutout: 0 } });
    const misspelt = put(at('misspelt.json'), { augment: { gian: 3 } });
    await refused(
      lyrebird('train', images, '--out', at('none'), '--config', misspelt),
      /"augment" .*unknown field "gian"\. The fields are timeShift, frequencyShift, gain,/,
    );
  });

  it('sets the size, which its widths then fit', async () => {
    const out = unused();
    const file = put(at('size.json'), { size: 64, steps: 1, batch: 2 });
    expect(await lyrebird('train', images, '--out', out, '--config', file)).toMatchObject({ exitCode: 0 });
    expect(json(out, 'config.json')).toMatchObject({ size: 64, generatorWidths: [64, 64, 32, 16, 8] });
  });
});

it.each([
  [['--size', '33'], 2, /Give 32, 64, 128, 256/],
  [['--size', 'big'], 2, /Give 32, 64, 128, 256/],
  [['--steps', '-4'], 2, /Give a whole number above 0/],
  [['--preset', 'huge'], 2, /Allowed choices are small, reference, medium, paper/],
  [['--preset', 'paper', '--size', '64'], 1, /The preset paper has a size of its own, 256: leave out --size/],
  [['--batch', '5000'], 1, /"batch" \(5000\): must be at most 4096/],
  [['--learning-rate', '7'], 1, /"learningRateG" \(7\): must be at most 1/],
])('%j are refused', async (options, exitCode, sentence) => {
  await refused(lyrebird('train', images, '--out', at('none'), ...options), sentence, exitCode);
});

it('what the adapter cannot hold is refused at once', async () => {
  const wide = { size: 256, base: 64, latent: 4096, generatorWidths: [4096, 8, 8] };
  const running = lyrebird('train', images, '--out', unused(), '--config', put(at('wide.json'), wide));
  await refused(
    running,
    /^lyrebird: A tensor of \d+ MiB was asked for, but the adapter .* (binds|makes buffers of) at most \d+ MiB/m,
  );
});

describe('a place for the run', () => {
  it.each([
    ['that is a file', () => put(at('file'), 'x'), /file" is a file, or lies below one: name a folder/],
    ['in the data set', () => path.join(dataset, 'run'), /lies in the data set, ".*dataset": choose another --out/],
    [
      'with a config.json of another program',
      () => path.dirname(put(at('other/config.json'), { name: 'other' })),
      /config\.json" is not of this program, and would be overwritten: choose another --out/,
    ],
  ])('%s is refused', async (_what, out, sentence) => {
    await refused(train(dataset, out()), sentence);
    if (existsSync(at('other'))) expect(readFileSync(at('other/config.json'), 'utf8')).toBe('{"name":"other"}');
  });
});

describe('a folder of pictures', () => {
  it('of any size and colour is trained on, with the batch larger than it', async () => {
    const out = unused();
    expect(await train(images, out, '--batch', '9')).toMatchObject({ exitCode: 0 });
    expect(await readCheckpoint(out)).toMatchObject({ classes: ['blue', 'red'], step: 6 });
  });

  it('goes on without those that cannot be read, and says which', async () => {
    const dir = await pictures(at('damaged'), ['blue', 'red'], 5);
    for (const file of ['blue/0.png', 'red/0.png']) put(path.join(dir, file), 'no picture');
    put(path.join(dir, 'red/9.png'), '');
    mkdirSync(path.join(dir, 'red/folder.png'));
    mkdirSync(path.join(dir, 'green'));
    symlinkSync('/nowhere', path.join(dir, 'yellow'));
    const { exitCode, stderr } = await train(dir);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/all is done, but 4 images could not be read \(see above\)\.\n$/);
    expect(stderr).toMatch(
      /left out: red\/0\.png: cannot be read as an image \(.*\)\. Replace the file or remove it\.\n/,
    );
    expect(stderr).toMatch(/left out: red\/9\.png: cannot be read as an image/);
    expect(stderr).toMatch(/left out: red\/folder\.png: .*is a folder/);
    expect(stderr).toContain('note: "green" is left out: there are no pictures in it.');
    expect(stderr).toContain('note: The pictures are in colour, and are trained on in grey'); // by the first that can be read
  });

  it('that lies flat, has none, or whose class has none that can be read is refused', async () => {
    const flat = path.dirname(put(at('flat/a.png'), ''));
    await refused(
      train(flat),
      /is no data set: it holds no dataset\.json, no labels\.csv, and no folders with pictures/,
    );
    await refused(train(at('birds')), /is no data set.*'lyrebird prepare' makes a data set/);
    await refused(train(at('nowhere')), /There is no file or folder/);
    const dir = await pictures(at('unreadable'), ['blue']);
    put(path.join(dir, 'red/0.png'), 'no picture');
    await refused(
      train(dir),
      /holds no images of "red" to train on \(1 of its images cannot be read\): add some, or take the class out/,
    );
  });
});

describe('a data set', () => {
  type Index = { classes: string[]; complete: boolean; images: { file: string; label: string; split: string }[] };
  const set = (change: (index: Index) => unknown): string => {
    const dir = unused();
    const index = json<Index>(dataset, 'dataset.json');
    const changed = change(index);
    put(path.join(dir, 'dataset.json'), typeof changed === 'string' ? changed : index);
    for (const { file } of json<Index>(dataset, 'dataset.json').images) {
      put(path.join(dir, file), readFileSync(path.join(dataset, file)));
    }
    return dir;
  };

  it.each<[string, (index: Index) => unknown, RegExp]>([
    ['cut off', (index) => JSON.stringify(index).slice(0, 300), /dataset\.json" is not valid JSON/],
    ['without a field', (index) => Object.assign(index, { images: undefined }), /"images" \(missing\): must be a list/],
    [
      'with a strange label',
      (index) => Object.assign(index.images[0]!, { label: 'x' }),
      /"x"\) is not one of its classes/,
    ],
    ['with a class twice', (index) => index.classes.push('wren'), /must not name a class twice/],
    ['with a class of nothing', (index) => index.classes.push('emu'), /holds no images of "emu" to train on/],
    [
      'with a class only to test',
      ({ images }) => images.map((image) => image.label === 'wren' && Object.assign(image, { split: 'test' })),
      /holds no images of "wren" to train on/,
    ],
    [
      'whose images are not there',
      ({ images }) => images.map((image) => Object.assign(image, { file: 'gone.png' })),
      /holds no images of .* to train on \(\d+ of its images cannot be read\): add some/,
    ],
  ])('%s is refused', async (_what, change, sentence) => {
    await refused(train(set(change)), sentence);
  });

  it('is trained on without the images that cannot be read, which are named and counted', async () => {
    const dir = set((index) => Object.assign(index.images[0]!, { file: 'gone.png' }));
    put(path.join(dir, json<Index>(dir, 'dataset.json').images[1]!.file), 'no picture any more');
    const { exitCode, stderr } = await train(dir);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/left out: gone\.png: There is no file/);
    expect(stderr).toMatch(/left out: .*\.png: cannot be read as an image/);
    expect(stderr).toMatch(/left out in all: 2 of \d+ images cannot be read\. Preparing the data set again/);
  });

  it('gives the size of its images', async () => {
    const large = at('large');
    await lyrebird('prepare', at('birds'), '--out', large, '--size', '64', '--hop', '2');
    const out = unused();
    const file = put(at('short.json'), { steps: 1, batch: 2, generatorWidths: [8, 6, 4, 4], base: 8 });
    expect(await lyrebird('train', large, '--out', out, '--config', file)).toMatchObject({ exitCode: 0 });
    expect(json(out, 'config.json')).toMatchObject({ size: 64 });
  });

  it('is not the folder of a run, but lies in it', async () => {
    const run = path.dirname(set(() => undefined));
    mkdirSync(at('run/samples'), { recursive: true });
    put(at('run/dataset/dataset.json'), readFileSync(path.join(dataset, 'dataset.json')));
    await refused(train(path.join(run, 'run')), /is the folder of a run: its data set is ".*run\/dataset"/);
  });
});

describe('a run that goes on', () => {
  it('after ^C loses no step and does none twice', async () => {
    const out = unused();
    const log = path.join(out, 'log.jsonl');
    pressWhen(() => existsSync(log) && loggedSteps(out).length > 2);
    const stopped = await train(images, out, '--steps', '100000');
    expect(stopped.exitCode).toBe(130);
    const { step } = await readCheckpoint(out);
    expect(stopped.stdout).toContain(
      `${out}: stopped after ${step} of 100000 steps; the same command goes on from ${out}`,
    );
    expect(loggedSteps(out)).toEqual(upTo(step));
    const more = await train(images, out, '--steps', `${step + 3}`);
    expect(more).toMatchObject({ exitCode: 0 });
    expect(more.stderr).toContain(`going on from ${out}/checkpoints/step-`);
    expect(loggedSteps(out)).toEqual(upTo(step + 3));
  });

  it.skipIf(!isBuilt())('after a kill begins at its last checkpoint', async () => {
    const out = unused();
    const args = [program, 'train', images, '--out', out, '--config', config, '--steps', '100000'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', resolve));
    while (!(await latestCheckpoint(out)) || loggedSteps(out).length < 5) {
      expect(child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill('SIGKILL');
    await ended;
    const last = readLog(path.join(out, 'log.jsonl')).reduce((most, { step = 0 }) => Math.max(most, step), 0);
    expect(await train(images, out, '--steps', `${last + 2}`)).toMatchObject({ exitCode: 0 });
    expect(loggedSteps(out)).toEqual(upTo(last + 2));
  });

  it('without files for TensorBoard leaves none', async () => {
    const out = unused();
    expect(await train(images, out, '--no-tensorboard')).toMatchObject({ exitCode: 0 });
    expect(existsSync(path.join(out, 'tensorboard'))).toBe(false);
  });

  it('with fewer steps than it has made says so, and changes nothing', async () => {
    const out = unused();
    await train(images, out);
    const log = readFileSync(path.join(out, 'log.jsonl'), 'utf8');
    const { exitCode, stdout } = await train(images, out, '--steps', '4');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('6 steps (4 were asked for; it had made more before)');
    expect(readFileSync(path.join(out, 'log.jsonl'), 'utf8')).toBe(log);
    expect(json(out, 'config.json')).toMatchObject({ steps: 6 });
  });

  it('on other images, or other classes, is refused', async () => {
    const dir = await pictures(at('growing'), ['blue', 'red']);
    const out = unused();
    await train(dir, out);
    await refused(
      train(dataset, out),
      /holds a run on other classes: blue, red\. Those of the data set are robin, wren/,
    );
    await pictures(dir, ['blue', 'red'], 6);
    await refused(train(dir, out), /was trained on other images than those which ".*growing" holds now/);
    await refused(train(dir, out, '--seed', '9'), /holds a run with other settings: seed 1 \(asked for: 9\)/);
  });

  it('from a damaged checkpoint says which one is left', async () => {
    const out = unused();
    await train(images, out);
    const newest = (await latestCheckpoint(out))!;
    const whole = readFileSync(newest);
    put(newest, whole.subarray(0, whole.length / 2));
    await refused(
      train(images, out),
      /cut short.*move it away: the one before it, ".*step-000004\.safetensors", is used then/,
    );
    rmSync(newest);
    const { exitCode } = await train(images, out);
    expect(exitCode).toBe(0);
    expect(readFileSync(newest).equals(whole)).toBe(true);
    expect(loggedSteps(out)).toEqual(upTo(6));
  });
});

describe('a place that can no longer be written', () => {
  it('for samples: the step before is saved, and it is said', async () => {
    const out = unused();
    put(path.join(out, 'samples/step-000003.png/file'), 'in a folder where a file is needed');
    const { exitCode, stderr } = await train(images, out);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/step-000003\.png" is a folder.* Step 3 is saved: ".*step-000003\.safetensors"\./);
    rmSync(path.join(out, 'samples'), { recursive: true });
    expect(await train(images, out)).toMatchObject({ exitCode: 0 });
    expect(loggedSteps(out)).toEqual(upTo(6));
    expect(readdirSync(path.join(out, 'samples'))).toEqual(['step-000006.png']);
  });

  it('for checkpoints: the last one is kept, and it is said', async () => {
    const out = unused();
    const [checkpoints, aside] = [path.join(out, 'checkpoints'), path.join(out, 'aside')];
    const timer = setInterval(() => {
      if (!existsSync(path.join(checkpoints, 'step-000002.safetensors'))) return;
      clearInterval(timer);
      renameSync(checkpoints, aside);
      put(checkpoints, 'a file where a folder is needed');
    }, 2);
    const { exitCode, stderr } = await train(images, out, '--steps', '100000');
    expect(exitCode).toBe(1);
    const [, step] =
      /Part of ".*checkpoints.*" is a file.* Step (\d+) is saved: ".*\.safetensors"\./.exec(stderr) ?? [];
    rmSync(checkpoints);
    renameSync(aside, checkpoints);
    expect((await readCheckpoint(out)).step).toBe(Number(step));
    expect(await train(images, out, '--steps', `${Number(step) + 3}`)).toMatchObject({ exitCode: 0 });
    expect(loggedSteps(out)).toEqual(upTo(Number(step) + 3));
  });
});
