/**
 * TensorBoard's event files of a run, `events.out.tfevents.<seconds>.lyrebird`: a new one whenever the run goes on, only ever
 * appended. What a killed run leaves is a file whose last record may be cut off, which TensorBoard passes over.
 */

import { mkdirSync, openSync, readdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { appendTo, naming } from './append.js';
import { type Event, encodeEvent, type Histogram, START, type Value } from './tensorboard/event.js';
import { encodeRecord } from './tensorboard/record.js';

export interface EventFile {
  /** Numbers by their tags; `losses/D` is in the group `losses`. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  /** A picture as PNG; a large one is made smaller. */
  image(step: number, tag: string, png: Uint8Array): Promise<void>;
  histograms(step: number, values: Iterable<readonly [tag: string, values: Float32Array]>): void;
  close(): void;
}

export interface EventFileOptions {
  /** Tells TensorBoard to forget what earlier files of the folder say of steps from here on. Default 0. */
  readonly forgetFrom?: number;
}

/** Bytes of a picture from which on it is made smaller: there may be hundreds of them. */
const LARGE = 2 ** 18;

/** The longer side that is left of it, in pixels. */
const SMALLER_SIDE = 1024;

/** Opens a new file in `folder`, which is made if it is missing. Throws UserErrors where it cannot write. */
export function openEventFile(folder: string, { forgetFrom = 0 }: EventFileOptions = {}): EventFile {
  const file = path.join(folder, newName(folder));
  const { append, close } = appendTo(
    file,
    naming(file, () => openSync(file, 'ax')),
    0,
  );
  const write = (event: Omit<Event, 'wallTime'>): void =>
    append(encodeRecord(encodeEvent({ wallTime: Date.now() / 1000, ...event })));
  const summary = (step: number, value: readonly Value[]): void => write({ step, summary: { value } });
  write({ fileVersion: 'brain.Event:2' });
  write({ step: forgetFrom, sessionLog: { status: START } });
  return {
    scalars: (step, values) =>
      summary(
        step,
        Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue })),
      ),
    async image(step, tag, png) {
      const encodedImageString = png.length > LARGE ? await smaller(png) : png;
      const { width, height, channels: colorspace } = await sharp(encodedImageString).metadata();
      summary(step, [{ tag, image: { width, height, colorspace, encodedImageString } }]);
    },
    histograms: (step, values) =>
      summary(
        step,
        Array.from(values, ([tag, each]) => ({ tag, histo: histogramOf(each) })),
      ),
    close,
  };
}

const smaller = (picture: Uint8Array): Promise<Buffer> =>
  sharp(picture)
    .resize({ width: SMALLER_SIDE, height: SMALLER_SIDE, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: 85 })
    .toBuffer();

/** TensorBoard reads the files of a folder in the order of their names: a new one must be the last, whatever the clock says. */
function newName(folder: string): string {
  const names = naming(folder, () => {
    mkdirSync(folder, { recursive: true });
    return readdirSync(folder);
  });
  const seconds = names.map((name) => Number(/^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? 0));
  const next = Math.max(Math.floor(Date.now() / 1000), ...seconds.map((before) => before + 1));
  return `events.out.tfevents.${String(next).padStart(10, '0')}.lyrebird`;
}

const BINS = 30;

/** Values that are no numbers are not counted. */
export function histogramOf(values: Float32Array): Histogram {
  const finite = values.filter(Number.isFinite);
  let [min, max, sum, sumSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of finite) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
  }
  if (finite.length === 0) return { min: 0, max: 0, num: 0, sum, sumSquares, bucketLimit: [0], bucket: [0] };
  const width = (max - min) / BINS;
  const bucket = new Array<number>(BINS).fill(0);
  for (const value of finite) bucket[width > 0 ? Math.min(BINS - 1, Math.floor((value - min) / width)) : 0]!++;
  const bucketLimit = bucket.map((_, i) => (i === BINS - 1 ? max : min + (i + 1) * width));
  return { min, max, num: finite.length, sum, sumSquares, bucketLimit, bucket };
}
