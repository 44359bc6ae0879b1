/** What an experiment plans: presets, folds, mixes. */
import { describe, expect, it } from 'vitest';
import { checkExperiment, classifierConfig, EXPERIMENTS, REAL_ONLY } from '../../src/classify/experiment/config.js';
import { chosenOf, describeMix, generatedFor, takenOf } from '../../src/classify/experiment/mixes.js';
import { foldDataset, planRounds, testedBy } from '../../src/classify/experiment/plan.js';
import type { Dataset } from '../../src/data/read.js';

const mix = (changes: object) => ({ ...REAL_ONLY, ...changes });

describe.each(EXPERIMENTS)('the preset %s', (preset) => {
  const config = checkExperiment({}, preset, 'the test');

  it('has the three networks, ordinary and dynamic, and real images alone as the first mix', () => {
    const at = (network: (typeof config.networks)[number]) =>
      classifierConfig(config, { network, dynamic: true, augment: ['gain'], epochs: 7, fold: 2, seed: 3 }, 'the test');
    expect(config.networks.map((network) => at(network).network)).toEqual(['mobilenet_v2', 'resnet18', 'vgg16']);
    expect(at(config.networks[1]!)).toMatchObject({ epochs: 7, fold: 2, seed: 3, dynamic: true, keepBack: 0 });
    expect(at(config.networks[1]!).augment.gain).toBeGreaterThan(0);
    expect(config.dynamic).toEqual([false, true]);
    expect(config.mixes[0]).toEqual(REAL_ONLY);
  });

  it('plans each member a folder of its own', () => {
    const rounds = planRounds('out', config, [1, 2, 3]);
    const folders = rounds.flatMap((round) => [round.folder, ...round.classifiers.map(({ folder }) => folder)]);
    expect(folders).toHaveLength(3 * config.seeds.length * (1 + 6 * config.mixes.length));
    expect(new Set(folders).size).toBe(folders.length);
  });
});

it('real images alone are the first mix, whether they are named or not', () => {
  const generated = { name: 'g', synthetic: 2 };
  const names = (mixes: object[]) => checkExperiment({ mixes }, 'small', 'the test').mixes.map(({ name }) => name);
  expect(names([generated])).toEqual(['real only', 'g']);
  expect(names([generated, { name: 'bare' }])).toEqual(['bare', 'g']);
});

describe('a mix', () => {
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1);

  it('takes so many of each class, or as many as it lacks', () => {
    expect(takenOf({ synthetic: 3 }, [5, 9])).toEqual([3, 3]);
    expect(takenOf({ synthetic: 'balance' }, [5, 9])).toEqual([4, 0]);
    expect(generatedFor([mix({ synthetic: 'balance' }), mix({ synthetic: 1, candidates: 3 })], [5, 9])).toEqual([4, 3]);
  });

  it('takes the first, or those that a network is surest of among its candidates', () => {
    expect(chosenOf(labels, mix({ synthetic: 2 }), [5, 5])).toEqual([0, 1, 4, 5]);
    const sureness = [0.1, 0.9, 0.5, 1, 0.2, 0.3, 0.4, 0];
    const probabilities = Float64Array.from(sureness.flatMap((p, i) => (i < 4 ? [p, 1 - p] : [1 - p, p])));
    const chosen = (candidates: number) => chosenOf(labels, mix({ synthetic: 1, candidates }), [5, 5], probabilities);
    expect(chosen(3)).toEqual([1, 6]);
    expect(chosen(4)).toEqual([3, 6]);
  });

  it('is told in words', () => {
    expect(describeMix(mix({ synthetic: 2, candidates: 3, augment: ['gain'] }))).toMatch(
      /^the training recordings, 2 generated images of each class, those of 3 times as many .*, changed by gain$/,
    );
  });
});

describe('folds', () => {
  const images = Array.from({ length: 24 }, (_, i) => {
    const label = i < 12 ? 'a' : 'b';
    const recording = `${label}${Math.floor(i / 3)}`;
    return { file: `${i}.png`, label, recording, source: `${recording}.wav`, split: 'train' as const };
  });
  const dataset: Dataset = { dir: 'data', classes: ['a', 'b'], images, notes: [] };

  it('are made of whole recordings, and each image tests once', () => {
    const folded = foldDataset(dataset, { folds: 2, tested: null });
    expect(folded).toMatchObject({ folds: [1, 2], own: false });
    const tests = folded.folds.map((fold) => testedBy(folded, fold).images.filter(({ split }) => split === 'test'));
    expect(tests.map((part) => part.length)).toEqual([12, 12]);
    expect(new Set(tests.flat().map(({ file }) => file)).size).toBe(24);
    const [first, second] = tests.map((part) => new Set(part.map(({ recording }) => recording)));
    expect([...first!].filter((recording) => second!.has(recording))).toEqual([]);
  });

  it("are the data set's own where it has them", () => {
    const own = { ...dataset, images: images.map((image, i) => ({ ...image, fold: 1 + (Math.floor(i / 3) % 4) })) };
    expect(foldDataset(own, { folds: 2, tested: [3, 1] })).toMatchObject({ folds: [3, 1], own: true });
    expect(() => foldDataset(own, { folds: 2, tested: [7] })).toThrow(
      /"tested" names fold 7, but the folds .* 1, 2, 3, 4/,
    );
  });

  it('leave out what would test with each of them', () => {
    const own = images.map((image, i) =>
      i < 3 ? { ...image, split: 'test' as const } : { ...image, ...(i < 21 && { fold: 1 + (Math.floor(i / 3) % 2) }) },
    );
    const folded = foldDataset({ ...dataset, images: own }, { folds: 2, tested: null });
    expect(folded.notes).toEqual([expect.stringMatching(/^3 test images of no fold are left out/)]);
    const tests = folded.folds.flatMap((fold) =>
      testedBy(folded, fold).images.flatMap(({ file, split }) => (split === 'test' ? [file] : [])),
    );
    const once = own.slice(3, 21).map(({ file }) => file);
    expect(tests.sort()).toEqual(once.sort());
    // What is of no fold and trains, trains with each.
    expect(folded.dataset.images).toHaveLength(21);
  });
});
