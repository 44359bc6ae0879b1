/** What memory training takes, found by dry runs: nothing is allocated, nothing computed. */
import { dryGpu } from '../device/dry.js';
import { DeviceError } from '../device/errors.js';
import { type Assumed, Engine } from '../kernel/engine.js';
import type { TrainConfig } from './config.js';
import { drawBatch } from './draw.js';
import { createGan } from './gan.js';
import { createGanStep } from './ganStep.js';

/** Bytes. */
export interface StepMemory {
  /** Networks, their gradients and what the optimisers remember: the same for every batch. */
  readonly networks: number;
  /** All tensors at the moment when they are most, networks included. */
  readonly tensors: number;
  /** The buffers that hold them: what the GPU has to have. More, for none can hold two at once, or be cut in two. */
  readonly buffers: number;
}

/**
 * Tells what steps of a batch take on the engine's device, by its tuning. Asked for a batch that the device refuses, such as by the size of
 * a buffer, it throws the `DeviceError` that training would.
 */
export function stepMemory(
  { gpu, tuning }: Pick<Engine, 'gpu' | 'tuning'>,
  config: TrainConfig,
  classes: number,
  assumed: Assumed = {},
): (batch: number) => StepMemory {
  const dry = dryGpu(gpu);
  const lasting = new Engine(dry, assumed, tuning);
  const gan = createGan(lasting, config, classes);
  const { inUse: networks, bytes: networkBuffers } = lasting.memory();
  return (batch) => {
    // An engine of its own counts from zero. The networks' tensors mean nothing to it, as they mean nothing to the device.
    const e = new Engine(dry, assumed, tuning);
    const step = createGanStep(e, gan, config, batch);
    const labels = new Int32Array(batch);
    const images = new Float32Array(batch * config.channels * config.size ** 2);
    e.scope(() => {
      const reals = Array.from({ length: config.discriminatorSteps }, () => ({ images, labels }));
      step.run(drawBatch(e, { ...config, batch }, classes, 0, reals));
      return null;
    });
    const { peak, bytes } = e.memory();
    return { networks, tensors: networks + peak, buffers: networkBuffers + bytes };
  };
}

/** The largest batch whose buffers fit into so many bytes, and what hinders the next: a refusal's words, or memory. */
export interface LargestBatch {
  /** 0 if not even one image fits. */
  readonly batch: number;
  readonly refusal: string | undefined;
}

/** Finds it by bisection; `most` is where it stops looking. */
export function largestBatch(memoryOf: (batch: number) => StepMemory, within: number, most = 4096): LargestBatch {
  let refusal: string | undefined;
  const fits = (batch: number): boolean => {
    refusal = undefined;
    try {
      return memoryOf(batch).buffers <= within;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      refusal = error.message;
      return false;
    }
  };
  let [fitting, beyond] = [0, 1];
  while (beyond <= most && fits(beyond)) [fitting, beyond] = [beyond, 2 * beyond];
  let hindrance = refusal;
  while (beyond - fitting > 1) {
    const middle = Math.floor((fitting + beyond) / 2);
    if (fits(middle)) fitting = middle;
    else [beyond, hindrance] = [middle, refusal];
  }
  return { batch: Math.min(fitting, most), refusal: hindrance };
}
