/** lyrebird experiment: tiny classifiers on tiny mixes; stopped, it goes on; what fails is a line; what is wrong is named. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClassifierResults, ClassifierRun } from '../../src/classify/run.js';
import { UserError } from '../../src/io/errors.js';
import type { Experiment } from '../../src/io/experiment.js';
import { temporaryFolder } from '../temporary.js';
import { highAndLow } from '../train/tiny.js';
import { lyrebird } from './console.js';
import { json, pressWhen, put, TINY } from './fixtures.js';

/** A classifier with cutout diverges. */
vi.mock(import('../../src/classify/run.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    runClassifier: async (run: ClassifierRun) => {
      if (run.config.augment.cutout > 0)
        throw new UserError('Training a classifier diverged: at step 2 it is no number.');
      return real.runClassifier(run);
    },
  };
});

/** Whether a classifier's checkpoint is there when it is written down that it is done. */
const still = vi.hoisted((): boolean[] => []);
vi.mock(import('../../src/classify/experiment/member.js'), async (original) => {
  const real = await original();
  const writeMember: typeof real.writeMember = (folder, asked, record) => {
    if (record.result) still.push(existsSync(path.join(folder, 'checkpoint.safetensors')));
    return real.writeMember(folder, asked, record);
  };
  return { ...real, writeMember };
});

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const out = at('out');
const SETTINGS = {
  dataset: 'images',
  folds: 2,
  steps: 4,
  gan: { ...TINY, steps: 4, sampleEvery: 4 },
  classifier: { batch: 5 },
  networks: [{ name: 'ResNet18', settings: { network: 'resnet18', width: 0.07 } }],
  dynamic: [false],
  mixes: [
    { name: 'more', synthetic: 2 },
    { name: 'surest', synthetic: 1, candidates: 2 },
    { name: 'generated', real: false, synthetic: 3 },
    { name: 'broken', augment: ['cutout'] },
  ],
};
const config = put(at('config.json'), SETTINGS);
const experiment = (...options: string[]) => lyrebird('experiment', config, '--out', out, ...options);
const found = () => json<Experiment>(out, 'experiment.json');
const member = (mix: string, fold: number) =>
  path.join(out, 'classifiers/ResNet18', mix, `fold-${fold}/seed-1/member.json`);

beforeAll(() => highAndLow(folder));

it('estimated only, says how long it takes and leaves no results', async () => {
  const { exitCode, stdout } = await experiment('--estimate');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /2 generators and 10 classifiers to train: about .* and .* on disk \(a step: generator \d+ ms/,
  );
  expect(existsSync(path.join(out, 'report.html'))).toBe(false);
});

it('stopped by ^C leaves the tables of what is done', async () => {
  pressWhen(() => existsSync(member('real only', 1)));
  const { exitCode, stdout } = await experiment();
  expect(exitCode).toBe(130);
  expect(stdout).toMatch(/out: stopped; the same command goes on\n$/);
  expect(existsSync(member('more', 2))).toBe(false);
  expect(found()).toMatchObject({ complete: false });
});

