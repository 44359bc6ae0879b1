import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decimalTicks, type LogChart, logChart, logChartPng } from '../../src/io/logChart.js';

const chart: LogChart = {
  title: 'Times <of> steps',
  subtitle: 'here',
  yLabel: 'ms',
  panels: [
    {
      title: 'one',
      xLabel: 'batch',
      series: [
        {
          name: 'measured',
          style: 'measured',
          points: [
            [1, 10],
            [10, 100],
            [100, 1000],
          ],
        },
        {
          name: 'other',
          style: 'dashed',
          points: [
            [1, 20],
            [100, 20],
          ],
        },
      ],
    },
  ],
};

const path = (svg: string, style: string): [number, number][] =>
  [...new RegExp(`class="${style}" d="([^"]*)"`).exec(svg)![1]!.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map(
    ([, x, y]) => [Number(x), Number(y)] as [number, number],
  );

describe('logChart', () => {
  const { html } = logChart(chart);

  it('draws equal factors as equal distances', () => {
    const [a, b, c] = path(html, 'measured') as [[number, number], [number, number], [number, number]];
    expect(c[0] - b[0]).toBeCloseTo(b[0] - a[0], 0);
    expect(c[1] - b[1]).toBeCloseTo(b[1] - a[1], 0);
    expect(b[1]).toBeLessThan(a[1]);
    const [left, right] = path(html, 'dashed') as [[number, number], [number, number]];
    expect(left[1]).toBe(right[1]);
    expect([left[0], right[0]]).toEqual([a[0], c[0]]);
  });

  it('escapes, names its series, and has a tick at each measured x', () => {
    const texts = [...html.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(texts).toEqual(expect.arrayContaining(['Times &lt;of&gt; steps', 'here', 'measured', 'other', '1', '100']));
    expect(html.match(/<circle/g)).toHaveLength(3);
  });

  it('is a picture as large as its SVG says', async () => {
    const { width, height } = await sharp(await logChartPng(chart)).metadata();
    const [, w, h] = /width="(\d+)" height="(\d+)"/.exec(html)!.map(Number);
    expect([width, height]).toEqual([w! * 1.5, h! * 1.5]);
  });

  it('needs points', () => {
    expect(() => logChart({ ...chart, panels: [] })).toThrow('there are no points');
  });
});

describe('decimalTicks', () => {
  it('are 1, 2 and 5, or powers alone', () => {
    expect(decimalTicks([3, 120])).toEqual([5, 10, 20, 50, 100]);
    expect(decimalTicks([0.9, 2e6])).toEqual([1, 10, 100, 1000, 10_000, 100_000, 1e6]);
  });

  it('lie within the range', () => {
    const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        for (const tick of decimalTicks([low, high])) {
          expect(tick).toBeGreaterThanOrEqual(low);
          expect(tick).toBeLessThanOrEqual(high);
        }
      }),
    );
  });
});

it('is wide enough for its texts where there is one panel', () => {
  const widthOf = (title: string): number => Number(/width="(\d+)"/.exec(logChart({ ...chart, title }).html)![1]);
  expect(widthOf('Times')).toBe(400);
  expect(widthOf('A training step of DR-ACGAN against batch, image size and width')).toBeGreaterThan(620);
});
