/** How a run stands: the head of its live page. */

import { type Html, html } from '../html.js';
import type { LogRecord } from '../log.js';
import { formatDuration, formatRate, formatValue } from '../progress.js';
import { count, percent } from '../report/format.js';

/** What is known of a run. */
export interface Standing {
  readonly records: readonly LogRecord[];
  /** config.json, or nothing. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether a process works in its folder. */
  readonly isAtWork: boolean;
  readonly hasReport: boolean;
  readonly faults: readonly string[];
}

/** A sentence, what is wrong, how far it is, and its latest numbers, as HTML. */
export function statusOf({ records, config, isAtWork, hasReport, faults }: Standing): Html {
  const step = records.reduce((most, record) => Math.max(most, record.step ?? 0), 0);
  const steps = typeof config.steps === 'number' ? config.steps : undefined;
  const rate = isAtWork ? rateOf(records) : undefined;
  const latest: LogRecord = {};
  for (const record of records) Object.assign(latest, record);
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
  // Back to where the clock began anew, if the run was stopped and goes on.
  let from = timed.length - 1;
  while (from > 0 && timed.length - from < 2000 && timed[from - 1]!.seconds <= timed[from]!.seconds) from--;
  const own = timed.slice(from);
  const recent = own.filter(({ seconds }) => seconds >= last.seconds - 30);
  const first = recent.length > 1 ? recent[0]! : own.at(-2);
  const rate = first && (last.step - first.step) / (last.seconds - first.seconds);
  return rate !== undefined && rate > 0 && Number.isFinite(rate) ? rate : undefined;
}
