import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant, cosine, linear, type Schedule, warmUp } from '../../src/optim/schedule.js';

const rate = fc.double({ min: 1e-8, max: 10, noNaN: true });
const steps = fc.integer({ min: 1, max: 10_000 });
const decays: readonly (readonly [string, (start: number, end: number, steps: number) => Schedule])[] = [
  ['linear', linear],
  ['cosine', cosine],
];

describe.each(decays)('%s', (_name, schedule) => {
  it('begins at the start, ends at the end and stays there', () => {
    fc.assert(
      fc.property(rate, rate, steps, fc.nat(), (start, end, count, later) => {
        const lr = schedule(start, end, count);
        expect(lr(0)).toBe(start);
        expect(lr(count)).toBe(end);
        expect(lr(count + later)).toBe(end);
      }),
    );
  });

  it('never leaves the way between the two, and never turns', () => {
    fc.assert(
      fc.property(rate, rate, steps, fc.nat(), (start, end, count, at) => {
        const lr = schedule(start, end, count);
        const [before, after] = [lr(at % count), lr((at % count) + 1)];
        const slack = 1e-12 * Math.max(start, end);
        expect((after - before) * Math.sign(end - start)).toBeGreaterThanOrEqual(-slack);
        expect(before).toBeGreaterThanOrEqual(Math.min(start, end) - slack);
        expect(before).toBeLessThanOrEqual(Math.max(start, end) + slack);
      }),
    );
  });

  it('is half way at half the steps', () => {
    fc.assert(
      fc.property(rate, rate, steps, (start, end, half) => {
        expect(schedule(start, end, 2 * half)(half) / ((start + end) / 2)).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe('linear and cosine', () => {
  it('go their ways', () => {
    expect([0, 1, 2, 3, 4].map(linear(4, 0, 4))).toEqual([4, 3, 2, 1, 0]);
    expect(cosine(1, 0, 3)(1)).toBeCloseTo(0.75, 12);
    expect(linear(5, 1, 0)(0)).toBe(1);
  });
});

describe('constant', () => {
  it('is the same at every step', () => {
    fc.assert(fc.property(rate, fc.nat(), (lr, step) => constant(lr)(step) === lr));
  });
});

describe('warmUp', () => {
  it('rises to where the schedule begins, then follows it', () => {
    fc.assert(
      fc.property(rate, steps, steps, fc.nat(), (start, rising, count, at) => {
        const inner = cosine(start, 0, count);
        const lr = warmUp(rising, inner);
        const step = at % rising;
        expect(lr(step)).toBeGreaterThan(0);
        expect(lr(step + 1)).toBeGreaterThan(lr(step));
        expect(lr(rising)).toBe(start);
        expect(lr(rising + at)).toBe(inner(at));
      }),
    );
    expect([0, 1, 2, 3, 4].map(warmUp(3, constant(4)))).toEqual([1, 2, 3, 4, 4]);
    expect(warmUp(0, constant(2))(0)).toBe(2);
  });

  it('refuses what is no number of steps', () => {
    expect(() => warmUp(-1, constant(1))).toThrow('-1 is no number of steps');
    expect(() => linear(1, 0, 1.5)).toThrow('1.5 is no number of steps');
  });
});
