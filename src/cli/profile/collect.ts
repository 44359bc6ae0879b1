/** Measures a training step dispatch by dispatch, with the GPU's clock; or phase by phase, where it has none. */
import type { TimedPass } from '../../device/timing.js';
import type { Engine } from '../../kernel/engine.js';
import { measure, spread } from '../measure.js';
import { measureRoof, type Roof } from '../roof.js';
import { grouped, total } from './group.js';
import { kernelNames, opsOf } from './names.js';

/** Times are in milliseconds. */
export interface ProfiledDispatch extends TimedPass {
  /** Readable and, within a profile, unique for the kernel; `label` is its key. */
  readonly name: string;
  readonly op: string;
  readonly phase: string;
}

export interface Phase {
  readonly name: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

export interface Profile {
  readonly roof: Roof;
  /** Steps that medians are taken of. */
  readonly steps: number;
  /** Batches of commands that a step sends to the GPU. */
  readonly submits: number;
  /** Of a step that nobody times from inside: from recording to the end of the GPU's work; of that, recording. */
  readonly wall: number;
  readonly recording: number;
  /** The most bytes that the step's tensors took at a time, networks and optimisers included. */
  readonly peakBytes: number;
  /** By the GPU's clock, or else by the wall clock. */
  readonly phases: readonly Phase[];
  /** Missing without a clock of the GPU. */
  readonly passes?: {
    /** In the order of the step, each with the median of its times. */
    readonly typical: readonly ProfiledDispatch[];
    /** One of the steps as it was: that of median length. */
    readonly traced: readonly ProfiledDispatch[];
  };
}

/** Profiles `run`, which records one step, always of the same dispatches. */
export async function profileStep(e: Engine, run: () => void, steps: number, signal: AbortSignal): Promise<Profile> {
  const { wall, recording } = await measure(e, run, { rounds: steps, gpuClock: false });
  const peakBytes = e.memory().peak; // now, for the roof may take more
  signal.throwIfAborted();
  const roof = await measureRoof(e);
  const { submits } = e.counters();
  run(); // untimed: it may meet other buffers of the pool than before the roof
  e.submit();
  const known = {
    roof,
    steps,
    submits: e.counters().submits - submits,
    wall: wall.median,
    recording: recording.median,
    peakBytes,
  };
  await e.sync();
  if (!roof.gpuClock) {
    const timed = await repeat(steps, signal, () => wallPhases(e, run));
    return { ...known, phases: medians(timed, ({ name }) => name) };
  }
  const timed = await repeat(steps, signal, () => timeDispatches(e, run));
  const typical = medians(timed, ({ label }) => label);
  const phases = grouped(typical, ({ phase }) => phase);
  return {
    ...known,
    phases: phases.map(({ name, calls, milliseconds }) => ({ name, dispatches: calls, milliseconds })),
    passes: { typical, traced: ofMedianLength(timed) },
  };
}

async function repeat<T>(times: number, signal: AbortSignal, body: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < times) {
    signal.throwIfAborted();
    results.push(await body());
  }
  return results;
}

/** One step, each dispatch timed by itself. */
export async function timeDispatches(e: Engine, run: () => void): Promise<ProfiledDispatch[]> {
  const before = e.counters().dispatches;
  const done = () => e.counters().dispatches - before;
  const marks: { readonly phase: string; readonly from: number }[] = [];
  e.beginTiming();
  listening(e, (phase) => marks.push({ phase, from: done() }), run);
  const passes = await e.endTiming();
  if (passes.length < done()) {
    throw new Error(`a step has ${done()} dispatches, of which only ${passes.length} can be timed`);
  }
  const keys = passes.map(({ label }) => label);
  const names = kernelNames(keys);
  const ops = opsOf(keys);
  return passes.map((pass, i) => ({
    ...pass,
    name: names.get(pass.label)!,
    op: ops[i]!,
    phase: marks.findLast(({ from }) => from <= i)?.phase ?? '',
  }));
}

/**
 * One step's phases by the wall clock. A step ahead of it keeps the GPU busy until this one is recorded, so that each phase
 * ends when the GPU says so, and not when it was told of it.
 */
async function wallPhases(e: Engine, run: () => void): Promise<Phase[]> {
  const reached: Promise<number>[] = [];
  const marks: { readonly name: string; readonly from: number }[] = [];
  const mark = (name: string): void => {
    e.submit();
    reached.push(e.gpu.device.queue.onSubmittedWorkDone().then(() => performance.now()));
    marks.push({ name, from: e.counters().dispatches });
  };
  run();
  listening(e, mark, run);
  mark('end');
  const [times] = await Promise.all([Promise.all(reached), e.sync()]);
  return marks.slice(0, -1).map(({ name, from }, i) => ({
    name,
    dispatches: marks[i + 1]!.from - from,
    milliseconds: times[i + 1]! - times[i]!,
  }));
}

function listening(e: Engine, onMark: (phase: string) => void, run: () => void): void {
  e.onMark = onMark;
  try {
    run();
  } finally {
    e.onMark = undefined;
  }
}

/** The first step's parts, each with the median of its times over all steps. */
export function medians<T extends { readonly milliseconds: number }>(
  steps: readonly (readonly T[])[],
  identity: (part: T) => string,
): T[] {
  const [first, ...others] = steps;
  return first!.map((part, i) => {
    const same = [part, ...others.map((step) => step[i])];
    const times = same.flatMap((other) => (other && identity(other) === identity(part) ? [other.milliseconds] : []));
    if (times.length < steps.length)
      throw new Error(`steps differ: only ${times.length} have ${identity(part)} at ${i}`);
    return { ...part, milliseconds: spread(times).median };
  });
}

function ofMedianLength(steps: readonly (readonly ProfiledDispatch[])[]): readonly ProfiledDispatch[] {
  const byLength = [...steps].sort((a, b) => total(a).milliseconds - total(b).milliseconds);
  return byLength[Math.floor(steps.length / 2)]!;
}
