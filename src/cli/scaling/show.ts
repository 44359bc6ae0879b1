/** Points of scaling for people: a table, and a picture. */
import type { DeviceInfo } from '../../device/adapter.js';
import type { LogChart, LogPanel } from '../../io/logChart.js';
import { formatTable, threeDigits } from '../table.js';
import { version } from '../version.js';
import { AXES, type Axis, CENTRE, isTimed, type Place, type Point, proportional, type Timed } from './points.js';

const TITLES: Readonly<Record<Axis, readonly [title: string, label: string]>> = {
  batch: [`${CENTRE.size} x ${CENTRE.size}, ${CENTRE.channels} channels`, 'real images a step (batch)'],
  size: [`batch ${CENTRE.batch}, ${CENTRE.channels} channels`, 'side of the images in pixels'],
  channels: [`batch ${CENTRE.batch}, ${CENTRE.size} x ${CENTRE.size}`, 'channels of the first feature map'],
};

/** The points of an axis by its values: those that differ from the centre along it alone. */
export function along<P extends Place>(axis: Axis, points: readonly P[]): P[] {
  const others = AXES.filter((other) => other !== axis);
  return points
    .filter((point) => others.every((other) => point[other] === CENTRE[other]))
    .sort((a, b) => a[axis] - b[axis]);
}

const HEADER = [
  '',
  'step ms',
  'proportional',
  'ratio',
  'empty dispatches',
  'recording',
  'dispatches',
  'GFLOP',
  'GFLOP/s',
  'bound MiB',
];

/** A table for each axis that has two points at least. */
export function formatPoints(points: readonly Point[]): string {
  return AXES.flatMap((axis) => {
    const own = along(axis, points);
    const timed = own.filter(isTimed);
    if (timed.length < 2) return [];
    const shares = proportional(timed);
    const rows = own.map((point) =>
      isTimed(point)
        ? cells(point, axis, shares[timed.indexOf(point)]!)
        : [String(point[axis]), ...HEADER.slice(1).map(() => '-')],
    );
    const reasons = own.flatMap((point) => (isTimed(point) ? [] : [`  ${point[axis]}: ${point.leftOut}`]));
    const table = formatTable(
      [axis, ...HEADER.slice(1)],
      rows,
      HEADER.map(() => 'right' as const),
    );
    return [[table, ...reasons, departures(axis, timed, shares)].join('\n')];
  }).join('\n\n');
}

/** Times proportional from which a step is said to depart. */
const DEPARTURE = 1.25;

/** Where steps take longer than in proportion, and how much of that their dispatches explain by being there. */
function departures(axis: Axis, timed: readonly Timed[], shares: readonly number[]): string {
  const ratios = timed.map(({ wall }, i) => wall.min / shares[i]!);
  const above = timed.filter((_, i) => ratios[i]! > DEPARTURE).map((point) => point[axis]);
  if (above.length === 0) return '  nowhere a quarter above proportional';
  const worst = ratios.indexOf(Math.max(...ratios));
  const { wall, idle, dispatches, ...place } = timed[worst]!;
  return (
    `  a quarter or more above proportional at ${above.join(', ')}: most at ${place[axis]}, where ${dispatches} empty ` +
    `dispatches would take ${threeDigits(idle)} of the ${threeDigits(wall.min - shares[worst]!)} ms above it`
  );
}

function cells(
  { wall, idle, recording, dispatches, flops, bytes, ...place }: Timed,
  axis: Axis,
  share: number,
): string[] {
  return [
    String(place[axis]),
    threeDigits(wall.min),
    threeDigits(share),
    (wall.min / share).toFixed(2),
    threeDigits(idle),
    threeDigits(recording.min),
    String(dispatches),
    threeDigits(flops / 1e9),
    threeDigits(flops / wall.min / 1e6),
    threeDigits(bytes / 2 ** 20),
  ];
}

/** What timed the points: goes with the table and the picture, of which another version's differ. */
export const timedBy = ({ name, driver }: DeviceInfo): string => `lyrebird ${version} on ${name}, ${driver}`;

/** A panel for each axis that has two points at least. */
export const chartOf = (points: readonly Point[], info: DeviceInfo): LogChart => ({
  title: 'A training step of DR-ACGAN against batch, image size and width',
  subtitle: timedBy(info),
  yLabel: 'milliseconds',
  panels: AXES.flatMap((axis): LogPanel[] => {
    const timed = along(axis, points).filter(isTimed);
    if (timed.length < 2) return [];
    const shares = proportional(timed);
    const [title, xLabel] = TITLES[axis];
    const curve = (value: (point: Timed, i: number) => number) =>
      timed.map((point, i) => [point[axis], value(point, i)] as const);
    return [
      {
        title,
        xLabel,
        series: [
          { name: 'a training step', style: 'measured', points: curve(({ wall }) => wall.min) },
          { name: 'proportional to its operations', style: 'dashed', points: curve((_, i) => shares[i]!) },
          { name: 'its dispatches, were they empty', style: 'dotted', points: curve(({ idle }) => idle) },
        ],
      },
    ];
  }),
});
