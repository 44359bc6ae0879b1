import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LineChart, lineChart, movingAverage, niceStep, type Point, thin } from '../../src/io/chart.js';

const plain: Omit<LineChart, 'series'> = { description: 'A chart', xLabel: 'step', yLabel: 'loss' };
const draw = (points: readonly Point[], options: Partial<LineChart> = {}) =>
  lineChart({ ...plain, series: [{ name: 'one', points }], ...options }).html;

/** The points of the (first) line that is not raw, in pixels. */
function drawn(svg: string): [number, number][] {
  const path = /class="line" d="([^"]*)"/.exec(svg)![1]!;
  return [...path.matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

describe('lineChart', () => {
  it('puts points where their axes say', () => {
    const svg = draw([
      [0, 0],
      [50, 2],
      [100, 4],
    ]);
    // Left, right, bottom and top of the plot, and its middle.
    expect(drawn(svg)).toEqual([
      [58, 272],
      [401, 143],
      [744, 14],
    ]);
    expect(texts(svg)).toEqual(['0', '1', '2', '3', '4', 'loss', '0', '20', '40', '60', '80', '100', 'step']);
  });

  it('leaves room for long ticks beside the name of their axis', () => {
    const left = (value: number) =>
      Number(
        /class="gridline" x1="(\d+)"/.exec(
          draw([
            [0, 0],
            [1, value],
          ]),
        )![1],
      );
    expect([4, 0.002].map(left)).toEqual([58, 70]);
  });

  it('keeps a given range, and a reference line within the range it chooses', () => {
    const svg = draw([[1, 0.25]], { yRange: [0, 1], reference: { value: 0.5, label: 'coin <toss>' } });
    expect(svg).toContain('y1="143" y2="143"');
    expect(svg).toContain('coin &lt;toss&gt;');
    expect(texts(draw([[1, 3]], { reference: { value: 9, label: 'nine' } }))).toContain('9');
  });

  it('leaves gaps where a value is not finite', () => {
    const svg = draw([
      [0, 1],
      [1, 2],
      [2, Number.NaN],
      [3, 3],
      [4, Number.POSITIVE_INFINITY],
      [5, 1],
    ]);
    expect(/class="line" d="([^"]*)"/.exec(svg)![1]!.match(/M/g)).toHaveLength(3);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('draws a point without neighbours as a dot that can be seen', () => {
    const dots = (points: readonly Point[]) => /class="dots" d="([^"]*)"/.exec(draw(points))![1];
    expect(dots([[1, 3]])).toBe('M401 143h0');
    const between: Point[] = [0, 1, 2, 3, 4].map((x) => [x, x % 2 ? Number.NaN : 1]);
    expect(dots(between)!.match(/M[\d.]+ [\d.]+h0/g)).toHaveLength(3);
    expect(dots(between.map(([x]) => [x, 1]))).toBe('');
  });

  it('draws the raw line behind a moving average, unless told not to', () => {
    const points = Array.from({ length: 40 }, (_, i): Point => [i, i % 2]);
    expect(draw(points)).toContain('class="raw"');
    expect(draw(points, { smooth: false })).not.toContain('class="raw"');
    expect(draw(points.slice(0, 5))).not.toContain('class="raw"');
  });

  it('has a legend for several series only, and names itself to those who cannot see it', () => {
    const series = ['D & co', 'G'].map((name) => ({ name, points: [[0, 1]] as const }));
    const svg = lineChart({ ...plain, series, description: 'Losses "of" both' }).html;
    expect(svg).toContain('role="img" aria-label="Losses &quot;of&quot; both"');
    expect(svg).toContain('</svg>D &amp; co</li>');
    expect(draw([[0, 1]])).not.toContain('legend');
  });

  it('draws any numbers within its frame', () => {
    const value = fc.oneof(fc.float(), fc.constantFrom(0, 1, 1e-12, -5, Number.NaN));
    const line = fc.array(fc.tuple(fc.nat(100_000), value), { maxLength: 60 });
    fc.assert(
      fc.property(line, fc.boolean(), (points, smooth) => {
        const sorted = [...points].sort(([a], [b]) => a - b);
        const svg = draw(sorted, { smooth });
        expect(svg).not.toMatch(/NaN|Infinity/);
        for (const [x, y] of drawn(svg)) {
          expect(x).toBeGreaterThanOrEqual(58);
          expect(x).toBeLessThanOrEqual(744);
          expect(y).toBeGreaterThanOrEqual(14);
          expect(y).toBeLessThanOrEqual(272);
        }
        expect(texts(svg).length).toBeLessThan(30);
      }),
      { numRuns: 300 },
    );
  });
});

describe('movingAverage', () => {
  it('keeps a constant, and gaps', () => {
    const points = Array.from({ length: 100 }, (_, i): Point => [i, i === 50 ? Number.NaN : 3]);
    const smooth = movingAverage(points);
    expect(smooth.map(([x]) => x)).toEqual(points.map(([x]) => x));
    expect(smooth[50]![1]).toBeNaN();
    expect(smooth.filter((_, i) => i !== 50).every(([, y]) => Math.abs(y - 3) < 1e-12)).toBe(true);
  });

  it('is the mean over a twentieth on both sides', () => {
    const points = Array.from({ length: 80 }, (_, i): Point => [i, i === 40 ? 5 : 0]);
    expect(movingAverage(points).flatMap(([x, y]) => (y > 1e-9 ? [[x, y]] : []))).toEqual(
      [38, 39, 40, 41, 42].map((x) => [x, 1]),
    );
  });
});

describe('thin', () => {
  it('keeps the extremes and the order of long lines, and short lines as they are', () => {
    const points = Array.from({ length: 10_000 }, (_, i): Point => [i, Math.sin(i) + (i === 7777 ? 9 : 0)]);
    const few = thin(points, 100);
    expect(few.length).toBeLessThanOrEqual(200);
    expect(few).toContainEqual(points[7777]);
    expect(few.every(([x], i) => i === 0 || x >= few[i - 1]![0])).toBe(true);
    expect(thin(points.slice(0, 200), 100)).toEqual(points.slice(0, 200));
  });

  it('keeps a stretch of gaps', () => {
    const points = Array.from({ length: 1000 }, (_, i): Point => [i, i < 500 ? 1 : Number.NaN]);
    expect(thin(points, 10).some(([, y]) => Number.isNaN(y))).toBe(true);
  });
});

describe('niceStep', () => {
  it('is 1, 2 or 5 times a power of ten and makes four to ten steps', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (range) => {
        const step = niceStep(range);
        expect(['1', '2', '5']).toContain(step.toExponential(0)[0]);
        expect(range / step).toBeGreaterThan(3.999);
        expect(range / step).toBeLessThan(10.001);
      }),
    );
  });
});
