/** Attributes that an op has no meaning for: the error names the op, the attribute, and what it must be. */
import { expect, it } from 'vitest';
import { activationCode, slopeOf } from '../../src/ops/activation.js';
import type { InputShapes } from '../../src/ops/define.js';
import { opByName } from '../../src/ops/index.js';

const image = [[2, 4, 5, 6]];
const filters = [...image, [4, 4, 3, 3]];
const rank5 = [2, 3, 2, 3, 2];

it.each<[string, InputShapes, object, string]>([
  ['upsample_nearest', image, { scale: 1.5 }, 'scale 1.5 must be a whole number above 0; the shapes are [2, 4, 5, 6]'],
  ['upsample_nearest', image, { scale: 0 }, 'scale 0 must be'],
  ['conv2d', filters, { stride: [0, 1] }, 'stride [0,1] must be two whole numbers of at least 1'],
  ['conv2d', filters, { stride: 2 }, 'stride 2 must be two'],
  ['conv2d', filters, { padding: [-1, -1] }, 'padding [-1,-1] must be two whole numbers of at least 0'],
  ['conv2d', filters, { dilation: [1] }, 'dilation [1] must be two'],
  ['conv2d', filters, { groups: 0.5 }, 'groups 0.5 must be a whole number above 0'],
  ['conv_transpose2d', filters, { outputPadding: [0.5, 0] }, 'outputPadding [0.5,0] must be two'],
  ['sum', image, { dims: 1 }, 'dims 1 must be a list of dimensions'],
  ['max', image, { dims: [1, 4] }, 'dim 4 must be one of the 4 dimensions of x'],
  ['mean', [rank5], { dims: [1, 3] }, 'dims [1,3] must be at most 2 groups of neighbouring dimensions'],
  ['slice', image, { dim: -5, start: 0, length: 1 }, 'dim -5 must be one of the 4 dimensions of x'],
  ['slice', image, { dim: 0, start: 0.5, length: 1 }, 'dim 0, positions 0.5 to 1.5, must lie in x'],
  ['permute', image, { dims: [0, 1, 2, -2] }, 'dims [0,1,2,-2] must name each dimension of x once'],
  [
    'concat',
    [
      [2, 3],
      [2, 4],
    ],
    { dim: -2 },
    'a and b must agree in all dimensions but -2',
  ],
  ['add', [rank5, [2, 1, 2, 1, 2]], {}, 'a and b can be broadcast along at most 4 groups of neighbouring dimensions'],
])('%s of %j refuses %j', (name, shapes, attrs, message) => {
  expect(() => opByName.get(name)!.shape(shapes, attrs)).toThrow(`${name}: ${message}`);
});

it('a leaky ReLU refuses a slope below 0', () => {
  expect(slopeOf({ slope: 0 })).toBe(0);
  expect(() => slopeOf({ slope: -0.1 })).toThrow('the slope -0.1 must not be below 0');
});

it('there are no other activations than these', () => {
  expect(activationCode({})).toBe(0);
  for (const activation of ['gelu', 'constructor'] as never[])
    expect(() => activationCode({ activation })).toThrow(
      `there is no activation ${activation}, but none, relu, leaky_relu`,
    );
});
