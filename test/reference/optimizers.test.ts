import { describe, expect, it } from 'vitest';
import { adam, adamw, optimizerState, rmsprop, sgd } from '../../src/reference/optimizers.js';

describe('optimisers', () => {
  it('adam moves by lr against the sign of a steady gradient, however large it is', () => {
    const param = Float64Array.of(1, 1);
    const state = optimizerState(2);
    for (let t = 0; t < 3; t++) adam(param, Float64Array.of(5, -0.001), state, { lr: 0.1, eps: 0 });
    expect(param[0]).toBeCloseTo(0.7, 12);
    expect(param[1]).toBeCloseTo(1.3, 12);
    expect(state.step).toBe(3);
  });

  it('adam adds eps after the correction of the squares', () => {
    const param = Float64Array.of(0);
    adam(param, Float64Array.of(2), optimizerState(1), { lr: 0.1, eps: 2 });
    expect(param[0]).toBeCloseTo(-0.05, 12);
  });

  it('adam lets decay into the gradient, adamw into the parameter', () => {
    const zero = Float64Array.of(0);
    const [coupled, decoupled] = [Float64Array.of(1), Float64Array.of(1)];
    adam(coupled, zero, optimizerState(1), { lr: 0.1, eps: 0, weightDecay: 0.5 });
    adamw(decoupled, zero, optimizerState(1), { lr: 0.1, weightDecay: 0.5 });
    expect(coupled[0]).toBeCloseTo(0.9, 12);
    expect(decoupled[0]).toBeCloseTo(0.95, 12);
  });

  it('sgd gathers momentum', () => {
    const param = Float64Array.of(1);
    const state = optimizerState(1);
    for (let t = 0; t < 2; t++) sgd(param, Float64Array.of(1), state, { lr: 0.1, momentum: 0.9 });
    expect(param[0]).toBeCloseTo(1 - 0.1 - 0.19, 12);
    sgd(param, Float64Array.of(0), optimizerState(1), { lr: 0.1, weightDecay: 0.5 });
    expect(param[0]).toBeCloseTo(0.71 * 0.95, 12);
  });

  it('rmsprop divides by the running root mean square', () => {
    const param = Float64Array.of(0);
    const state = optimizerState(1);
    rmsprop(param, Float64Array.of(3), state, { lr: 0.01, alpha: 0.75, eps: 0 });
    expect(param[0]).toBeCloseTo(-0.02, 12);
    // s = 0.75 * 9 / 4 + 9 / 4 = 63 / 16
    rmsprop(param, Float64Array.of(3), state, { lr: 0.01, alpha: 0.75, eps: 0 });
    expect(param[0]).toBeCloseTo(-0.02 - (0.03 * 4) / Math.sqrt(63), 12);
  });

  it('rmsprop gathers momentum when asked to', () => {
    const param = Float64Array.of(0);
    const state = optimizerState(1);
    for (let t = 0; t < 2; t++)
      rmsprop(param, Float64Array.of(2), state, { lr: 0.01, alpha: 0, eps: 0, momentum: 0.5 });
    expect(param[0]).toBeCloseTo(-0.01 - 0.015, 12);
  });
});
