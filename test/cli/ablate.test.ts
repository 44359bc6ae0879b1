/** lyrebird ablate: variants of a tiny training, measured and compared; stopped, it goes on; what fails is a line. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Ablation, measureNames } from '../../src/io/ablation.js';
import { UserError } from '../../src/io/errors.js';
import { grayPng } from '../../src/io/image.js';
import { LOCK_NAME } from '../../src/io/lock.js';
import { uniform } from '../../src/reference/random.js';
import { configure, VARIANTS, variantsFor } from '../../src/train/ablation/variants.js';
import { checkConfig, presetConfig } from '../../src/train/config.js';
import type { TrainOptions } from '../../src/train/trainer.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pressWhen, put, TINY } from './fixtures.js';

/** A variant of this latent length diverges. */
const BROKEN = 5;

vi.mock(import('../../src/train/trainer.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    trainGan: async (options: TrainOptions) => {
      if (options.config.latent === BROKEN) throw new UserError('Training diverged: at step 3 a loss is no number.');
      return real.trainGan(options);
    },
  };
});

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const data = at('data');
const out = at('out');
const config = put(at('tiny.json'), { ...TINY, steps: 4, sampleEvery: 4 });
const variants = put(at('variants.json'), [
  { name: 'hinge', what: 'hinge loss', overrides: { adversarial: 'hinge' } },
  { name: 'broken', overrides: { latent: BROKEN } },
]);
const ablate = (...options: string[]) =>
  lyrebird('ablate', data, '--out', out, '--config', config, '--variants', variants, '--k', '2', ...options);
const table = () => json<Ablation>(out, 'ablation.json');
const result = (variant: string, seed: number) => path.join(out, 'runs', variant, `seed-${seed}`, 'result.json');

beforeAll(async () => {
  const noise = uniform(1, 0, 2 * 8 * 1024);
  for (const [k, label] of ['high', 'low'].entries()) {
    for (let i = 0; i < 8; i++) {
      const level = (pixel: number) => 100 * noise[(8 * k + i) * 1024 + pixel]! + (pixel < 512 === (k === 0) ? 120 : 0);
      put(
        path.join(data, label, `${i}.png`),
        await grayPng(
          Uint8Array.from({ length: 1024 }, (_, p) => level(p)),
          32,
          32,
        ),
      );
    }
  }
  put(path.join(data, 'low', '7.png'), 'no picture');
});

