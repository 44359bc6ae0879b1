/** How kernels that work channel by channel (kernels/lib/channel.wgsl) see x [N, C, ...]: a channel's values, cut into parts. */
import type { Capabilities } from '../kernel/choose.js';
import { type Shape, sizeOf } from '../memory/tensor.js';
import { cut, type Lanes, lanesFor, type Parts, reductionWidth } from './lanes.js';

/** x [N, C, S], in items of `lanes` values. */
export interface ChannelLayout {
  readonly lanes: Lanes;
  readonly images: number;
  readonly channels: number;
  /** Items of one image's channel, and of a channel. */
  readonly plane: number;
  readonly items: number;
  /** Values of a channel. */
  readonly count: number;
  /** Invocations of a workgroup that sums, and how a channel is cut. */
  readonly width: number;
  readonly cut: Parts;
}

export function channelLayout(device: Capabilities, x: Shape): ChannelLayout {
  const [images, channels, ...inner] = x as [number, number, ...number[]];
  const values = sizeOf(inner);
  const lanes = lanesFor(values);
  const plane = values / lanes.count;
  const items = images * plane;
  return {
    lanes,
    images,
    channels,
    plane,
    items,
    count: images * values,
    width: reductionWidth(device),
    cut: channelParts(device, channels, items),
  };
}

/** Parts that a channel's items are cut into: few, for they cost further dispatches, but enough to keep the device busy. */
export function channelParts(device: Capabilities, channels: number, items: number): Parts {
  if (device.software) return cut(items, channels < 8 ? Math.ceil(8 / channels) : 1, 2048);
  return cut(items, items > 8192 ? Math.ceil(512 / channels) : 1, 4096);
}

/** Uniforms of lib/channel.wgsl. */
export function channelWalk({ channels, plane, width }: ChannelLayout): Record<string, number> {
  const images = Math.floor(width / plane);
  const step_column = width - images * plane;
  return { channels, plane, step: images * channels * plane + step_column, step_column };
}
