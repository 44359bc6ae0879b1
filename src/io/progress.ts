/** How far a long task has come: a bar on a terminal, otherwise (in a file, in CI) a plain line every few seconds. */

import { SingleBar } from 'cli-progress';

export type ProgressFields = Readonly<Record<string, string | number>>;

export interface ProgressOptions {
  /** One word, such as `train`. */
  title: string;
  total: number;
  /** Where a resumed task begins, so that its rate counts only what is done now. Default 0. */
  done?: number;
  /** What is counted, for the rate. Default `steps`. */
  unit?: string;
  /** Default stderr, which leaves stdout to results. */
  stream?: NodeJS.WritableStream & { isTTY?: boolean };
  /** Milliseconds between plain lines, at first; the longer it takes the rarer they are, down to one a minute. Default 5000. */
  interval?: number;
  /** A clock in milliseconds. */
  now?: () => number;
}

export interface Progress {
  /** `done` of the total, and what to show beside it, such as losses. */
  update(done: number, fields?: ProgressFields): void;
  /** Prints a line of its own, above the bar. */
  note(line: string): void;
  /** Removes the bar; if anything was done, prints a last line. Until then the process does not end: call it in `finally`. */
  stop(): void;
}

export function createProgress(options: ProgressOptions): Progress {
  const { title, total, unit = 'steps', stream = process.stderr, interval = 5000, now = Date.now } = options;
  const begin = now();
  const meter = createMeter(begin, options.done ?? 0);
  let state: ProgressState = { title, unit, total, done: options.done ?? 0, fields: {} };
  let begun = false;
  const display = stream.isTTY ? barDisplay(stream, () => state) : lineDisplay(stream, () => state, interval, now);

  return {
    update(done, fields = {}) {
      begun = true;
      state = { ...state, done, fields, rate: meter(now(), done) };
      display.changed();
    },
    note: (line) => display.interrupt(line),
    stop: () => display.end(begun ? formatSummary({ ...state, seconds: (now() - begin) / 1000 }) : undefined),
  };
}

interface Display {
  changed(): void;
  interrupt(line: string): void;
  end(summary?: string): void;
}

/** Milliseconds between lines of a task that takes hours: a log of a day is still short enough to read. */
const longestPause = 60_000;

function lineDisplay(
  stream: NodeJS.WritableStream,
  state: () => ProgressState,
  interval: number,
  now: () => number,
): Display {
  const begin = now();
  let last = begin;
  return {
    changed() {
      const pause = Math.max(interval, Math.min(longestPause, (last - begin) / 20));
      if (now() - last < pause) return;
      last = now();
      stream.write(`${formatLine(state())}\n`);
    },
    interrupt: (line) => void stream.write(`${line}\n`),
    end: (summary) => void (summary !== undefined && stream.write(`${summary}\n`)),
  };
}

function barDisplay(stream: NodeJS.WritableStream, state: () => ProgressState): Display {
  const bar = new SingleBar({
    stream,
    format: (_, { maxWidth }) => formatBar(state(), maxWidth ?? 80),
    // A terminal that is left without line wrapping or cursor outlives a killed process.
    linewrap: true,
    hideCursor: false,
    clearOnComplete: true,
    gracefulExit: false,
  });
  const start = () => bar.start(state().total, state().done);
  /** The bar returns to the line on which it was started: it has to start anew below whatever is printed. */
  const print = (line?: string) => {
    bar.stop();
    if (line !== undefined) stream.write(`${line}\n`);
  };
  start();
  return {
    changed: () => bar.update(state().done),
    interrupt(line) {
      print(line);
      start();
    },
    end: print,
  };
}

interface ProgressState {
  title: string;
  unit: string;
  total: number;
  done: number;
  fields: ProgressFields;
  /** Units a second, once it is known. */
  rate?: number | undefined;
}

const windowMilliseconds = 30_000;
const sampleMilliseconds = 200;

/** The rate over the last half minute (or the last two updates, where they are rarer), a second. */
export function createMeter(begin: number, done: number): (time: number, done: number) => number | undefined {
  const samples = [{ time: begin, done }];
  return (time, done) => {
    // Fast tasks replace their newest sample, so that there are never many.
    if (samples.length > 1 && time - samples.at(-2)!.time < sampleMilliseconds) samples.pop();
    samples.push({ time, done });
    while (samples.length > 2 && samples[1]!.time <= time - windowMilliseconds) samples.shift();
    const first = samples[0]!;
    const rate = (done - first.done) / ((time - first.time) / 1000);
    return Number.isFinite(rate) && rate > 0 ? rate : undefined;
  };
}

/** `train 120/800  3.1 steps/s  3 min 40 s left  D 5.12  G 2.90` */
export function formatLine(state: ProgressState): string {
  return [`${state.title} ${state.done}/${state.total}`, ...details(state)].join('  ');
}

/** `train ████░░░░░░  120/800  ...`, the bar as wide as fits. */
export function formatBar(state: ProgressState, width: number): string {
  const right = [`${state.done}/${state.total}`, ...details(state)].join('  ');
  const room = Math.min(30, width - state.title.length - right.length - 4);
  if (room < 5) return formatLine(state);
  const share = state.total > 0 ? Math.min(1, Math.max(0, state.done / state.total)) : 1;
  const filled = Math.floor(share * room);
  return `${state.title} ${'█'.repeat(filled)}${'░'.repeat(room - filled)}  ${right}`;
}

/** `train 800/800  took 4 min 18 s  D 4.71  G 2.33` */
export function formatSummary(state: ProgressState & { seconds: number }): string {
  const counts = `${state.title} ${state.done}/${state.total}`;
  return [counts, `took ${formatDuration(state.seconds)}`, ...formatFields(state.fields)].join('  ');
}

function details({ done, total, rate, unit, fields }: ProgressState): string[] {
  const speed = rate === undefined ? [] : [formatRate(rate, unit), `${formatDuration((total - done) / rate)} left`];
  return [...speed, ...formatFields(fields)];
}

function formatFields(fields: ProgressFields): string[] {
  return Object.entries(fields).map(([name, value]) => `${name} ${formatValue(value)}`);
}

/** Three digits that count: 5.12, 0.00123, 1234; whole numbers and texts as they are. */
export function formatValue(value: string | number): string {
  if (typeof value === 'string' || Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 999.5 ? value.toFixed(0) : value.toPrecision(3);
}

/** `3.1 steps/s`, or `12 s/step` where a step takes longer than a second. */
export function formatRate(perSecond: number, unit: string): string {
  if (perSecond >= 0.995) return `${twoDigits(perSecond)} ${unit}/s`;
  return `${twoDigits(1 / perSecond)} s/${unit.replace(/s$/, '')}`;
}

function twoDigits(value: number): string {
  return value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
}

/** `0.4 s`, `42 s`, `3 min 40 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown time';
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
