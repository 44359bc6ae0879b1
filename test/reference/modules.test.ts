import { describe, expect, it } from 'vitest';
import { type Array64, make, sizeOf } from '../../src/reference/array.js';
import { cbam } from '../../src/reference/attention.js';
import { dynamicConv2d } from '../../src/reference/dynamicConv2d.js';
import { discriminator, discriminatorLoss, generator, generatorLoss } from '../../src/reference/networks.js';
import type { State } from '../../src/reference/state.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Parameters of a batch norm that adds `bias` and does nothing else in evaluation. */
function batchNormState(name: string, channels: number, bias = 0): State {
  const filled = (value: number): Array64 => make([channels], Array<number>(channels).fill(value));
  return {
    [`${name}.weight`]: filled(1),
    [`${name}.bias`]: filled(bias),
    [`${name}.running_mean`]: filled(0),
    [`${name}.running_var`]: filled(1 - 1e-5),
  };
}

describe('cbam', () => {
  const state = (spatial: number[]): State => ({
    'mlp1.weight': make([1, 2], [1, 0]),
    'mlp1.bias': make([1], [-1]),
    'mlp2.weight': make([2, 1], [0, 1]),
    'mlp2.bias': make([2], [0.25, 0]),
    'spatial.weight': make([1, 2, 7, 7], spatial),
    ...batchNormState('spatial_bn', 1, 0.5),
  });
  const centre = 3 * 7 + 3;
  const x = make([1, 2, 1, 2], [1, 3, 5, -1]);
  // Channel 0 has mean 2 and peak 3: the hidden unit is relu(2 - 1) = 1 and relu(3 - 1) = 2.
  const gates = [sigmoid(0.5), sigmoid(3)];

  it('gates channels by the mean and the peak', () => {
    const { y } = cbam([x], state(Array<number>(98).fill(0)), { training: false });
    x.data.forEach((value, i) => {
      expect(y.data[i]).toBeCloseTo(value * gates[i < 2 ? 0 : 1] * sigmoid(0.5), 12);
    });
  });

  it('gates places by the largest channel first, then the mean of channels', () => {
    const spatial = Array<number>(98).fill(0);
    spatial[centre] = 1;
    spatial[49 + centre] = 0.1;
    const { y } = cbam([x], state(spatial), { training: false });
    const [a, b] = [1 * gates[0], 5 * gates[1]];
    const gate = sigmoid(Math.max(a, b) + (0.1 * (a + b)) / 2 + 0.5);
    expect(y.data[0]).toBeCloseTo(a * gate, 12);
    expect(y.data[2]).toBeCloseTo(b * gate, 12);
  });

  it('updates the running statistics with momentum 0.01 in training only', () => {
    const spatial = Array<number>(98).fill(0);
    spatial[centre] = 1;
    const peaks = [5 * gates[1], 3 * gates[0]];
    const outputs = cbam([x], state(spatial), { training: true });
    expect(outputs['after.spatial_bn.running_mean'].data[0]).toBeCloseTo((0.01 * (peaks[0] + peaks[1])) / 2, 12);
    expect(Object.keys(cbam([x], state(spatial), { training: false }))).toEqual(['y']);
  });

  it('names an entry that is missing', () => {
    expect(() => cbam([x], {}, { training: false })).toThrow('the state has no mlp1.weight');
  });
});

describe('dynamicConv2d', () => {
  const scalar = (value: number) => make([1, 1], [value]);
  const kernel = (value: number) => make([1, 1, 1, 1], [value]);

  it('adds the scaled convolution and the mixed latent channels', () => {
    const state: State = {
      'squeeze.weight': scalar(0.5),
      'gate.weight': scalar(1),
      'phi.weight': scalar(0.25),
      'scale.weight': scalar(-1),
      'conv.weight': kernel(7),
      'q.weight': kernel(3),
      'p.weight': kernel(0.5),
      ...batchNormState('bn_q', 1, 1),
      ...batchNormState('bn_phi', 1, -2),
    };
    // Pool 2; squeeze 1; gate scaled_hard_sigmoid(1) = 4/3; s = scaled_hard_sigmoid(-4/3) = 5/9; Phi = 1/3.
    const x = make([1, 1, 1, 2], [1, 3]);
    const { y } = dynamicConv2d([x], state, { stride: 1, padding: 0, pool: 1, training: false });
    x.data.forEach((value, i) => {
      const latent = 3 * value + 1;
      expect(y.data[i]).toBeCloseTo((5 / 9) * 7 * value + 0.5 * (latent / 3 - 2 + latent), 12);
    });
  });
});

