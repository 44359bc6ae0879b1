/** One recording on its way into a data set: kept from an earlier run, decoded, or found to be bad. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Annotation } from '../audio/annotations.js';
import { BadRecording, openRecording, type Sound } from '../audio/decode.js';
import type { RecordingFile } from '../audio/find.js';
import { cutStretches } from '../audio/stretches.js';
import type { SynthesisedRecording } from '../audio/syrinx.js';
import { ahead } from '../io/ahead.js';
import { toUserError, UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import type { Entry } from './assemble.js';
import type { Prefixes } from './names.js';

/** A recording to be prepared: a file, or samples in memory. */
export type Recording = RecordingFile | SynthesisedRecording;

export type LoadedSource =
  | { kind: 'sound'; fingerprint: string; sound: Sound }
  | { kind: 'kept' }
  | { kind: 'bad'; reason: string };

/** Where a recording comes from, for `dataset.json`: its path below `dir`, if it was found there. */
export function sourceName(recording: Recording, dir: string | undefined): string {
  if (!('path' in recording)) return `synthesised ${recording.label}/${recording.recording}`;
  return dir === undefined ? recording.path : path.relative(dir, recording.path);
}

export interface LoadOptions {
  /** The data set's folder, and in it what the images of each label are called: `<prefix>_...`. */
  out: string;
  prefixOf: Prefixes;
  /** Seconds: see ReadOptions. */
  window: number;
}

/**
 * Opens a recording and begins to decode it, unless `earlier` is about the very same content and its images are still in
 * the data set. What the user can mend (a bad file) comes back as 'bad'; other errors are thrown.
 */
export async function loadSource(
  recording: Recording,
  earlier: Entry | undefined,
  options: LoadOptions,
): Promise<LoadedSource> {
  try {
    const fingerprint = await fingerprintOf(recording);
    if (earlier?.recording.fingerprint === fingerprint && (await hasImages(earlier, options))) return { kind: 'kept' };
    const sound =
      'path' in recording ? await openRecording(recording.path, options) : soundOf(recording, options.window);
    return { kind: 'sound', fingerprint, sound: { ...sound, stretches: ahead(sound.stretches) } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: 'bad', reason: reasonOf(error) };
  }
}

/** What is wrong with a recording, in words that follow its name. */
export const reasonOf = (error: UserError): string => (error instanceof BadRecording ? error.reason : error.message);

function soundOf({ samples, sampleRate }: SynthesisedRecording, window: number): Sound {
  const whole = (async function* () {
    yield samples;
  })();
  return {
    sampleRate,
    stretches: cutStretches(whole, { sampleRate, window }),
    ending: () => ({ seconds: samples.length / sampleRate }),
    close: async () => undefined,
  };
}

/** What somebody says sounds in it; undefined where its label is that of all of it. */
export function annotationsOf(recording: Recording): readonly Annotation[] | undefined {
  return 'annotations' in recording ? recording.annotations : undefined;
}

/** What its windows may be labelled. */
export function labelsOf(recording: Recording): string[] {
  const labels = (annotationsOf(recording) ?? []).map(({ label }) => label);
  return [...new Set(recording.label === undefined ? labels : [recording.label, ...labels])];
}

async function fingerprintOf(recording: Recording): Promise<string> {
  const hash = createHash('sha256');
  const annotations = annotationsOf(recording);
  if (annotations) hash.update(JSON.stringify(annotations)); // first: a stream closes the hash at its end
  if ('path' in recording) {
    await pipeline(createReadStream(recording.path), hash).catch((error: unknown) => {
      throw toUserError(error, recording.path);
    });
  } else {
    const { samples, sampleRate } = recording;
    hash.update(`${sampleRate} Hz`).update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  }
  return hash.digest('hex');
}

async function hasImages({ images }: Entry, { out, prefixOf }: LoadOptions): Promise<boolean> {
  if (!images.every(({ file, label }) => file.startsWith(`${prefixOf(label)}_`))) return false;
  return isEvery(images, ({ file }) =>
    access(insideFolder(out, file)).then(
      () => true,
      () => false,
    ),
  );
}

/** One after the other: a recording of hours has more images than files may be looked at together. */
async function isEvery<Item>(items: readonly Item[], test: (item: Item) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (!(await test(item))) return false;
  return true;
}
