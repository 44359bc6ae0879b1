import { describe, expect, it } from 'vitest';
import { panelsOf, scalarsOf } from '../../src/io/scalars.js';

describe('scalarsOf', () => {
  it('groups the numbers of a record', () => {
    const record = { step: 3, lossD: 1, accReal: 0.5, gradientNormG: 2, seconds: 9, adapter: 'x', loss: 'NaN' };
    expect(scalarsOf(record)).toEqual({
      'losses/lossD': 1,
      'realism/accReal': 0.5,
      'gradientNorm/gradientNormG': 2,
      'costs/seconds': 9,
      'losses/loss': Number.NaN,
    });
  });

  it('finds numbers within', () => {
    expect(scalarsOf({ step: 1, validation: { loss: 2, accuracy: 0.5 }, list: [1] })).toEqual({
      'losses/validation.loss': 2,
      'accuracy/validation.accuracy': 0.5,
    });
    expect(scalarsOf({ step: 1, sigma: { 'convs.0': 2 } })).toEqual({ 'sigma/sigma.convs.0': 2 });
  });
});

describe('panelsOf', () => {
  it('puts into one chart what belongs together, known groups first, each with its points in order', () => {
    const panels = panelsOf([
      { step: 1, gradientNormG: 0.2, gradientNormD: 0.1, lossG: 3, lossD: 4 },
      { step: 2, lossG: 2, lossD: 'NaN' },
      { step: 2, heldOutAccuracy: 0.25, gpuBytes: 12 },
      { adapter: 'x', lossD: 1 },
    ]);
    expect(panels.map(({ key, title }) => [key, title])).toEqual([
      ['losses', 'Losses'],
      ['accuracy', 'Classes named right'],
      ['gradientNorm', 'Gradient norm'],
    ]);
    expect(panels[0]!.series.map(({ name, points }) => [name, points])).toEqual([
      [
        'discriminator',
        [
          [1, 4],
          [2, Number.NaN],
        ],
      ],
      [
        'generator',
        [
          [1, 3],
          [2, 2],
        ],
      ],
    ]);
    expect(panels[2]!.series.map(({ name }) => name)).toEqual(['discriminator', 'generator']);
  });

  it('takes the later of two numbers for a step', () => {
    const [panel] = panelsOf([
      { step: 2, lossD: 1 },
      { step: 1, lossD: 5 },
      { step: 2, lossD: 3 },
    ]);
    expect(panel!.series[0]!.points).toEqual([
      [1, 5],
      [2, 3],
    ]);
  });

  it('puts what lies in one object into one chart', () => {
    const [panel, ...others] = panelsOf([{ step: 1, sigma: { 'convs.0': 1, 'convs.1': 2 } }]);
    expect(others).toEqual([]);
    expect([panel!.key, ...panel!.series.map(({ name }) => name)]).toEqual(['sigma', 'convs.0', 'convs.1']);
  });

  it('of nothing are none', () => {
    expect(panelsOf([{ step: 1, adapter: 'x' }])).toEqual([]);
  });
});
