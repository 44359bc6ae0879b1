/** The way back through what a product ends with: y = activation(z + bias). */
import type { Engine } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import type { Tensor } from '../memory/tensor.js';
import { type ActivationAttrs, activationCode, beforeActivation, slopeOf } from './activation.js';
import { channelLayout, channelWalk } from './channels.js';
import type { Want } from './define.js';
import { sumOver } from './reduce.js';

/**
 * The gradients of z and, if wanted, of the bias: gz, and its sums per channel. y, gy and gz are [N, C, ...], the bias's
 * gradient [C]. Without an activation, gz is gy itself; where gy is `spare`, it lies in gy's place.
 */
export function epilogueGradient(
  e: Engine,
  y: Tensor,
  gy: Tensor,
  attrs: ActivationAttrs,
  wantBias: Want,
  spare = false,
): { readonly gz: Tensor; readonly gbias: Tensor | undefined } {
  if (!wantBias) return { gz: beforeActivation(e, y, gy, attrs, spare), gbias: undefined };
  if (activationCode(attrs) === 0)
    return { gz: gy, gbias: sumOver(e, gy, { dims: allButChannels(gy) }, 1, wantBias()) };
  const gz = spare ? gy : e.empty(y.shape, gy.dtype);
  const gbias = wantBias();
  const layout = channelLayout(e.capabilities, y.shape);
  const { channels, lanes, items } = layout;
  const { parts } = layout.cut;
  const sums = parts === 1 ? gbias : e.empty([channels, parts, 2]);
  e.dispatch({
    file: 'epilogue_gradient',
    uses: [lanes.file, 'lib/activation', 'lib/channel', 'lib/two_sum'],
    constants: {
      ...elements({ Y: y, GY: gy, GZ: gz }, lanes.count),
      WIDTH: layout.width,
      ACTIVATION: activationCode(attrs),
      WHOLE: parts === 1,
    },
    tensors: [y, gy, gz, sums],
    inPlace: gz === gy ? [1, 2] : undefined,
    params: { ...channelWalk(layout), items, part_items: layout.cut.items, slope: slopeOf(attrs), zero: 0 },
    grid: [parts, channels],
  });
  if (parts > 1) sumOver(e, sums, { dims: [1, 2] }, 1, gbias);
  return { gz, gbias };
}

const allButChannels = ({ shape }: Tensor): number[] => shape.map((_, i) => i).filter((i) => i !== 1);
