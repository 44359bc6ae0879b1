/** One recording on its way into a data set: kept from an earlier run, decoded, or found to be bad. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { decodeRecording, type Sound } from '../audio/decode.js';
import type { RecordingFile } from '../audio/find.js';
import type { SynthesisedRecording } from '../audio/syrinx.js';
import { toUserError, UserError } from '../io/errors.js';
import { insideFolder } from '../io/files.js';
import type { Entry } from './assemble.js';
import { noisePrefix } from './images.js';

/** A recording to be prepared: a file, or samples in memory. */
export type Recording = RecordingFile | SynthesisedRecording;

export interface Loaded extends Sound {
  kind: 'sound';
  fingerprint: string;
}

export type LoadedSource = Loaded | { kind: 'kept' } | { kind: 'bad'; reason: string };

/** Where a recording comes from, for `dataset.json`: its path below `dir`, if it was found there. */
export function sourceName(recording: Recording, dir: string | undefined): string {
  if (!('path' in recording)) return `synthesised ${recording.label}/${recording.recording}`;
  return dir === undefined ? recording.path : path.relative(dir, recording.path);
}

/**
 * Reads a recording, unless `earlier` is about the very same content and its images, all named `<prefix>_...`, are
 * still in the folder `out`. What the user can mend (a bad file) comes back as 'bad'; other errors are thrown.
 */
export async function loadSource(
  recording: Recording,
  earlier: Entry | undefined,
  out: string,
  prefix: string,
): Promise<LoadedSource> {
  try {
    const fingerprint = await fingerprintOf(recording);
    if (earlier?.recording.fingerprint === fingerprint && (await hasImages(earlier, out, prefix)))
      return { kind: 'kept' };
    if ('path' in recording) return { kind: 'sound', fingerprint, ...(await decodeRecording(recording.path)) };
    const { samples, sampleRate } = recording;
    return { kind: 'sound', fingerprint, samples, sampleRate, channels: 1, seconds: samples.length / sampleRate };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const subject = 'path' in recording ? `"${recording.path}" ` : '';
    return {
      kind: 'bad',
      reason: error.message.startsWith(subject) ? error.message.slice(subject.length) : error.message,
    };
  }
}

async function fingerprintOf(recording: Recording): Promise<string> {
  const hash = createHash('sha256');
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

async function hasImages(entry: Entry, out: string, prefix: string): Promise<boolean> {
  const prefixes = [prefix, noisePrefix(prefix)];
  if (!entry.images.every(({ file }) => prefixes.some((own) => file.startsWith(`${own}_`)))) return false;
  const checks = entry.images.map(({ file }) => access(insideFolder(out, file)));
  return Promise.all(checks).then(
    () => true,
    () => false,
  );
}
