/** Points of scaling on disk: those that were timed before stay, so that axes can be timed one by one. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { DeviceInfo } from '../../device/adapter.js';
import { UserError } from '../../io/errors.js';
import { readText, writeAtomically } from '../../io/files.js';
import { SIZES } from '../../train/config.js';
import { describeHost } from '../host.js';
import { version } from '../version.js';
import { AXES, type Place, type Point } from './points.js';

const FORMAT = 'lyrebird-scaling/1';

const spread = z.object({ median: z.number(), min: z.number() });
const place = { batch: z.int(), size: z.literal(SIZES), channels: z.int() };
const pointSchema = z.union([
  z.object({
    ...place,
    dispatches: z.int(),
    flops: z.number(),
    bytes: z.number(),
    memory: z.number(),
    idle: z.number(),
    wall: spread,
    recording: spread,
  }),
  z.object({ ...place, leftOut: z.string() }),
]);

const fileSchema = z.object({
  format: z.literal(FORMAT),
  lyrebird: z.string(),
  adapter: z.object({ name: z.string(), driver: z.string() }),
  points: z.array(pointSchema),
});

export const pointsFile = (folder: string): string => path.join(folder, 'scaling.json');

/** The points of a folder, none if it has no file yet. Throws a UserError if the file is of another adapter, program or version. */
export async function readPoints(folder: string, { name, driver }: DeviceInfo): Promise<readonly Point[]> {
  const file = pointsFile(folder);
  if (!existsSync(file)) return [];
  const parsed = fileSchema.safeParse(parse(await readText(file)));
  if (!parsed.success) {
    throw new UserError(`"${file}" does not hold points of scaling (${FORMAT}). Name another --out, or move it away.`);
  }
  const { adapter, lyrebird, points } = parsed.data;
  if (adapter.name !== name || adapter.driver !== driver) {
    throw new UserError(
      `"${file}" holds points of another adapter, ${adapter.name} with ${adapter.driver}, and not of ${name} with ${driver}. Name another --out.`,
    );
  }
  if (lyrebird !== version) {
    throw new UserError(
      `"${file}" holds points that lyrebird ${lyrebird} timed, and this is ${version}, whose steps may be others. Name another --out.`,
    );
  }
  return points;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isSamePlace = (a: Place, b: Place): boolean => AXES.every((axis) => a[axis] === b[axis]);

/** With a new point, in place of an old one of the same place. */
export const merged = (points: readonly Point[], point: Point): Point[] =>
  [...points.filter((other) => !isSamePlace(other, point)), point].sort(
    (a, b) => a.size - b.size || a.channels - b.channels || a.batch - b.batch,
  );

export async function writePoints(folder: string, adapter: DeviceInfo, points: readonly Point[]): Promise<void> {
  const about = { format: FORMAT, lyrebird: version, date: new Date().toISOString(), host: describeHost(), adapter };
  await writeAtomically(pointsFile(folder), `${JSON.stringify({ ...about, points }, undefined, 2)}\n`);
}
