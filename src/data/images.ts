/** Sound into the files of a data set: windows, spectrograms, PNGs. */

import type { Annotation } from '../audio/annotations.js';
import type { Sound } from '../audio/decode.js';
import { limitWindows } from '../audio/limit.js';
import type { Stretch } from '../audio/stretches.js';
import {
  type CutWindows,
  cutWindows,
  type SkippedWindow,
  type SoundWindow,
  type Spectrogrammer,
} from '../audio/windows.js';
import { isOwnFault, onlyUserErrors, UserError } from '../io/errors.js';
import { insideFolder, writeAtomically } from '../io/files.js';
import { grayPng } from '../io/image.js';
import type { Entry } from './assemble.js';
import type { Prefixes } from './names.js';
import type { DatasetRecording, Parameters } from './schema.js';
import { reasonOf } from './source.js';

export interface ImageMaker {
  spectrogrammer: Spectrogrammer;
  parameters: Parameters;
  /** Windows given to the spectrogrammer at once. */
  batch: number;
  /** The data set's folder. */
  out: string;
  signal: AbortSignal | undefined;
  /** Called with the number of images of the recording so far, and the last one's place in it, seconds. */
  onImages: (count: number, at: number) => void;
}

/** A recording to be made into images. */
export interface Subject {
  sound: Sound;
  /** What is known of it; its length and damage are known at its end. */
  about: Omit<DatasetRecording, 'sampleRate' | 'seconds' | 'note'>;
  /** Where given, they say what is what. */
  annotations: readonly Annotation[] | undefined;
  /** What the images of a label are called: `<prefix>_<start>.png`. */
  prefixOf: Prefixes;
}

/** What became of a recording. The images that were written are whole, however it ended. */
export interface Made {
  entry: Entry;
  /** `stopped` before its end by the signal; or the fault that was found on the way, in words that follow its name. */
  end: 'whole' | 'stopped' | { fault: string };
}

/** Writes an image for each window of a recording that is to be used. Reads and closes the sound. */
export async function makeImages(subject: Subject, maker: ImageMaker): Promise<Made> {
  try {
    return await makeAll(subject, maker);
  } finally {
    await subject.sound.close();
  }
}

async function makeAll(subject: Subject, maker: ImageMaker): Promise<Made> {
  const { sound, about, annotations } = subject;
  const { parameters, batch, signal } = maker;
  const { sampleRate } = sound;
  const entry: Entry = { recording: { ...about, sampleRate, seconds: 0 }, images: [], skipped: [] };
  const unusable = (reason: string): Made => {
    const skipped = [{ file: about.source, start: 0, reason }];
    return { entry: { ...entry, images: [], skipped }, end: 'whole' };
  };
  if (sampleRate / 2 <= parameters.fmin) {
    return unusable(
      `holds nothing above ${sampleRate / 2} Hz (half its sample rate), but fmin is ${parameters.fmin} Hz`,
    );
  }
  let fault: string | undefined;
  const cuts = cutEach(subject, maker, (reason) => {
    fault = reason;
  });
  for await (const { windows, skipped } of limitWindows(cuts, parameters)) {
    entry.skipped.push(...skipped.map((window) => ({ file: about.source, ...window })));
    for (let first = 0; first < windows.length; first += batch) {
      if (signal?.aborted) return { entry, end: 'stopped' };
      const images = await writeImages(windows.slice(first, first + batch), subject, maker).catch(onlyOwnFaults);
      if (images instanceof UserError) return unusable(images.message);
      entry.images.push(...images);
      maker.onImages(entry.images.length, images.at(-1)!.start);
    }
  }
  if (fault !== undefined) return { entry, end: { fault } };
  if (signal?.aborted) return { entry, end: 'stopped' };
  entry.images.sort((a, b) => a.start - b.start);
  const ending = sound.ending();
  const notes = [ending.note, beyondNote(annotations, ending.seconds)].filter((note) => note !== undefined);
  const recording = {
    ...entry.recording,
    seconds: ending.seconds,
    ...(notes.length > 0 && { note: notes.join(' It ') }),
  };
  return { entry: { ...entry, recording }, end: 'whole' };
}

