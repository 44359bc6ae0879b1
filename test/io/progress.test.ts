import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMeter,
  createProgress,
  formatBar,
  formatDuration,
  formatLine,
  formatRate,
  formatSummary,
  formatValue,
} from '../../src/io/progress.js';

/** A stream that keeps what is written to it. */
function recorder(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 80 }), text: () => text };
}

const state = { title: 'train', unit: 'steps', total: 800, done: 120, fields: { D: 5.1234, G: 2.9 }, rate: 3.09 };

describe('formatting', () => {
  it('puts everything on one line', () => {
    expect(formatLine(state)).toBe('train 120/800  3.1 steps/s  3 min 40 s left  D 5.12  G 2.90');
    expect(formatLine({ ...state, rate: undefined, fields: {} })).toBe('train 120/800');
    expect(formatSummary({ ...state, done: 800, seconds: 258 })).toBe('train 800/800  took 4 min 18 s  D 5.12  G 2.90');
  });

  it('draws a bar as wide as fits, and none where it would not', () => {
    expect(formatBar({ ...state, rate: undefined, fields: {} }, 29)).toBe('train █░░░░░░░░░░░░  120/800');
    expect(formatBar({ ...state, rate: undefined, fields: {} }, 200)).toContain(`${'█'.repeat(4)}${'░'.repeat(26)}`);
    expect(formatBar(state, 60)).toBe(formatLine(state));
    expect(formatBar({ ...state, done: 900, fields: {}, rate: undefined }, 200)).toContain('█'.repeat(30));
    expect(formatBar({ ...state, total: 0, done: 0, fields: {}, rate: undefined }, 200)).toContain('█'.repeat(30));
  });

  it('never draws a bar wider than the terminal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(1000), fc.nat(1000), (width, done, total) => {
        const bar = formatBar({ ...state, done, total }, width);
        if (/[█░]/.test(bar)) expect(bar.length).toBeLessThanOrEqual(width);
      }),
    );
  });

  it.each([
    [0, '0.0 s'],
    [0.44, '0.4 s'],
    [9.96, '10 s'],
    [59.6, '1 min 00 s'],
    [220, '3 min 40 s'],
    [3599.7, '1 h 00 min'],
    [7500, '2 h 05 min'],
    [86399, '1 d 0 h'],
    [3 * 86400 + 4 * 3600, '3 d 4 h'],
    [Number.POSITIVE_INFINITY, 'unknown time'],
  ])('says %f seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [3.14, '3.1 steps/s'],
    [125.4, '125 steps/s'],
    [0.999, '1.0 steps/s'],
    [0.2, '5.0 s/step'],
    [1 / 42, '42 s/step'],
  ])('says a rate of %f as %s', (rate, text) => {
    expect(formatRate(rate, 'steps')).toBe(text);
  });

  it.each([
    [5.1234, '5.12'],
    [0.00123456, '0.00123'],
    [1234.56, '1235'],
    [999.7, '1000'],
    [-0.5, '-0.500'],
    [7, '7'],
    [Number.NaN, 'NaN'],
    ['llvmpipe', 'llvmpipe'],
  ])('shows %s as %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });
});

describe('createMeter', () => {
  it('measures over the last half minute', () => {
    const meter = createMeter(0, 0);
    expect(meter(1000, 100)).toBe(100);
    for (let second = 2; second <= 120; second++) meter(second * 1000, 100 + second);
    expect(meter(121_000, 221)).toBeCloseTo(1, 5);
  });

  it('counts from where a resumed task begins', () => {
    expect(createMeter(0, 400)(2000, 410)).toBe(5);
  });

  it('works with steps that take longer than its window', () => {
    const meter = createMeter(0, 0);
    meter(60_000, 1);
    meter(120_000, 2);
    expect(meter(180_000, 3)).toBeCloseTo(1 / 60, 10);
  });

  it('does not know a rate without time or progress', () => {
    expect(createMeter(5, 0)(5, 3)).toBeUndefined();
    expect(createMeter(0, 3)(1000, 3)).toBeUndefined();
  });

  it('is exact for a steady pace, however often it is asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 300 }), (period, updates) => {
        const meter = createMeter(0, 0);
        let rate: number | undefined;
        for (let i = 1; i <= updates; i++) rate = meter(i * period, i);
        expect(rate).toBeCloseTo(1000 / period, 8);
      }),
    );
  });
});

describe('createProgress', () => {
  it('prints a plain line every few seconds, notes at once, and a last line', () => {
    const { stream, text } = recorder(false);
    let time = 0;
    const progress = createProgress({ title: 'train', total: 100, stream, interval: 3000, now: () => time });
    for (let step = 1; step <= 100; step++) {
      time += 100;
      progress.update(step, { D: 6 - step / 100 });
      if (step === 50) progress.note('wrote samples/50.png');
    }
    progress.stop();
    expect(text()).toBe(
      [
        'train 30/100  10 steps/s  7.0 s left  D 5.70',
        'wrote samples/50.png',
        'train 60/100  10 steps/s  4.0 s left  D 5.40',
        'train 90/100  10 steps/s  1.0 s left  D 5.10',
        'train 100/100  took 10 s  D 5',
        '',
      ].join('\n'),
    );
  });

  it('prints fewer lines the longer it takes, but one a minute', () => {
    const { stream, text } = recorder(false);
    let time = 0;
    const progress = createProgress({ title: 'train', total: 36_000, stream, now: () => time });
    for (let second = 1; second <= 36_000; second++) {
      time = 1000 * second;
      progress.update(second);
    }
    const steps = [...text().matchAll(/train (\d+)\//g)].map(([, step]) => Number(step));
    expect(steps.slice(0, 3)).toEqual([5, 10, 15]);
    expect(steps.at(-1)! - steps.at(-2)!).toBe(60);
    expect(steps.length).toBeLessThan(700);
  });

  it('draws a bar on a terminal, keeps notes above it, and clears it for the last line', () => {
    const { stream, text } = recorder(true);
    const progress = createProgress({ title: 'train', total: 10, stream, now: () => 0 });
    progress.update(5);
    progress.note('a note');
    progress.stop();
    expect(text()).toContain('train ░');
    expect(text()).toMatch(/train █+░+ {2}5\/10/);
    expect(text()).toContain('a note\n');
    expect(text().endsWith('train 5/10  took 0.0 s\n')).toBe(true);
    // Nothing of the terminal is left changed: wrapping off (7l) or the cursor hidden (25l).
    expect(text()).not.toMatch(/\[\?(7|25)l/);
  });
});
