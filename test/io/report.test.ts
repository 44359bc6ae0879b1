import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridPng } from '../../src/io/image.js';
import { bytes, count } from '../../src/io/report/format.js';
import { type ReportData, renderReport, writeReport } from '../../src/io/report.js';
import { panelsOf } from '../../src/io/scalars.js';
import { temporaryFolder } from '../temporary.js';

const png = await gridPng([new Uint8Array(16).fill(99)], { columns: 1, size: 4, background: 'transparent' });

const LOSSES = Array.from({ length: 20 }, (_, i) => ({ step: i, lossD: 6 - i / 10, lossG: 3 - i / 20 }));

function report(changes: Partial<ReportData> = {}): ReportData {
  return {
    title: 'Two birds',
    synthetic: false,
    dataset: {
      source: '/data/birds',
      classes: [
        { label: 'wren', training: 1200, heldOut: 20 },
        { label: 'robin', training: 30, heldOut: 20 },
      ],
      skipped: [{ file: 'wren/broken.mp3', reason: 'cut short' }],
      parameters: { 'window, s': 2, overlap: 0.5, wavelet: 'Morlet', mono: true, gate: null },
    },
    run: {
      steps: 800,
      batch: 16,
      size: 32,
      seed: 7,
      adapter: 'llvmpipe',
      secondsTotal: 258,
      peakGpuBytes: 3 * 2 ** 29,
      parametersG: 812_345,
      parametersD: 98_456,
      settings: { 'learning rate': 0.0002 },
      timings: [{ part: 'training', seconds: 220 }],
    },
    curves: panelsOf(LOSSES),
    samples: [],
    accuracy: {
      heldOutReal: {
        correct: 36,
        total: 40,
        confusion: [
          [19, 1],
          [3, 17],
        ],
      },
      synthetic: {
        correct: 11,
        total: 20,
        confusion: [
          [5, 5],
          [4, 6],
        ],
      },
    },
    grids: [{ label: 'wren', real: png, synthetic: png }],
    ...changes,
  };
}

/** The names of all tags in order, whatever stands between and in them; places to break a line do not count. */
const skeleton = (page: string) =>
  [...page.matchAll(/<(\/?[a-z!][a-z0-9]*)/gi)].map(([, tag]) => tag!).filter((tag) => tag !== 'wbr');

function unbalanced(page: string): string[] {
  const empty = new Set(['!doctype', 'meta', 'img', 'wbr', 'br']);
  // In SVG, `<line .../>` closes itself.
  const tags = [...page.replace(/<[a-z]+[^>]*\/>/g, '').matchAll(/<(\/?)([a-z!][a-z0-9]*)/gi)];
  const open: string[] = [];
  for (const [, slash, tag] of tags) {
    if (empty.has(tag!)) continue;
    if (!slash) open.push(tag!);
    else if (open.pop() !== tag) return [tag!];
  }
  return open;
}

const textOf = (page: string) =>
  page
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ');

