/**
 * Times work on the GPU by two clocks. The wall clock sees what a program waits for: recording, submitting, computing.
 * The GPU's own clock (timestamp queries) sees each dispatch alone, where the adapter has such a clock and it can be believed.
 */
import type { Engine } from '../kernel/engine.js';

/** Over the rounds, in milliseconds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
}

export interface Timing {
  /** Of one run, from recording to the end of the GPU's work; several runs share a wait, as in training. */
  readonly wall: Spread;
  /** Of that, what the processor spent on recording and submitting one run. */
  readonly recording: Spread;
  /** The sum over the dispatches of one run by timestamp queries; undefined without a clock to believe. */
  readonly gpu?: Spread;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Whether to use timestamp queries, too. */
  readonly gpuClock: boolean;
}

/** A round lasts about this long, so that the wait at its end counts little. */
const ROUND_MILLISECONDS = 20;
const RUNS_PER_ROUND = 256;

/** Times `run`, which records work. The first two runs, in which pipelines are compiled, do not count. */
export async function measure(
  e: Engine,
  run: () => void | Promise<void>,
  { rounds, gpuClock }: MeasureOptions,
): Promise<Timing> {
  await oneRound(e, run, 1);
  const trial = await oneRound(e, run, 1);
  const runs = runsPerRound(trial.wall);
  const wall: number[] = [];
  const recording: number[] = [];
  const gpu: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const times = await oneRound(e, run, runs);
    wall.push(times.wall);
    recording.push(times.recording);
    if (gpuClock) gpu.push(await gpuMilliseconds(e, run));
  }
  return { wall: spread(wall), recording: spread(recording), ...(gpuClock && { gpu: spread(gpu) }) };
}

/** One of several ways to do the same, on its engine. */
export interface Alternative {
  readonly e: Engine;
  /** Records it once. */
  run(): void | Promise<void>;
}

/**
 * Times alternatives in turns, so that what slows the machine down slows all of them: milliseconds of one run, medians of the
 * rounds, each of about so many milliseconds. The first two runs of each do not count. By the wall clock, or with `gpuClock` by the
 * GPU's where that says less: a fast GPU waits for the recording of what it computes, and that is not what is asked.
 */
export async function measureInTurns(
  alternatives: readonly Alternative[],
  { rounds, milliseconds = ROUND_MILLISECONDS, gpuClock = false }: TurnsOptions,
): Promise<number[]> {
  const runs: number[] = [];
  for (const { e, run } of alternatives) {
    await oneRound(e, run, 1);
    runs.push(runsPerRound((await oneRound(e, run, 1)).wall, milliseconds));
  }
  const times = alternatives.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { e, run }] of alternatives.entries()) {
      const { wall } = await oneRound(e, run, runs[i]!);
      const gpu = gpuClock ? await gpuMilliseconds(e, run) : 0;
      times[i]!.push(gpu > 0 ? Math.min(gpu, wall) : wall);
    }
  }
  return times.map((values) => spread(values).median);
}

export interface TurnsOptions {
  readonly rounds: number;
  readonly milliseconds?: number;
  readonly gpuClock?: boolean;
}

const runsPerRound = (one: number, round = ROUND_MILLISECONDS): number =>
  Math.min(RUNS_PER_ROUND, Math.max(1, Math.ceil(round / one)));

async function oneRound(
  e: Engine,
  run: () => void | Promise<void>,
  runs: number,
): Promise<{ wall: number; recording: number }> {
  const begin = performance.now();
  for (let i = 0; i < runs; i++) await run();
  e.submit();
  const recorded = performance.now();
  await e.sync();
  return { wall: (performance.now() - begin) / runs, recording: (recorded - begin) / runs };
}

async function gpuMilliseconds(e: Engine, run: () => void | Promise<void>): Promise<number> {
  e.beginTiming();
  await run();
  const passes = await e.endTiming();
  return passes.reduce((total, { milliseconds }) => total + milliseconds, 0);
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]! };
}
