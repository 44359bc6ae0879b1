/** What the live page of a run is told: read from the run's folder, whatever there is of it by now. */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { movingAverage, type Point, thin } from '../chart.js';
import { describe, systemCode, toUserError, UserError } from '../errors.js';
import { EVALUATION_FILES, readEvaluation } from '../evaluation.js';
import { type Html, html } from '../html.js';
import { workerIn } from '../lock.js';
import { readLog } from '../log.js';
import { evaluationSection } from '../report/evaluation.js';
import { factsTable, label, settingText } from '../report/format.js';
import { REAL_SHEET, sampledSteps } from '../samples.js';
import { type Panel, panelsOf } from '../scalars.js';
import { statusOf } from './status.js';

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