describe('renderReport', () => {
  it('is one whole page that refers to nothing outside itself', () => {
    const page = renderReport(report());
    expect(unbalanced(page)).toEqual([]);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).not.toMatch(/https?:|\/\/|@import|url\(|<script|<link/);
    expect([...page.matchAll(/(?:src|href)="([^"]{0,22})/g)].map(([, target]) => target)).toEqual(
      Array(2).fill('data:image/png;base64,'),
    );
    expect(page).toContain(png.toString('base64'));
    expect(page).toContain("default-src 'none'");
  });

  it('says above chance and not above chance as the numbers have it', () => {
    const text = textOf(renderReport(report()));
    expect(text).toContain('The discriminator named 36 of 40 held-out images right');
    expect(text).toMatch(/confidence\): above chance, which is 50\.0.%\. It has learnt something/);
    expect(text).toMatch(/Synthetic images.*11 of 20.*not above chance/);
    const poor = {
      heldOutReal: {
        correct: 22,
        total: 40,
        confusion: [
          [10, 10],
          [8, 12],
        ],
      },
    };
    expect(textOf(renderReport(report({ accuracy: poor })))).toMatch(
      /not above chance, .*no evidence that anything was learnt/,
    );
  });

  it('says that nothing was measured where nothing was', () => {
    const text = textOf(renderReport(report({ accuracy: {} })));
    expect(text).toContain('There were no held-out images');
    expect(text).not.toContain('above chance');
    const empty = {
      heldOutReal: {
        correct: 0,
        total: 0,
        confusion: [
          [0, 0],
          [0, 0],
        ],
      },
    };
    expect(textOf(renderReport(report({ accuracy: empty })))).toContain('There were no held-out images');
  });

  it('tells artificial recordings from real ones at the top', () => {
    expect(renderReport(report())).not.toContain('artificial');
    const page = renderReport(report({ synthetic: true }));
    expect(page.indexOf('These recordings are artificial')).toBeLessThan(page.indexOf('class="verdict"'));
    expect(textOf(page)).toContain('Artificial recordings and synthetic pictures');
    expect(page).not.toMatch(/alt="Real/);
  });

  it('tells of a training that broke down', () => {
    const curves = panelsOf([1, 2, 3].map((step) => ({ step: step * 1000, lossD: step > 1 ? 'NaN' : 5, lossG: 3 })));
    const page = renderReport(report({ curves }));
    expect(textOf(page)).toMatch(/Training broke down at step 2.000/);
    expect(page).not.toMatch(/d="[^"]*NaN/);
    expect(textOf(renderReport(report()))).not.toContain('broke down');
  });

  it('shows data, settings, skipped files and costs', () => {
    const text = textOf(renderReport(report()));
    expect(text).toMatch(/From \/data\/birds: 1.230 images to train on and 40 held out, in 2 classes/);
    for (const piece of [
      'wren/broken.mp3cut short',
      'Left out: 1 file',
      'overlap0.5',
      'monoyes',
      'gatenone',
      'learning rate0.0002',
      'Computed onllvmpipe',
      '4 min 18 s',
      'training3 min 40 s',
      '1.50 GiB',
      'Seed7',
    ]) {
      expect(text).toContain(piece);
    }
    const { peakGpuBytes: _, ...run } = report().run;
    expect(textOf(renderReport(report({ run })))).toContain('not measured');
  });

  it('counts windows and lines of tables that were left out as what they are, a row for each recording', () => {
    const silent = [0, 1.5, 2].map((start) => ({ file: 'wren/night.wav', start, reason: 'is silent' }));
    const line = { file: 'labels.csv', line: 7, reason: 'it has no label.' };
    const dataset = { ...report().dataset, skipped: [...report().dataset.skipped, ...silent, line] };
    const text = textOf(renderReport(report({ dataset })));
    expect(text).toContain('Left out: 1 file, 3 windows, 1 line of tables');
    expect(text).toContain('labels.csv, line 7it has no label.');
    expect(text.match(/night\.wav/g)).toHaveLength(1);
    expect(text).toContain('at 0 s is silent; and 2 more windows');
  });

  it('warns of classes that nothing measures', () => {
    const classes = [
      { label: 'wren', training: 3, heldOut: 40 },
      { label: 'robin', training: 3, heldOut: 0 },
    ];
    const dataset = { ...report().dataset, classes, skipped: [] };
    const text = textOf(renderReport(report({ dataset })));
    expect(text).toContain('1 class has no held-out images');
    expect(text).toContain('Nothing was left out');
    const none = { ...dataset, classes: classes.map((each) => ({ ...each, heldOut: 0 })) };
    expect(textOf(renderReport(report({ dataset: none, accuracy: {} })))).toContain('and none held out');
  });

  it('draws how real and synthetic were told apart where that was recorded, and whatever else the log has', () => {
    expect(renderReport(report())).not.toContain('coin toss');
    const records = LOSSES.map((record) => ({ ...record, accReal: 0.7, accFake: 0.8, gradientNormD: 2 }));
    const page = renderReport(report({ curves: panelsOf(records) }));
    expect(page).toContain('coin toss');
    expect(page).toContain('<h3>Gradient norm</h3>');
    expect(textOf(page)).toContain('discriminator 5.95 to 4.15, generator 2.98 to 2.08');
  });

  it('shows how pictures grew, if there is more than one sheet', () => {
    const samples = [100, 2000].map((step) => ({ step, sheet: png }));
    expect(renderReport(report({ samples: samples.slice(1) }))).not.toContain('How the pictures grew');
    const page = renderReport(report({ samples }));
    expect(unbalanced(page)).toEqual([]);
    expect(textOf(page)).toMatch(/How the pictures grew.*Step 100 Step 2.000/);
  });

  it('does not call pictures spectrograms that it did not make', () => {
    expect(textOf(renderReport(report()))).toContain('Each small picture is the spectrogram of a moment of sound');
    const dataset = { ...report().dataset, parameters: {} };
    const text = textOf(renderReport(report({ dataset })));
    expect(text).toContain('On the left are pictures of the data set');
    expect(text).not.toContain('pitch from low');
  });

  it('does without pictures, curves, accuracies and classes', () => {
    const dataset = { classes: [], skipped: [], parameters: {} };
    const page = renderReport(report({ curves: [], grids: [], accuracy: {}, dataset }));
    expect(unbalanced(page)).toEqual([]);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('refuses confusion matrices that contradict their counts', () => {
    const heldOutReal = {
      correct: 36,
      total: 41,
      confusion: [
        [19, 1],
        [3, 17],
      ],
    };
    expect(() => renderReport(report({ accuracy: { heldOutReal } }))).toThrow(/heldOutReal: 36 of 41.*36 of 40/);
    const small = { correct: 1, total: 1, confusion: [[1]] };
    expect(() => renderReport(report({ accuracy: { synthetic: small } }))).toThrow(/not 2 rows of 2 classes/);
  });

  it('keeps its structure whatever labels, files, reasons and settings hold', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '</script>',
      '<img src=x onerror=1>',
      '-->',
      ']]>',
      '\0',
      'é',
      '_',
      '/',
    );
    const text = fc.oneof(fc.string({ unit: piece, maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 8 }));
    const withText = (each: string) =>
      renderReport(
        report({
          title: each,
          dataset: {
            source: each,
            classes: ['a', 'b'].map((suffix) => ({ label: each + suffix, training: 1, heldOut: 1 })),
            skipped: [{ file: each, reason: each }],
            parameters: { [`p${each}`]: each },
          },
          run: {
            ...report().run,
            adapter: each,
            settings: { [`s${each}`]: each },
            timings: [{ part: each, seconds: 1 }],
          },
          grids: [{ label: each, real: png, synthetic: png }],
        }),
      );
    const expected = skeleton(withText('harmless'));
    fc.assert(
      fc.property(text, (each) => {
        expect(skeleton(withText(each))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe('writeReport', () => {
  it('writes the page as UTF-8, with its folder', async () => {
    const file = path.join(temporaryFolder(), 'run', 'report.html');
    const data = report({ title: 'Zaunkönig 鳥' });
    await writeReport(file, data);
    expect(await readFile(file, 'utf8')).toBe(renderReport(data));
  });
});

describe('numbers', () => {
  it('are grouped, and bytes come in fitting units', () => {
    expect([0, 12, 1234, 1_234_567].map(count)).toEqual(['0', '12', '1\u202F234', '1\u202F234\u202F567']);
    expect([0, 1, 1023, 1024, 1536 * 2 ** 20, 2 ** 40].map(bytes)).toEqual([
      '0 bytes',
      '1 byte',
      '1\u202F023 bytes',
      '1.00 KiB',
      '1.50 GiB',
      '1.00 TiB',
    ]);
  });
});
