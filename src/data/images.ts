/** Sound into the files of a data set: windows, spectrograms, PNGs. */

import { limitWindows } from '../audio/limit.js';
import { noiseLabel } from '../audio/places.js';
import { cutWindows, type SoundWindow, type Spectrogrammer } from '../audio/windows.js';
import { UserError } from '../io/errors.js';
import { insideFolder, writeAtomically } from '../io/files.js';
import { grayPng } from '../io/image.js';
import type { Entry } from './assemble.js';
import type { DatasetRecording, Parameters } from './schema.js';

export interface ImageMaker {
  spectrogrammer: Spectrogrammer;
  parameters: Parameters;
  /** Windows given to the spectrogrammer at once. */
  batch: number;
  /** The data set's folder. */
  out: string;
  signal: AbortSignal | undefined;
}

/**
 * Writes `<prefix>_<start>.png` for each window of a recording that is used; those of noise go to the class's own folder.
 * Undefined if it was stopped before the last one; those that were written are whole.
 */
export async function makeImages(
  samples: Float32Array,
  recording: DatasetRecording,
  prefix: string,
  maker: ImageMaker,
): Promise<Entry | undefined> {
  const { source, sampleRate } = recording;
  const { parameters, batch, signal } = maker;
  const entry: Entry = { recording, images: [], skipped: [] };
  if (sampleRate / 2 <= parameters.fmin) {
    const reason = `holds nothing above ${sampleRate / 2} Hz (half its sample rate), but fmin is ${parameters.fmin} Hz`;
    return { recording, images: [], skipped: [{ file: source, start: 0, reason }] };
  }
  const stretch = { samples, sampleRate, first: 0, until: Number.POSITIVE_INFINITY };
  for await (const cut of limitWindows([cutWindows(stretch, parameters)], parameters)) {
    entry.skipped.push(...cut.skipped.map(({ start, reason }) => ({ file: source, start, reason })));
    for (let first = 0; first < cut.windows.length; first += batch) {
      if (signal?.aborted) return undefined;
      const windows = cut.windows.slice(first, first + batch);
      const images = await writeImages(windows, recording, prefix, maker).catch(onlyUserErrors);
      if (images instanceof UserError) {
        return { recording, images: [], skipped: [{ file: source, start: 0, reason: images.message }] };
      }
      entry.images.push(...images);
    }
  }
  entry.images.sort((a, b) => a.start - b.start);
  return entry;
}

async function writeImages(
  windows: SoundWindow[],
  { label, recording, recordist, source }: DatasetRecording,
  prefix: string,
  { spectrogrammer, parameters, out }: ImageMaker,
): Promise<Entry['images']> {
  const spectrograms = await spectrogrammer(windows);
  const images = windows.map((window) => ({
    file: `${window.label === noiseLabel ? noisePrefix(prefix) : prefix}_${window.start.toFixed(2)}.png`,
    label: window.label ?? label,
    recording,
    ...(recordist !== undefined && { recordist }),
    ...(window.label !== undefined && window.label !== label && { source }),
    start: window.start,
    seconds: parameters.window,
    ...(window.note !== undefined && { note: window.note }),
  }));
  await Promise.all(
    images.map(async ({ file }, k) => {
      const gray = toGray(spectrograms[k], parameters.size, file);
      await writeAtomically(insideFolder(out, file), await grayPng(gray, parameters.size, parameters.size));
    }),
  );
  return images;
}

/** Of a recording's windows of noise: no other prefix is equal, since "~" is in no safe name. */
export const noisePrefix = (prefix: string): string => `${noiseLabel}/${prefix.replace('/', '~')}`;

/** A recording whose windows cannot be transformed (too long at its sample rate, ...) must not keep the others from it. */
function onlyUserErrors(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}

/** [0, 1] to 0 ... 255, row by row. */
function toGray(values: Float32Array | undefined, size: number, file: string): Uint8Array {
  if (values?.length !== size * size || !values.every(Number.isFinite)) {
    throw new Error(`The spectrogrammer did not give ${size} * ${size} finite values for ${file}.`);
  }
  return Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}