it('stopped by ^C leaves the tables of what is done', async () => {
  pressWhen(() => existsSync(result('base', 1)));
  const { exitCode, stderr } = await ablate('--seeds', '2');
  expect(exitCode).toBe(130);
  expect(stderr).toMatch(/6 runs to make: about .* \(steps of \d+ to \d+ ms/);
  expect(existsSync(result('broken', 2))).toBe(false);
  const { complete, variants: rows } = table();
  expect(complete).toBe(false);
  expect(rows.map(({ name }) => name)).toEqual(['base', 'hinge', 'broken']);
  expect(rows[0]!.runs).toHaveLength(1);
});

describe('given again', () => {
  let before: number;
  let ran: Awaited<ReturnType<typeof lyrebird>>;

  beforeAll(async () => {
    before = statSync(result('base', 1)).mtimeMs;
    ran = await ablate('--seeds', '2');
  });

  it('makes the rest, and nothing twice', () => {
    expect(ran.exitCode).toBe(3);
    expect(ran.stderr).toMatch(/left out: low\/7\.png: .*all is done, but 1 image could not be read/s);
    expect(ran.stderr).not.toMatch(/run 1 of 6/);
    expect(ran.stderr).toMatch(/run 6 of 6: broken, seed 2/);
    expect(ran.stderr).not.toMatch(/features \d/);
    expect(statSync(result('base', 1)).mtimeMs).toBe(before);
  });

  it('has means, deviations and differences of pairs', () => {
    const {
      complete,
      variants: [base, hinge],
      heldOut,
      counts,
    } = table();
    expect(complete).toBe(true);
    expect(counts).toEqual({ training: 11, heldOut: 4, generated: 11 });
    expect(heldOut.frechet).toBeGreaterThan(0);
    expect(base!.difference).toEqual({});
    for (const name of measureNames) {
      const [own, other] = [hinge!, base!].map(({ runs }) => runs.map(({ measured }) => measured![name]!));
      expect(hinge!.spread[name]!.mean).toBeCloseTo((own![0]! + own![1]!) / 2, 9);
      const { mean, interval } = hinge!.difference[name]!;
      const [first, second] = [own![0]! - other![0]!, own![1]! - other![1]!];
      expect(mean).toBeCloseTo((first + second) / 2, 9);
      // Of two differences: the deviation over the root of 2 is half of what lies between them. Equal ones have no interval.
      const reach = (12.7062 * Math.abs(first - second)) / 2;
      expect(interval ? interval[1] - mean : 0).toBeCloseTo(reach, 3);
    }
  });

  it('says of a variant that diverged why, and goes on', () => {
    const broken = table().variants[2]!;
    expect(broken.spread).toEqual({});
    expect(broken.runs.map(({ failed }) => failed)).toEqual(
      Array(2).fill(expect.stringContaining('Training diverged')),
    );
    expect(ran.stdout).toMatch(/\| broken \| failed \|/);
    expect(ran.stdout).toContain('- broken, seed 1: Training diverged: at step 3');
    expect(readFileSync(path.join(out, 'ablation.html'), 'utf8')).toContain('Seed 2 failed: Training diverged');
  });

  it('writes a page, Markdown and CSV', () => {
    const page = readFileSync(path.join(out, 'ablation.html'), 'utf8');
    expect(page.match(/data:image\/png/g)).toHaveLength(3); // training pictures, base, hinge
    expect(page).not.toMatch(/NaN|undefined/);
    expect(readFileSync(path.join(out, 'ablation.md'), 'utf8')).toMatch(/\| hinge \| [\d.]+ ± [\d.]+; [+−][\d.]+ \(/);
    const lines = readFileSync(path.join(out, 'ablation.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1 + 3 * measureNames.length);
    expect(lines[1]).toMatch(/^base,frechet,[\d.]+,[\d.]+,2,,,,,0$/);
    expect(lines.at(-1)).toBe('broken,stepMilliseconds,,,0,,,,,2');
  });

  it('keeps the newest checkpoint of each run, and one feature network', () => {
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
    const checkpoints = files.filter((file) => /checkpoints.*safetensors$/.test(file));
    expect(checkpoints).toHaveLength(4);
    expect(checkpoints.every((file) => file.endsWith('step-000004.safetensors'))).toBe(true);
    expect(files.filter((file) => file.endsWith('features.safetensors'))).toEqual(['features.safetensors']);
  });

  it('with more seeds adds them; with other settings is refused', async () => {
    const more = await ablate('--seeds', '3', '--only', 'hinge');
    expect(more).toMatchObject({ exitCode: 3 });
    expect(more.stderr).toMatch(/2 runs to make/);
    expect(table().variants.map(({ runs }) => runs.length)).toEqual([3, 3]);
    // Fields that an earlier version did not know are what their defaults say.
    const { settings, ...rest } = json<Ablation>(out, 'ablation.json');
    const { cutout: _, ...augment } = settings.augment as Record<string, number>;
    const { residual: __, ...older } = settings;
    put(path.join(out, 'ablation.json'), { ...rest, settings: { ...older, augment } });
    const same = await ablate('--seeds', '3', '--only', 'hinge');
    expect(same).toMatchObject({ exitCode: 3 });
    expect(same.stderr).not.toMatch(/to make/);
    const other = await ablate('--steps', '9');
    expect(other).toMatchObject({ exitCode: 1, stdout: '' });
    expect(other.stderr).toMatch(/holds an ablation with other settings: steps 4 \(asked for: 9\)/);
  });

  it('with a run that another process works in is refused, and leaves that as it is', async () => {
    const run = path.dirname(result('hinge', 1));
    rmSync(result('hinge', 1));
    const best = put(path.join(run, 'checkpoints', 'best.safetensors'), 'of the other process');
    const since = new Date().toISOString();
    const lock = put(path.join(run, LOCK_NAME), { pid: process.pid, host: hostname(), since });
    const ran = await ablate('--seeds', '2', '--only', 'hinge');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toMatch(/hinge.seed-1" is in use by process/);
    expect([existsSync(result('hinge', 1)), existsSync(best)]).toEqual([false, true]);
    rmSync(lock);
  });

  it('with other images in the part that tests is refused', async () => {
    const { settings, ...rest } = json<Ablation>(out, 'ablation.json');
    for (const part of ['data', 'validation', 'test']) expect(settings[part]).toMatch(/^[0-9a-f]{64}$/);
    put(path.join(out, 'ablation.json'), { ...rest, settings: { ...settings, test: 'others' } });
    const ran = await ablate('--seeds', '2', '--only', 'hinge');
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toMatch(/other settings: test "others" \(asked for: "[0-9a-f]{64}"\)/);
  });
});

describe('variants', () => {
  const base = presetConfig('small', 32);

  it('that are built in are trainings, each unlike the base', () => {
    const configs = configure(base, VARIANTS).map(({ config: of }) => JSON.stringify(of));
    expect(JSON.parse(configs[0]!)).toEqual(base);
    expect(new Set(configs).size).toBe(VARIANTS.length);
  });

  it('that are built in suit the base: none contradicts it, none is the base again', () => {
    expect(variantsFor(base)).toEqual(VARIANTS);
    const hinge = checkConfig({ ...base, adversarial: 'hinge', conditionalNorm: true }, 'the base');
    const names = variantsFor(hinge).map(({ name }) => name);
    expect(names[0]).toBe('base');
    for (const absent of ['hinge', 'smoothed', 'conditional norm']) expect(names).not.toContain(absent);
    expect(() => configure(hinge, variantsFor(hinge))).not.toThrow();
  });

  it.each([
    ['no list', {}, /"other\.json": must be a list/],
    ['an unknown field', [{ name: 'a', overrides: { colour: 1 } }], /variant "a": unknown field "colour"/],
    ['a wrong value', [{ name: 'a', overrides: { batch: 0 } }], /variant "a": "batch" \(0\): must be at least 1/],
    ['another size', [{ name: 'a', overrides: { size: 64 } }], /"a" changes "size", which all variants have to share/],
    ['a name twice', [1, 2].map((latent) => ({ name: 'a', overrides: { latent } })), /two variants called "a"/],
    ['no name', [{ overrides: {} }], /"0\.name" \(missing\): must be a text/],
  ])('with %s are refused', async (_what, list, sentence) => {
    const file = put(at('other.json'), JSON.stringify(list));
    const ran = await lyrebird('ablate', data, '--out', at('none'), '--variants', file);
    expect(ran.stderr.replace(`${folder}/`, '')).toMatch(sentence);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(existsSync(at('none'))).toBe(false);
  });

  it('that are not there are refused', async () => {
    const { exitCode, stderr } = await lyrebird('ablate', data, '--out', at('none'), '--only', 'hing');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no variant 'hing'\. There are: hinge/);
  });
});
