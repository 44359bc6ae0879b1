/** A profile for the terminal. */
import { formatShape } from '../../memory/tensor.js';
import { leastMilliseconds, type Roof } from '../roof.js';
import { type Align, formatTable, threeDigits } from '../table.js';
import type { Phase, Profile, ProfiledDispatch } from './collect.js';
import { type Cost, grouped, total } from './group.js';

/** What a line of the table stands for. */
export const GROUPINGS = ['op', 'kernel', 'dispatch'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** The table of what the step dispatches, that of its phases, and the sums. */
export function formatProfile(profile: Profile, by: Grouping): string {
  const { passes, phases, roof } = profile;
  const tables = passes
    ? [by === 'dispatch' ? dispatchTable(passes.typical, roof) : groupTable(passes.typical, roof, by)]
    : ["This adapter's timestamps are missing or wrong: no dispatch by itself, but phases by the wall clock."];
  return [...tables, phaseTable(phases, passes ? 'GPU ms' : 'wall ms'), totals(profile)].join('\n\n');
}

const COSTS = ['GPU ms', 'share', 'GFLOP/s', 'of roof', 'GB/s', 'of roof'];
const COSTS_ALIGN = COSTS.map((): Align => 'right');

/** In the order of the step. */
function dispatchTable(dispatches: readonly ProfiledDispatch[], roof: Roof): string {
  const step = total(dispatches).milliseconds;
  const rows = dispatches.map((dispatch, i) => {
    const { phase, name, shapes } = dispatch;
    return [String(i), phase, name, ...costCells(dispatch, step, roof), shapes.map(formatShape).join(' ')];
  });
  return formatTable(['', 'phase', 'kernel', ...COSTS, 'tensors'], rows, [
    'right',
    'left',
    'left',
    ...COSTS_ALIGN,
    'left',
  ]);
}

/** The most expensive first. */
function groupTable(dispatches: readonly ProfiledDispatch[], roof: Roof, by: 'op' | 'kernel'): string {
  const step = total(dispatches).milliseconds;
  const groups = grouped(dispatches, ({ op, name }) => (by === 'op' ? op : name));
  const rows = groups
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .map((group) => [group.name, String(group.calls), ...costCells(group, step, roof)]);
  return formatTable([by, 'calls', ...COSTS], rows, ['left', 'right', ...COSTS_ALIGN]);
}

function costCells({ milliseconds, bytes, flops = 0 }: Cost, step: number, roof: Roof): string[] {
  const gflops = flops / milliseconds / 1e6;
  const gbps = bytes / milliseconds / 1e6;
  return [
    threeDigits(milliseconds),
    percent(milliseconds / step),
    ...(flops > 0 ? [threeDigits(gflops), percent(gflops / roof.gflops)] : ['-', '-']),
    threeDigits(gbps),
    percent(gbps / roof.gbps),
  ];
}

function phaseTable(phases: readonly Phase[], clock: 'GPU ms' | 'wall ms'): string {
  const step = phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = phases.map(({ name, dispatches, milliseconds }) => [
    name,
    String(dispatches),
    threeDigits(milliseconds),
    percent(milliseconds / step),
  ]);
  return formatTable(['phase', 'dispatches', clock, 'share'], rows, ['left', 'right', 'right', 'right']);
}

type Line = readonly [label: string, value: string, meaning: string];

function totals({ phases, submits, wall, recording, peakBytes, passes, roof }: Profile): string {
  const dispatches = phases.reduce((sum, phase) => sum + phase.dispatches, 0);
  const lines: Line[] = [
    ['dispatches', String(dispatches), 'a step'],
    ['submits', String(submits), 'a step'],
    ...(passes ? gpuTotals(passes.typical, roof) : []),
    ['wall', `${threeDigits(wall)} ms`, 'a step that is not timed from inside'],
    ['recording', `${threeDigits(recording)} ms`, 'of the wall time: the processor records and submits'],
    ['peak memory', mebibytes(peakBytes), 'of all tensors, networks and optimisers included'],
  ];
  const [header, ...rows] = lines;
  return formatTable(header!, rows, ['left', 'right', 'left']);
}

function gpuTotals(dispatches: readonly ProfiledDispatch[], roof: Roof): Line[] {
  const { milliseconds, bytes, flops } = total(dispatches);
  const least = dispatches.reduce((sum, cost) => sum + leastMilliseconds(roof, cost.flops ?? 0, cost.bytes), 0);
  return [
    ['GPU', `${threeDigits(milliseconds)} ms`, 'the sum over the dispatches'],
    ['at the roof', `${threeDigits(least)} ms`, `${percent(least / milliseconds)} of that, had each reached the roof`],
    ['products', `${threeDigits(flops / 1e9)} GFLOP`, 'in matrix products and convolutions'],
    ['bytes', mebibytes(bytes), 'moved a step: the sum of what the dispatches bind'],
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

const mebibytes = (bytes: number): string => `${threeDigits(bytes / 2 ** 20)} MiB`;
