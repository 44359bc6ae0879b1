/** What the scaling of a training step is measured at: batches, image sizes and widths, one of them varied at a time. */
import { dryGpu } from '../../device/dry.js';
import { DeviceError } from '../../device/errors.js';
import type { Gpu } from '../../device/open.js';
import { Engine } from '../../kernel/engine.js';
import { boundBytes } from '../../memory/tensor.js';
import { fill } from '../../ops/elementwise.js';
import { presetConfig, SIZES, type TrainConfig } from '../../train/config.js';
import { measure, type Spread } from '../measure.js';
import { prepareStep } from '../stepBenchmark.js';

export const AXES = ['batch', 'size', 'channels'] as const;
export type Axis = (typeof AXES)[number];

/** Where a step is timed. */
export interface Place {
  /** Real images a step. */
  readonly batch: number;
  /** Side of the images. */
  readonly size: TrainConfig['size'];
  /** Of the generator's first feature map; all widths are in proportion. */
  readonly channels: number;
}

/** The reference at 32 x 32, at which all axes meet. */
export const CENTRE: Place = { batch: 16, size: 32, channels: 64 };

export const VALUES: Readonly<Record<Axis, readonly number[]>> = {
  batch: [1, 2, 4, 8, 16, 32, 64],
  size: SIZES,
  channels: [8, 16, 32, 64, 128, 256],
};

/** In ascending order. */
export const placesOf = (axis: Axis, values: readonly number[] = VALUES[axis]): Place[] =>
  [...values].sort((a, b) => a - b).map((value) => ({ ...CENTRE, [axis]: value }));

export const nameOf = ({ batch, size, channels }: Place): string =>
  `batch ${batch}, ${size} x ${size}, ${channels} channels`;

/**
 * The networks of a place. From a feature map of 4 x 4 each doubling has the reference's last widths, 64, 32 and 16 times
 * channels / 64, and those before them all `channels`; so that a larger image means larger maps and nothing else.
 */
export function configOf({ batch, size, channels }: Place): TrainConfig {
  const config = presetConfig('reference', size);
  const scaled = (width: number): number => Math.max(1, Math.round((width * channels) / CENTRE.channels));
  const doublings = Math.log2(size / 4);
  return {
    ...config,
    batch,
    base: 4,
    generatorWidths: [...new Array<number>(doublings - 1).fill(64), 32, 16].map(scaled),
    discriminatorWidths: config.discriminatorWidths.map(scaled),
  };
}

/** What a step consists of. */
export interface Cost {
  readonly dispatches: number;
  /** Floating-point operations of convolutions and matrix products. */
  readonly flops: number;
  /** Bound, dispatch by dispatch. */
  readonly bytes: number;
  /** Of the buffers that hold all tensors. */
  readonly memory: number;
}

/** Counts it in a dry run. Throws a `DeviceError` if the device refuses such a step. */
export function costOf(gpu: Gpu, config: TrainConfig): Cost {
  let [dispatches, flops, bytes] = [0, 0, 0];
  const dry = new Engine(dryGpu(gpu));
  const watched: Engine = Object.create(dry);
  watched.dispatch = (run) => {
    dispatches++;
    flops += run.flops ?? 0;
    bytes += boundBytes(run.tensors);
    dry.dispatch(run);
  };
  const step = prepareStep(watched, config);
  [dispatches, flops, bytes] = [0, 0, 0];
  step.run();
  return { dispatches, flops, bytes, memory: dry.memory().bytes };
}

/** Milliseconds of a step and what it consists of; or why it was not timed. */
export interface Timed extends Place, Cost {
  readonly wall: Spread;
  /** What its dispatches would take if they did nothing, recording included: whatever a step computes, it costs that. */
  readonly idle: number;
  readonly recording: Spread;
}

export interface LeftOut extends Place {
  readonly leftOut: string;
}

export type Point = Timed | LeftOut;

export const isTimed = (point: Point): point is Timed => !('leftOut' in point);

export interface Limits {
  readonly rounds: number;
  /** Seconds that one place may take. */
  readonly seconds: number;
}

/** Steps before the rounds that count (measure.ts), and the least number of rounds. */
const WARM_UP = 2;
const FEWEST_ROUNDS = 3;

/** Seconds that short steps are timed for, so that a moment's disturbance is not all that is seen. */
const SHORTEST = 3;

/** How much of the processor's memory a step may take where it is the GPU's: the pool's own limit is above that. */
const MEMORY_SHARE = 0.7;

/** Milliseconds that a dispatch takes which does next to nothing, as part of so many as a step has. */
export async function emptyDispatch(e: Engine, rounds: number): Promise<number> {
  const dispatches = 256;
  const tensor = e.empty([4]);
  try {
    const run = (): void => {
      for (let i = 0; i < dispatches; i++) fill(e, tensor, i);
    };
    return (await measure(e, run, { rounds, gpuClock: false })).wall.min / dispatches;
  } finally {
    e.release(tensor);
  }
}

/**
 * Times the step of a place, unless it would take too long, going by `known`, or more memory than there is. Rounds are as
 * many as wanted, more of short steps, and fewer, but three at least, where the time allows no more.
 */
export async function timePlace(
  e: Engine,
  place: Place,
  empty: number,
  known: Timed | undefined,
  { rounds, seconds }: Limits,
): Promise<Point> {
  const config = configOf(place);
  const leave = (leftOut: string): LeftOut => ({ ...place, leftOut });
  try {
    const cost = costOf(e.gpu, config);
    const { hostBytes = Number.POSITIVE_INFINITY } = e.gpu.info;
    if (cost.memory > MEMORY_SHARE * hostBytes) {
      const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
      return leave(`its buffers take ${gib(cost.memory)} GiB, of ${gib(hostBytes)} that there are`);
    }
    const expected = known && (known.wall.median * cost.flops) / known.flops / 1000;
    if (expected && (WARM_UP + FEWEST_ROUNDS) * expected > seconds) {
      return leave(`a step would take some ${expected.toFixed(0)} s: --limit ${limitFor(expected)} lets it`);
    }
    const step = prepareStep(e, config);
    try {
      const time = (times: number) => measure(e, () => step.run(), { rounds: times, gpuClock: false });
      const each = expected ?? (await time(1)).wall.median / 1000;
      const wanted = Math.max(rounds, Math.ceil(SHORTEST / each));
      const affordable = Math.floor(seconds / each) - WARM_UP;
      const { wall, recording } = await time(Math.max(FEWEST_ROUNDS, Math.min(wanted, affordable)));
      return { ...place, ...cost, wall, recording, idle: cost.dispatches * empty };
    } finally {
      step.release();
    }
  } catch (error) {
    if (error instanceof DeviceError) return leave(error.message);
    throw error;
  }
}

const limitFor = (expected: number): number => Math.ceil(((WARM_UP + FEWEST_ROUNDS) * expected * 1.2) / 10) * 10;

/** What each point would take if all computed at the speed of the one that computes fastest, in milliseconds: the least it could be. */
export function proportional(points: readonly Timed[]): number[] {
  const speed = Math.max(...points.map(({ flops, wall }) => flops / wall.min));
  return points.map(({ flops }) => flops / speed);
}
