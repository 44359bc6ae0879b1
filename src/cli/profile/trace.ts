/**
 * A profile as a Chrome trace, which https://ui.perfetto.dev and chrome://tracing show: one track with the phases of a step,
 * one with its dispatches. (Google's "Trace Event Format", events of phase X and M.)
 */
import { formatShape } from '../../memory/tensor.js';
import type { Phase, ProfiledDispatch } from './collect.js';

/** Times are in microseconds. */
export interface TraceEvent {
  readonly name: string;
  /** X: a slice. M: metadata, here a name. */
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly TraceEvent[];
  readonly otherData: Readonly<Record<string, unknown>>;
}

const PROCESS = 1;
const PHASES = 1;
const DISPATCHES = 2;

/** The trace of one step's dispatches, as the GPU's clock saw them. */
export function dispatchTrace(dispatches: readonly ProfiledDispatch[], about: Trace['otherData']): Trace {
  const slices = dispatches.map(
    ({ name, label, op, phase, start, milliseconds, shapes, grid, bytes, flops }): TraceEvent => ({
      ...slice(name, DISPATCHES, start, milliseconds),
      cat: op,
      args: {
        kernel: label,
        op,
        phase,
        tensors: shapes.map(formatShape),
        grid,
        bytes,
        ...(flops !== undefined && { flops }),
      },
    }),
  );
  const traceEvents = [title, track(PHASES, 'phases'), track(DISPATCHES, 'GPU'), ...phaseSlices(dispatches), ...slices];
  return { displayTimeUnit: 'ms', traceEvents, otherData: about };
}

/** The trace of phases that follow each other. */
export function phaseTrace(phases: readonly Phase[], about: Trace['otherData']): Trace {
  let start = 0;
  const slices = phases.map(({ name, milliseconds, dispatches }) => {
    const event = { ...slice(name, PHASES, start, milliseconds), args: { dispatches } };
    start += milliseconds;
    return event;
  });
  return { displayTimeUnit: 'ms', traceEvents: [title, track(PHASES, 'phases'), ...slices], otherData: about };
}

const slice = (name: string, tid: number, start: number, milliseconds: number): TraceEvent => ({
  name,
  ph: 'X',
  pid: PROCESS,
  tid,
  ts: start * 1e3,
  dur: milliseconds * 1e3,
  args: {},
});

const title: TraceEvent = {
  name: 'process_name',
  ph: 'M',
  pid: PROCESS,
  tid: 0,
  ts: 0,
  args: { name: 'training step' },
};

const track = (tid: number, name: string): TraceEvent => ({
  name: 'thread_name',
  ph: 'M',
  pid: PROCESS,
  tid,
  ts: 0,
  args: { name },
});

/** Each phase from the beginning of its first dispatch to the end of its last. */
function phaseSlices(dispatches: readonly ProfiledDispatch[]): TraceEvent[] {
  const names = [...new Set(dispatches.map(({ phase }) => phase))];
  return names.map((name) => {
    const own = dispatches.filter(({ phase }) => phase === name);
    const [first, last] = [own[0]!, own.at(-1)!];
    const length = last.start + last.milliseconds - first.start;
    return { ...slice(name, PHASES, first.start, length), args: { dispatches: own.length } };
  });
}
