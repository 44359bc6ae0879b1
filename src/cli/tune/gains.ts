/** What a tuning gains: a step's works by the plans of the rules, and by those that were measured to be the fastest. */
import type { TunedWork } from '../../io/tuning.js';
import type { Capabilities } from '../../kernel/choose.js';
import type { CountedWork } from '../../kernel/works.js';
import { formatTable, threeDigits } from '../table.js';

/** Milliseconds of all calls in a step. */
export interface Gain {
  readonly work: string;
  readonly calls: number;
  readonly rule: string;
  readonly ruleMs: number;
  readonly tuned: string;
  readonly tunedMs: number;
}

/** Of the works of a step that were measured. */
export function gainsOf(
  device: Capabilities,
  step: readonly CountedWork[],
  known: ReadonlyMap<string, TunedWork>,
): Gain[] {
  return step.flatMap(({ work, calls }) => {
    const { plan, milliseconds = {} } = known.get(work.name) ?? {};
    const rule = work.candidates(device)[0]!.name;
    const [ruleMs, tunedMs] = [milliseconds[rule], milliseconds[plan ?? '']];
    if (plan === undefined || ruleMs === undefined || tunedMs === undefined) return [];
    return [{ work: work.name, calls, rule, ruleMs: calls * ruleMs, tuned: plan, tunedMs: calls * tunedMs }];
  });
}

/** Lines of the table. */
const MOST = 12;

/** The works that gain most, and the sum over the step. */
export function formatGains(gains: readonly Gain[]): string {
  const changed = gains.filter(({ rule, tuned }) => rule !== tuned);
  const most = [...changed].sort((a, b) => b.ruleMs - b.tunedMs - (a.ruleMs - a.tunedMs)).slice(0, MOST);
  const table = formatTable(
    ['work', 'calls', 'by rule', 'ms', 'tuned', 'ms'],
    most.map(({ work, calls, rule, ruleMs, tuned, tunedMs }) => [
      work,
      String(calls),
      rule,
      threeDigits(ruleMs),
      tuned,
      threeDigits(tunedMs),
    ]),
    ['left', 'right', 'left', 'right', 'left', 'right'],
  );
  const sum = (of: (gain: Gain) => number): number => gains.reduce((total, gain) => total + of(gain), 0);
  const [rule, tuned] = [sum(({ ruleMs }) => ruleMs), sum(({ tunedMs }) => tunedMs)];
  const saved = rule > 0 ? (100 * (rule - tuned)) / rule : 0;
  return [
    ...(most.length > 0 ? [table, ''] : []),
    `a step's products and convolutions: ${threeDigits(rule)} ms by rule, ${threeDigits(tuned)} ms tuned (${saved.toFixed(1)} % less); ` +
      `${changed.length} of ${gains.length} by other plans than the rule's`,
  ].join('\n');
}