describe('generator', () => {
  const image = Array<number>(9).fill(0);
  image[4] = 1;
  const state: State = {
    'embed.weight': make([2, 1], [3, 5]),
    'fc.weight': make([1, 1], [0.1]),
    'fc.bias': make([1], [0.25]),
    'to_image.weight': make([1, 1, 3, 3], image),
    'to_image.bias': make([1], [0.5]),
  };

  it('conditions the latent vector on the label', () => {
    const inputs = [make([2, 1], [2, 2]), make([2], [1, 0])];
    const outputs = generator(inputs, state, { base: 1, widths: [1], training: true });
    expect(outputs).toEqual({ image: make([2, 1, 1, 1], [Math.tanh(1.75), Math.tanh(1.35)]) });
  });

  it('doubles the side in each block, around a skip connection', () => {
    const zeros = (...shape: number[]) => make(shape);
    const block: State = {
      'blocks.0.conv1.weight': zeros(1, 1, 3, 3),
      ...batchNormState('blocks.0.bn1', 1),
      'blocks.0.conv2.weight': zeros(1, 1, 3, 3),
      ...batchNormState('blocks.0.bn2', 1, 4),
      'blocks.0.cbam.mlp1.weight': zeros(1, 1),
      'blocks.0.cbam.mlp1.bias': zeros(1),
      'blocks.0.cbam.mlp2.weight': zeros(1, 1),
      'blocks.0.cbam.mlp2.bias': zeros(1),
      'blocks.0.cbam.spatial.weight': zeros(1, 2, 7, 7),
      ...batchNormState('blocks.0.cbam.spatial_bn', 1),
      'blocks.0.up.weight': make([1, 1, 4, 4], Array<number>(16).fill(0.25)),
      ...batchNormState('blocks.0.bn3', 1, -0.25),
    };
    // The branch gives 4 * sigmoid(0)^2 = 1 and the skip connection -9 * 5 * 0.1 + 0.25; their sum is below zero.
    const inputs = [make([1, 1], [-9]), make([1], [1])];
    const attrs = { base: 1, widths: [1, 1], training: false };
    const { image: y } = generator(inputs, { ...state, ...block }, attrs);
    const sum = 0.2 * (1 + (-45 * 0.1 + 0.25));
    const side = 0.2 * (0.25 * sum - 0.25);
    expect(y.shape).toEqual([1, 1, 2, 2]);
    for (const value of y.data) expect(value).toBeCloseTo(Math.tanh(side + 0.5), 12);
  });
});

describe('discriminator', () => {
  // Every kernel has one element and every head one column: the normalised weights are known after one iteration.
  // The element is in the centre, in the last convolution to the right of it.
  const kernel = (value: number, position: number) => make([1, 1, 3, 3], new Float64Array(9).with(position, value));
  const state: State = {
    ...Object.fromEntries(
      [2, 3, 4, 5].flatMap((value, i) => [
        [`convs.${i}.layer.weight`, kernel(value, i < 3 ? 4 : 5)],
        [`convs.${i}.layer.bias`, make([1], [i])],
        [`convs.${i}.u`, make([1], [1])],
        [`convs.${i}.v`, make([9], Array<number>(9).fill(1 / 3))],
      ]),
    ),
    'adversarial.layer.weight': make([1, 1], [5]),
    'adversarial.layer.bias': make([1], [-10]),
    'adversarial.u': make([1], [1]),
    'adversarial.v': make([1], [1]),
    'classifier.layer.weight': make([2, 1], [3, 4]),
    'classifier.layer.bias': make([2], [0, 1]),
    'classifier.u': make([2], [1, 0]),
    'classifier.v': make([1], [1]),
  };
  // Of strides 1, 2, 2, 2, the last convolution reads column 1 of what has every fourth column of x.
  const x = make([1, 1, 8, 8], new Float64Array(64).fill(100).with(4, -5));

  it('normalises every weight and halves the image three times', () => {
    const outputs = discriminator([x], state, { training: true });
    // -5 * 0.2, + 1 -> 0, + 2, + 3
    const feature = 5;
    expect(outputs.adversarial.shape).toEqual([1]);
    expect(outputs.adversarial.data[0]).toBeCloseTo(feature - 10, 12);
    expect(outputs.classes.shape).toEqual([1, 2]);
    expect(outputs.classes.data[0]).toBeCloseTo(0.6 * feature, 12);
    expect(outputs.classes.data[1]).toBeCloseTo(0.8 * feature + 1, 12);
    expect(outputs['after.classifier.u'].data[1]).toBeCloseTo(0.8, 12);
    expect(outputs['after.convs.3.v'].data[5]).toBeCloseTo(1, 12);
    expect(Object.keys(outputs)).toHaveLength(2 + 12);
  });

  it('takes u and v as they are in evaluation', () => {
    const outputs = discriminator([x], state, { training: false });
    // sigma is a third of each kernel's element: every layer multiplies by 3.
    const feature = ((-5 * 3 * 0.2 * 3 + 1) * 0.2 * 3 + 2) * 0.2 * 3 + 3;
    expect(outputs.adversarial.data[0]).toBeCloseTo(feature - 10, 12);
    expect(outputs.classes.data[0]).toBeCloseTo(feature, 12);
    expect(Object.keys(outputs)).toEqual(['adversarial', 'classes']);
  });
});

describe('losses', () => {
  const classes = make([2, 4]);
  const labels = make([2], [0, 3]);
  const real = make([2], [Math.log(3), -3]);
  const fake = make([2], [-0.5, -Math.log(3)]);

  it('of the discriminator', () => {
    const inputs = [real, classes, labels, fake, classes, labels];
    const softplus = (t: number) => Math.log(1 + Math.exp(t));
    const source = (Math.log(4 / 3) + softplus(3)) / 2 + (softplus(-0.5) + Math.log(4 / 3)) / 2;
    expect(discriminatorLoss(inputs).loss.data[0]).toBeCloseTo(source + 2 * Math.log(4), 12);
    const hinge = (0 + 4) / 2 + (0.5 + 0) / 2;
    const { loss } = discriminatorLoss(inputs, { adversarial: 'hinge', classOnFakes: false });
    expect(loss.data[0]).toBeCloseTo(hinge + Math.log(4), 12);
    expect(sizeOf(loss.shape)).toBe(1);
  });

  it('of the generator', () => {
    const inputs = [make([2], [-Math.log(3), 0]), classes, labels];
    expect(generatorLoss(inputs).loss.data[0]).toBeCloseTo((Math.log(4) + Math.log(2)) / 2 + Math.log(4), 12);
    expect(generatorLoss(inputs, { adversarial: 'hinge' }).loss.data[0]).toBeCloseTo(
      1.5 * Math.log(3) - Math.log(3) + Math.log(4),
      12,
    );
  });
});