describe('given again', () => {
  let before: number;
  let ran: Awaited<ReturnType<typeof lyrebird>>;
  const arm = (name: string) => found().arms.find(({ mix }) => mix === name)!;

  beforeAll(async () => {
    before = statSync(member('real only', 1)).mtimeMs;
    ran = await experiment();
  });

  it('makes the rest, and nothing twice', () => {
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).not.toMatch(/ResNet18, real only, fold 1, seed 1: /);
    expect(ran.stderr).toMatch(/12 of 12: ResNet18, broken, fold 2, seed 1: failed: Training a classifier diverged/);
    expect(statSync(member('real only', 1)).mtimeMs).toBe(before);
    expect(found()).toMatchObject({ complete: true, folds: [1, 2], images: 20, recordings: 20, chance: 0.5 });
  });

  it('has means and deviations over folds, and gains over real images alone on all recordings', () => {
    const [base, more] = [arm('real only'), arm('more')];
    expect(base.gain).toBeUndefined();
    for (const { spread, members } of [base, more]) {
      const [first, second] = members.map(({ accuracy }) => accuracy!);
      expect(spread.accuracy!.mean).toBeCloseTo((first! + second!) / 2, 12);
      expect(spread.accuracy!.deviation).toBeCloseTo(Math.abs(first! - second!) / Math.SQRT2, 12);
    }
    expect(more.gain).toMatchObject({ recordings: 20, windows: 20 });
    expect(more.gain!.mean).toBeCloseTo(more.spread.accuracy!.mean - base.spread.accuracy!.mean, 12);
  });

  it('says of what diverged why, and goes on', () => {
    const { members, spread, gain } = arm('broken');
    expect(members.map(({ failed }) => failed)).toEqual(Array(2).fill(expect.stringContaining('diverged: at step 2')));
    expect([spread, gain]).toEqual([{}, undefined]);
  });

  it('trains on what the mixes say, for as many updates', () => {
    const results = (mix: string) =>
      json<{ counts: object; epochs: { step: number }[] }>(path.dirname(member(mix, 1)), 'results.json');
    expect(results('real only').counts).toMatchObject({ training: [5, 5], extra: [0, 0], test: [5, 5] });
    expect(results('more').counts).toMatchObject({ training: [5, 5], extra: [2, 2] });
    expect(results('surest').counts).toMatchObject({ training: [5, 5], extra: [1, 1] });
    expect(results('generated').counts).toMatchObject({ training: [0, 0], extra: [3, 3] });
    expect(['real only', 'generated'].map((mix) => results(mix).epochs.at(-1)!.step)).toEqual([4, 4]);
  });

  it('warms up for as many updates, whatever is trained on', () => {
    const updates = ['real only', 'more', 'surest', 'generated'].map((mix) => {
      const { config: made, epochs } = json<Pick<ClassifierResults, 'config' | 'epochs'>>(
        path.dirname(member(mix, 1)),
        'results.json',
      );
      return made.warmUp * epochs[0]!.step;
    });
    expect(updates.map((count) => count.toFixed(6))).toEqual(Array(4).fill('2.000000'));
  });

  it('writes a page, CSV, and sentences', () => {
    const page = readFileSync(path.join(out, 'report.html'), 'utf8');
    expect(page).toMatch(/Generated images help|No gain of generated images/);
    expect(page).toContain('Training a classifier diverged');
    expect(page).toContain('10.1016/j.ecoinf.2023.102250');
    expect(page).not.toMatch(/NaN|undefined/);
    const lines = readFileSync(path.join(out, 'experiment.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[5]).toMatch(/^ResNet18,false,broken,2,2,,,/);
    const text = readFileSync(path.join(out, 'experiment.md'), 'utf8');
    expect(text).toMatch(/^\| ResNet18 \| [\d.]+ ± [\d.]+ \| ([\d.]+ ± [\d.]+; [+−][\d.]+( [▲▼])? \| ){3}failed \|$/m);
    expect(text).not.toMatch(/NaN|undefined/);
    expect(ran.stdout).toMatch(/ResNet18 +more +[\d.]+ ± [\d.]+ /);
  });

  it('keeps the models and the newest checkpoint of each generator', () => {
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('safetensors'),
    );
    expect(files.filter((file) => file.endsWith('model.safetensors'))).toHaveLength(8);
    expect(files.filter((file) => file.includes('checkpoint')).map((file) => path.basename(file))).toEqual(
      Array(2).fill('step-000004.safetensors'),
    );
  });

  it('keeps the checkpoint of a classifier until it is done', () => {
    expect(still).toEqual(Array(8).fill(true));
  });

  it('does nothing where all is done; makes a mix that is added; with other settings is refused', async () => {
    const again = await experiment();
    expect(again).toMatchObject({ exitCode: 0, stdout: ran.stdout });
    expect(again.stderr).not.toMatch(/estimate|to train/);
    const added = { ...SETTINGS, mixes: [...SETTINGS.mixes, { name: 'filled', synthetic: 'balance' }] };
    const more = await lyrebird('experiment', put(at('more.json'), added), '--out', out);
    expect(more.stderr).toMatch(/2 classifiers to train/);
    expect(found().arms).toHaveLength(6);
    const gan = Object.fromEntries(Object.entries(SETTINGS.gan).reverse());
    const turned = await lyrebird(
      'experiment',
      put(at('turned.json'), { ...SETTINGS, gan }),
      '--out',
      out,
      '--estimate',
    );
    expect(turned).toMatchObject({ exitCode: 0, stdout: 'All is done.\n' });
    const other = await lyrebird('experiment', put(at('other.json'), { ...SETTINGS, steps: 9 }), '--out', out);
    expect(other).toMatchObject({ exitCode: 1, stdout: '' });
    expect(other.stderr).toMatch(/holds an experiment with other settings: steps 4 \(asked for: 9\)/);
  });
});