/** For `catch`: what lies in the recording. A full disk does not: the recording can be used once there is room. */
function onlyOwnFaults(error: unknown): UserError {
  if (isOwnFault(error)) return error;
  throw error;
}

/** Somebody looked at a longer recording of that name. */
function beyondNote(annotations: Subject['annotations'], seconds: number): string | undefined {
  const beyond = annotations?.filter(({ start }) => start >= seconds).length ?? 0;
  return beyond === 0 ? undefined : `ends after ${seconds.toFixed(1)} s, before ${beyond} of its annotations begin.`;
}

/** The windows of one stretch after the other, until the end, a stop, or a fault of the recording that the user can mend. */
async function* cutEach(
  { sound, annotations }: Subject,
  { parameters, signal }: ImageMaker,
  onFault: (reason: string) => void,
): AsyncGenerator<CutWindows, void, undefined> {
  while (!signal?.aborted) {
    const next = await sound.stretches.next().catch(onlyUserErrors);
    if (next instanceof UserError) return onFault(reasonOf(next));
    if (next.done) return;
    const { kept, beyond } = annotationsWithin(next.value, annotations);
    const { windows, skipped } = cutWindows(next.value, parameters, kept);
    yield { windows, skipped: [...skipped, ...beyond] };
  }
}

/** Where the last stretch shows how long the recording is, annotations end with it, and those beyond it are left out. */
function annotationsWithin({ samples, sampleRate, first, until }: Stretch, annotations: Subject['annotations']) {
  if (!annotations || until !== Number.POSITIVE_INFINITY) return { kept: annotations, beyond: [] };
  const length = (first + samples.length) / sampleRate;
  const beyond: SkippedWindow[] = annotations
    .filter(({ start }) => start >= length)
    .map(({ start, label }) => ({
      start,
      reason: `is annotated as "${label}", but the recording ends at ${length.toFixed(1)} s`,
    }));
  const within = annotations.filter(({ start }) => start < length);
  return { kept: within.map((annotation) => ({ ...annotation, end: Math.min(annotation.end, length) })), beyond };
}

async function writeImages(
  windows: SoundWindow[],
  { about, prefixOf }: Subject,
  { spectrogrammer, parameters: { size, window }, out }: ImageMaker,
): Promise<Entry['images']> {
  const spectrograms = await spectrogrammer(windows);
  const images = windows.map((sound) => describeImage(sound, about, window, prefixOf));
  await Promise.all(
    images.map(async ({ file }, k) => {
      const gray = toGray(spectrograms[k], size, file);
      await writeAtomically(insideFolder(out, file), await grayPng(gray, size, size));
    }),
  );
  return images;
}

function describeImage(
  { start, label: own, annotation, note }: SoundWindow,
  { label: whole, recording, recordist, source }: Subject['about'],
  seconds: number,
  prefixOf: Subject['prefixOf'],
): Entry['images'][number] {
  const label = own ?? whole;
  if (label === undefined) throw new Error(`A window of ${source} has no label.`);
  const { low, high, confidence } = annotation ?? {};
  return {
    file: `${prefixOf(label)}_${start.toFixed(2)}.png`,
    label,
    recording,
    ...(recordist !== undefined && { recordist }),
    ...(label !== whole && { source }),
    start,
    seconds,
    ...(low !== undefined && { low }),
    ...(high !== undefined && { high }),
    ...(confidence !== undefined && { confidence }),
    ...(note !== undefined && { note }),
  };
}

/** [0, 1] to 0 ... 255, row by row. */
function toGray(values: Float32Array | undefined, size: number, file: string): Uint8Array {
  if (values?.length !== size * size || !values.every(Number.isFinite)) {
    throw new Error(`The spectrogrammer did not give ${size} * ${size} finite values for ${file}.`);
  }
  return Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}
