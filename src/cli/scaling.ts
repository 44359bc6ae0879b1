/** lyrebird scaling: a training step timed against batch, image size and width, as a table and one picture. */
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { DeviceInfo } from '../device/adapter.js';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { logChart, logChartPng } from '../io/logChart.js';
import { hasSystemFonts } from '../io/text.js';
import type { Engine } from '../kernel/engine.js';
import { checkConfig } from '../train/config.js';
import { adapterOption, withFastEngine } from './engine.js';
import { alone } from './interrupt.js';
import { folder, positiveInteger, positiveIntegers, positiveNumber } from './options.js';
import { merged, pointsFile, readPoints, writePoints } from './scaling/file.js';
import {
  AXES,
  type Axis,
  CENTRE,
  configOf,
  emptyDispatch,
  isTimed,
  nameOf,
  type Point,
  placesOf,
  timePlace,
  VALUES,
} from './scaling/points.js';
import { along, chartOf, formatPoints, timedBy } from './scaling/show.js';
import { threeDigits } from './table.js';

interface ScalingFlags {
  readonly only: readonly Axis[];
  readonly values?: readonly number[];
  readonly rounds: number;
  readonly limit: number;
  readonly out: string;
  readonly adapter?: string;
}

const axes = (text: string): Axis[] =>
  text.split(',').map((name) => {
    const axis = AXES.find((known) => known === name.trim());
    if (!axis) throw new InvalidArgumentError(`Give some of ${AXES.join(',')}.`);
    return axis;
  });

export function register(program: Command): void {
  program
    .command('scaling')
    .description(
      `Times a training step of DR-ACGAN, both updates, on random images, from ${nameOf(CENTRE)} outwards: against the batch (` +
        `${VALUES.batch.join(', ')}), the side of the images (${VALUES.size.join(', ')}) and the channels of the networks (` +
        `${VALUES.channels.join(', ')} in the first feature map, all others in proportion). Times are those of the fastest ` +
        'round: what else a machine does only adds to them. The table and the picture show beside them what would be in ' +
        'proportion to the operations of convolutions and matrix products, at the speed of the fastest step, and what the dispatches of a ' +
        'step would take if they did nothing. What would take too long or does not fit is left out, and said. Steps run by ' +
        "the plans that rules choose, whatever 'lyrebird tune' has found.",
    )
    .option('--only <axes>', `some of ${AXES.join(',')}; points that the folder has of others stay`, axes, [...AXES])
    .option('--values <list>', 'along one axis, these instead, such as 3,5,24', positiveIntegers)
    .option(
      '--rounds <n>',
      'rounds that the fastest is taken of: more of short steps, fewer of long ones',
      positiveInteger,
      9,
    )
    .option('--limit <seconds>', 'that one point may take', positiveNumber, 60)
    .option('--out <folder>', 'where scaling.png, scaling.svg and scaling.json go', folder, 'lyrebird-scaling')
    .addOption(adapterOption())
    .action(async (flags: ScalingFlags) => {
      checkValues(flags);
      await alone(flags.out, (signal) =>
        withFastEngine({ adapter: flags.adapter, tuned: 'none' }, (e) => scaling(e, flags, signal)),
      );
    });
}

/** Throws a UserError if the values are of no axis, or cannot be had. */
function checkValues({ only, values }: ScalingFlags): void {
  if (!values) return;
  if (only.length !== 1) throw new UserError('--values are of one axis: name it with --only.');
  const none = values.find((value) => only[0] === 'size' && !VALUES.size.includes(value));
  if (none !== undefined)
    throw new UserError(`There are no images of ${none} pixels, but of ${VALUES.size.join(', ')}.`);
  for (const place of placesOf(only[0]!, values)) checkConfig(configOf(place), `--values ${place[only[0]!]}`);
}

async function scaling(e: Engine, { only, values, rounds, limit, out }: ScalingFlags, signal: AbortSignal) {
  const { info } = e.gpu;
  let points = await readPoints(out, info);
  console.log(timedBy(info));
  const empty = await emptyDispatch(e, rounds);
  const done = new Map<string, Point>();
  for (const axis of only) {
    for (const place of placesOf(axis, values)) {
      if (signal.aborted || done.has(nameOf(place))) continue;
      // The next smaller step of the axis tells best what this one takes.
      const known = along(axis, [...done.values()].filter(isTimed)).findLast((point) => point[axis] < place[axis]);
      const point = await timePlace(e, place, empty, known, { rounds, seconds: limit });
      done.set(nameOf(place), point);
      console.log(`${nameOf(place)}: ${isTimed(point) ? `${threeDigits(point.wall.min)} ms` : point.leftOut}`);
      points = merged(points, point);
      await writePoints(out, info, points);
    }
  }
  const pictures = await draw(points, info, out);
  const table = formatPoints(points) || 'A table and a picture need two points of an axis.';
  console.log(`\n${timedBy(info)}\n\n${table}\n\n${[...pictures, pointsFile(out)].join(', ')}`);
}

/** Draws the points, once an axis has two of them; returns the names of the files. Without fonts there is no PNG, but an SVG. */
async function draw(points: readonly Point[], info: DeviceInfo, out: string): Promise<string[]> {
  const chart = chartOf(points, info);
  if (chart.panels.length === 0) return [];
  const [png, svg] = [path.join(out, 'scaling.png'), path.join(out, 'scaling.svg')];
  await writeAtomically(svg, logChart(chart).html);
  if (!(await hasSystemFonts())) return [svg];
  await writeAtomically(png, await logChartPng(chart));
  return [png, svg];
}