it('goes on without images that cannot be read, and says which', async () => {
  cpSync(at('images'), at('torn'), { recursive: true });
  put(at('torn/low/torn.png'), 'no picture');
  const mixes = [{ name: 'broken', augment: ['cutout'] }];
  const file = put(at('torn.json'), { ...SETTINGS, dataset: 'torn', mixes, tested: [2] });
  const { exitCode, stdout, stderr } = await lyrebird('experiment', file, '--out', at('without'));
  expect(exitCode).toBe(3);
  // It counts what tested, and where no mix differs by generated images nothing is said of them.
  const { result } = json<{ result: { tally: object[] } }>(
    at('without/classifiers/ResNet18/real only/fold-2/seed-1/member.json'),
  );
  const { length } = result.tally;
  expect(json(at('without/experiment.json'))).toMatchObject({ folds: [2], images: length, recordings: length });
  expect(stdout).toMatch(/^Of generated images nothing is said: no mix differs by them alone\.$/m);
  expect(stderr).toMatch(/^left out: low\/torn\.png: cannot be read.*all is done, but 1 image could not be read/ms);
});

it('says what is wrong with the data set', async () => {
  cpSync(at('images'), at('uneven'), { recursive: true });
  cpSync(at('images/low', readdirSync(at('images/low'))[0]!), at('uneven/rare/one.png'));
  const file = put(at('uneven.json'), { ...SETTINGS, dataset: 'uneven' });
  const { stderr } = await lyrebird('experiment', file, '--out', at('estimated'), '--estimate');
  expect(stderr).toMatch(/^note: "rare" has a single picture/m);
});

it.each([
  ['no data set', { folds: 2 }, /"dataset" \(missing\): must be a data set's folder/],
  ['an unknown field', { colour: 1 }, /unknown field "colour"\. The fields are folds, tested/],
  ['a wrong value', { steps: 0 }, /"steps" \(0\): must be at least 1/],
  ['another preset', { preset: 'huge' }, /"preset" \("huge"\): must be small or full/],
  ['nothing to train on', { mixes: [{ name: 'a', real: false }] }, /"mixes\.0\.synthetic".*above 0 if "real" is false/],
  [
    'a wrong field of a network',
    { networks: [{ name: 'a', settings: { depth: 9 } }] },
    /network "a": unknown field "depth"/,
  ],
  [
    'what is shared',
    { networks: [{ name: 'a', settings: { size: 64 } }] },
    /network "a" sets "size", which the experiment sets itself: give "size" beside it/,
  ],
  ['epochs', { classifier: { epochs: 3 } }, /"classifier" sets "epochs", .*: give "steps" beside it instead/],
  ['patience', { classifier: { patience: 3 } }, /"classifier" sets "patience", .* itself: leave it out\./],
  ['a wrong field of a generator', { gan: { batch: 0 } }, /"gan": "batch" \(0\): must be at least 1/],
  [
    'the name of the mix that is added',
    { mixes: [{ name: 'Real only', synthetic: 5 }] },
    /two of "mixes" are called "Real only"/,
  ],
  [
    'the name of a dynamic network',
    { networks: ['A', 'A dynamic'].map((name) => ({ name, settings: {} })) },
    /two of "networks" are called "A dynamic"/,
  ],
  ['a name twice', { mixes: [1, 2].map((synthetic) => ({ name: 'a', synthetic })) }, /two of "mixes" are called "a"/],
  ['too many folds', { folds: 50 }, /ask for 10 at most/],
  ['a fold that is not there', { folds: 2, tested: [3] }, /"tested" names fold 3, but the folds .* are 1, 2/],
])('a config with %s is refused', async (what, fields, sentence) => {
  const file = put(at('bad.json'), { ...(what === 'no data set' ? {} : { dataset: 'images' }), ...fields });
  const ran = await lyrebird('experiment', file, '--out', at('none'));
  expect(ran.stderr).toMatch(sentence);
  expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
  expect(existsSync(at('none'))).toBe(false);
});
