/** evaluation.json, and the report's section of it. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Comparison, type Evaluation, type Measure, readEvaluation } from '../../src/io/evaluation.js';
import { evaluationSection } from '../../src/io/report/evaluation.js';
import { temporaryFolder } from '../temporary.js';

const comparison = (value: number): Comparison => {
  const measure = { value, interval: [value - 0.1, value + 0.1] as const };
  const [frechet, kernel, precision, recall, density, coverage] = Array<Measure>(6).fill(measure);
  return {
    reference: 40,
    compared: 12,
    frechet: frechet!,
    kernel: kernel!,
    precision: precision!,
    recall: recall!,
    density: density!,
    coverage: coverage!,
  };
};

const near = (value: number): Measure => ({ value, interval: [value - 0.05, value + 0.05] });

function evaluation(changes: Partial<Evaluation> = {}): Evaluation {
  const group = {
    generated: comparison(31.26),
    generatedFew: comparison(3),
    heldOut: comparison(2),
    halves: comparison(1),
  };
  const accuracy = { overall: near(0.4), perClass: [near(0.3), { reason: 'there are none' }] };
  const distances = { generated: [1, 2, 3], heldOut: [2, 4] };
  return {
    format: 'lyrebird-evaluation/1',
    checkpoint: 'step-000100.safetensors',
    step: 100,
    weights: 'ema',
    seed: 1,
    k: 5,
    classes: ['wren', '<robin> & co'],
    counts: { training: [30, 10], heldOut: [6, 6], generated: [30, 10] },
    features: { dimensions: 64, trainedOn: 34, validatedOn: 6 },
    notes: ['There is little to go by.'],
    overall: group,
    perClass: [group, { generated: { ...comparison(9), recall: { reason: 'too few' } }, halves: comparison(1) }],
    accuracy: { chance: 0.5, real: accuracy, ganTrain: accuracy, ganTest: accuracy },
    neighbours: { features: { nearer: near(0.4), ...distances }, pixels: { nearer: near(0.3), ...distances } },
    ...changes,
  };
}

const textOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

const section = (changes: Partial<Evaluation> = {}, steps = 100): string =>
  evaluationSection({ numbers: evaluation(changes), sheet: new Uint8Array([1, 2, 3]) }, steps).html;

describe('the section', () => {
  it('has every number with its interval, beside those of real pictures', () => {
    const text = textOf(section());
    expect(text).toContain('Fréchet distance How far apart');
    expect(text).toMatch(
      /0 is best\. 31\.3 31\.2 to 31\.4 3\.00 2\.90 to 3\.10 2\.00 1\.90 to 2\.10 1\.00 0\.900 to 1\.10/,
    );
    expect(text).toContain('There is little to go by.');
    expect(text).toContain('Always naming the commonest class would get 0.500');
    expect(text).not.toMatch(/NaN|undefined|This is of step/);
  });

  it('leaves out what there is not, and says why', () => {
    const { generated, halves } = evaluation().overall;
    const none = { reason: 'there are no held-out images' };
    const neighbours = {
      features: { nearer: none, generated: [1, 2], heldOut: [] },
      pixels: { nearer: none, generated: [1, 2], heldOut: [] },
    };
    const text = textOf(section({ overall: { generated, halves }, neighbours }));
    expect(text).not.toContain('Held-out real 12 pictures');
    expect(text).toContain('unknown (there are no held-out images)');
    expect(text).not.toContain('copying.');
  });

  it('speaks of copies only where features and pixels agree', () => {
    const told = (features: number, pixels: number): string => {
      const { neighbours } = evaluation();
      return textOf(
        section({
          neighbours: {
            features: { ...neighbours.features, nearer: near(features) },
            pixels: { ...neighbours.pixels, nearer: near(pixels) },
          },
        }),
      );
    };
    expect(told(0.9, 0.8)).toContain('nearer to training pictures than new recordings do');
    expect(told(0.9, 0.5)).toContain('The two ways of measuring disagree');
    expect(told(0.3, 0.3)).toContain('There is no sign of copying.');
  });

  it('says that it is of another step', () => {
    expect(textOf(section({}, 200))).toMatch(
      /This is of step 100; the rest of this report is of step 200\. Evaluate the run again/,
    );
  });

  it('escapes labels and refers to nothing outside', () => {
    const html = section();
    expect(html).toContain('&lt;robin&gt; &amp; co');
    expect(html).toContain('src="data:image/png;base64,AQID"');
    expect(html).not.toMatch(/https?:|<script|<robin/);
    for (const tag of ['table', 'tr', 'td', 'th', 'details', 'figure', 'p', 'small', 'section']) {
      const count = (pattern: RegExp): number => html.match(pattern)?.length ?? 0;
      expect(count(new RegExp(`<${tag}[ >]`, 'g')), tag).toBe(count(new RegExp(`</${tag}>`, 'g')));
    }
  });
});

describe('the file', () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'evaluation.json');

  it('is read as it was written', async () => {
    await writeFile(file, JSON.stringify(evaluation()));
    expect(await readEvaluation(file)).toEqual(evaluation());
  });

  it.each([
    ['no JSON', '{"format"'],
    ['another format', JSON.stringify({ ...evaluation(), format: 'lyrebird-evaluation/0' })],
    ['a number that is none', JSON.stringify({ ...evaluation(), step: Number.NaN })],
  ])('that is %s is a sentence', async (_what, text) => {
    await writeFile(file, text);
    await expect(readEvaluation(file)).rejects.toThrow(/is damaged, or of another version: evaluate the run again\.$/);
  });
});
