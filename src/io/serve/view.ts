/** What the live page of a run is told: read from the run's folder, whatever there is of it by now. */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { movingAverage, type Point, thin } from '../chart.js';
import { describe, systemCode, toUserError, UserError } from '../errors.js';
import { EVALUATION_FILES, readEvaluation } from '../evaluation.js';
import { type Html, html } from '../html.js';
import { workerIn } from '../lock.js';
import { type LogRecord, readLog } from '../log.js';
import { formatDuration, formatRate, formatValue } from '../progress.js';
import { evaluationSection } from '../report/evaluation.js';
import { count, factsTable, label, percent, settingText } from '../report/format.js';
import { REAL_SHEET, sampledSteps } from '../samples.js';
import { type Panel, panelsOf } from '../scalars.js';

/** A line of a chart; null where a value is no number. */
export interface Line {
  readonly name: string;
  /** From 0. */
  readonly colour: number;
  /** Of each step, behind a moving average. */
  readonly faint: boolean;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

export interface Chart extends Omit<Panel, 'series' | 'smooth'> {
  readonly lines: readonly Line[];
}

export interface RunView {
  readonly charts: readonly Chart[];
  /** Steps of which there are sample sheets, in order. */
  readonly samples: readonly number[];
  readonly hasReal: boolean;
  /** Parts of the page, as HTML. */
  readonly status: string;
  readonly settings: string;
  /** Which evaluation there is; null if there is none. */
  readonly evaluation: string | null;
}

/** Files of a run by which one sees whether there is anything new. */
const WATCHED = ['log.jsonl', 'config.json', 'samples', EVALUATION_FILES.numbers, 'report.html'];

/** A text that is another one as soon as the run's folder tells something new. */
export async function versionOf(run: string): Promise<string> {
  const worker = await workerIn(run);
  const stamps = await Promise.all(WATCHED.map((name) => stampOf(path.join(run, name))));
  return [worker ?? 'none', ...stamps].join(' ');
}

/** Of a file or folder: `-` if it is not there. */
const stampOf = (file: string): Promise<string> =>
  stat(file).then(
    ({ mtimeMs, size, ino }) => `${ino}-${mtimeMs}-${size}`,
    () => '-',
  );

/** Never throws for what lies in the folder: a fault is part of the status. */
export async function viewOf(run: string): Promise<RunView> {
  const faults: string[] = [];
  const tried = async <T>(read: () => T | Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (systemCode(toUserError(error).cause) !== 'ENOENT') faults.push(describe(error));
      return otherwise;
    }
  };
  const config = await tried(() => configOf(run), {});
  const records = await tried(() => readLog(path.join(run, 'log.jsonl')), []);
  const samples = await tried(() => sampledSteps(run), []);
  const isThere = async (name: string): Promise<boolean> => (await stampOf(path.join(run, name))) !== '-';
  const evaluation = await stampOf(path.join(run, EVALUATION_FILES.numbers));
  const isAtWork = (await workerIn(run)) !== undefined;
  return {
    charts: panelsOf(records).map(chartOf),
    samples,
    hasReal: await isThere(path.join('samples', REAL_SHEET)),
    status: statusOf({ records, config, isAtWork, hasReport: await isThere('report.html'), faults }).html,
    settings: settingsOf(config).html,
    evaluation: evaluation === '-' ? null : evaluation,
  };
}

/** The section of an evaluated run; nothing if it was not evaluated. */
export async function evaluationOf(run: string): Promise<Html> {
  const file = path.join(run, EVALUATION_FILES.numbers);
  if ((await stampOf(file)) === '-') return html``;
  try {
    const sheet = await readFile(path.join(run, EVALUATION_FILES.sheet)).catch(() => undefined);
    const numbers = await readEvaluation(file);
    return evaluationSection({ numbers, sheet }, numbers.step);
  } catch (error) {
    return html`<p class="caution">${describe(error, file)}</p>`;
  }
}

type Config = Readonly<Record<string, unknown>>;

async function configOf(run: string): Promise<Config> {
  const file = path.join(run, 'config.json');
  const text = await readFile(file, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // said below
  }
  throw new UserError(`"${file}" holds no settings of a run.`);
}

