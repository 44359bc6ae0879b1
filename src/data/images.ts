/** Sound into the files of a data set: windows, spectrograms, PNGs. */

import { cutWindows, type Spectrogrammer } from '../audio/windows.js';
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
 * Writes `<prefix>_<start>.png` for each window of a recording that is not silent. Undefined if it was stopped before
 * the last one; those that were written are whole.
 */
export async function makeImages(
  samples: Float32Array,
  recording: DatasetRecording,
  prefix: string,
  { spectrogrammer, parameters, batch, out, signal }: ImageMaker,
): Promise<Entry | undefined> {
  const { label, recordist, source, sampleRate } = recording;
  if (sampleRate / 2 <= parameters.fmin) {
    const reason = `holds nothing above ${sampleRate / 2} Hz (half its sample rate), but fmin is ${parameters.fmin} Hz`;
    return { recording, images: [], skipped: [{ file: source, start: 0, reason }] };
  }
  const cut = cutWindows({ samples, sampleRate }, parameters);
  const skipped = cut.skipped.map(({ start, reason }) => ({ file: source, start, reason }));
  const entry: Entry = { recording, images: [], skipped };
  for (let first = 0; first < cut.windows.length; first += batch) {
    if (signal?.aborted) return undefined;
    const windows = cut.windows.slice(first, first + batch);
    const spectrograms = await spectrogrammer(windows).catch(onlyUserErrors);
    if (spectrograms instanceof UserError) {
      return { recording, images: [], skipped: [{ file: source, start: 0, reason: spectrograms.message }] };
    }
    const images = windows.map(({ start }) => ({
      file: `${prefix}_${start.toFixed(2)}.png`,
      label,
      recording: recording.recording,
      ...(recordist !== undefined && { recordist }),
      start,
      seconds: parameters.window,
    }));
    await Promise.all(
      images.map(async ({ file }, k) => {
        const gray = toGray(spectrograms[k], parameters.size, file);
        await writeAtomically(insideFolder(out, file), await grayPng(gray, parameters.size, parameters.size));
      }),
    );
    entry.images.push(...images);
  }
  return entry;
}

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