function chartOf({ series, smooth = true, ...panel }: Panel): Chart {
  const lines = series.flatMap(({ name, points }, colour): Line[] => {
    const line = (faint: boolean, text: string, all: readonly Point[]): Line => {
      const few = thin(all, 1000);
      return {
        name: text,
        colour,
        faint,
        x: few.map(([x]) => x),
        y: few.map(([, y]) => (Number.isFinite(y) ? y : null)),
      };
    };
    if (!smooth || points.length < 10) return [line(false, name, points)];
    return [line(true, `${name}, each step`, points), line(false, name, movingAverage(points))];
  });
  return { ...panel, lines };
}

interface Standing {
  readonly records: readonly LogRecord[];
  readonly config: Config;
  readonly isAtWork: boolean;
  readonly hasReport: boolean;
  readonly faults: readonly string[];
}

function statusOf({ records, config, isAtWork, hasReport, faults }: Standing): Html {
  const step = records.reduce((most, record) => Math.max(most, record.step ?? 0), 0);
  const steps = typeof config.steps === 'number' ? config.steps : undefined;
  const rate = isAtWork ? rateOf(records) : undefined;
  const latest: LogRecord = Object.assign({}, ...records);
  const tiles = [
    tile(steps === undefined ? count(step) : `${count(step)} of ${count(steps)}`, 'steps'),
    rate !== undefined && tile(formatRate(rate, 'steps'), 'now'),
    rate !== undefined && steps !== undefined && step < steps && tile(formatDuration((steps - step) / rate), 'left'),
    ...TILES.map(([field, name, text]) => {
      const value = latest[field];
      return typeof value === 'number' && tile(text(value), name);
    }),
  ];
  return html`<p class="verdict" data-state="${stateOf(step, steps, isAtWork)}">${SENTENCES[stateOf(step, steps, isAtWork)]}${
    hasReport && html` <a href="report.html">The report</a> tells more of it.`
  }</p>
${faults.map((fault) => html`<p class="caution">${fault}</p>`)}
${steps !== undefined && html`<progress value="${Math.min(step, steps)}" max="${steps}"></progress>`}
${step > 0 && html`<ul class="tiles">${tiles}</ul>`}`;
}

const TILES: readonly (readonly [field: string, name: string, text: (value: number) => string])[] = [
  ['lossD', 'loss of the discriminator', formatValue],
  ['lossG', 'loss of the generator', formatValue],
  ['distance', 'distance, as the discriminator sees it', formatValue],
  ['kernelDistance', 'kernel distance of synthetic from training images', formatValue],
  ['heldOutAccuracy', 'held-out images named right', percent],
];

const tile = (value: string, what: string): Html => html`<li><b>${value}</b>${what}</li>`;

type State = 'waiting' | 'training' | 'working' | 'stopped' | 'finished';

const SENTENCES: Readonly<Record<State, string>> = {
  waiting: 'There is no run here yet. This page shows it as soon as it begins.',
  training: 'Training.',
  working: 'Trained; something is at work on it.',
  stopped: 'Stopped before its end. The same command goes on from the newest checkpoint.',
  finished: 'Trained to its end.',
};

function stateOf(step: number, steps: number | undefined, isAtWork: boolean): State {
  if (steps !== undefined && step >= steps) return isAtWork ? 'working' : 'finished';
  if (isAtWork) return 'training';
  return step > 0 ? 'stopped' : 'waiting';
}

/** Steps a second over the last half minute of the log, or the last two of its steps. */
function rateOf(records: readonly LogRecord[]): number | undefined {
  const timed = records.flatMap(({ step, seconds }) =>
    step !== undefined && typeof seconds === 'number' ? [{ step, seconds }] : [],
  );
  const last = timed.at(-1);
  if (!last) return undefined;
  const recent = timed.slice(-2000).filter(({ seconds }) => seconds <= last.seconds && seconds >= last.seconds - 30);
  const first = recent.length > 1 ? recent[0]! : timed.at(-2);
  const rate = first && (last.step - first.step) / (last.seconds - first.seconds);
  return rate !== undefined && rate > 0 && Number.isFinite(rate) ? rate : undefined;
}

function settingsOf(config: Config): Html {
  const settings = Object.entries(config);
  if (settings.length === 0) return html``;
  return factsTable(
    'config.json',
    settings.map(([name, value]) => [name, textOf(value)]),
  );
}

function textOf(value: unknown): Html | string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object' && value !== null) {
    const set = Object.entries(value).filter(([, each]) => each !== 0);
    return set.map(([name, each]) => `${name} ${each}`).join(', ') || 'none';
  }
  return typeof value === 'string' ? label(value) : settingText(value as number | boolean | null);
}
