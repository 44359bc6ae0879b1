/**
 * Recordings into samples: WAV, MP3, FLAC, Ogg Vorbis, Opus and M4A, as one mono channel at the recording's own rate.
 *
 * A damaged file is judged by what decodes. It is kept, with a note, when at least half of the length that its header
 * promises is there: every sample before a cut is as good as ever. It is refused when less than half is there (the copy
 * or download has to be mended, not the analysis), when samples are not numbers, and when they show that the decoder
 * went astray: a rate other than the header's, or levels that no lossy codec gives for sound.
 */

import { readFile, stat } from 'node:fs/promises';
import { toUserError, UserError } from '../io/errors.js';
import { type Decoded, decodeBytes } from './decoder.js';
import { type Header, readHeader } from './header.js';

/** A recording as one channel. */
export interface Sound {
  /** The mean of all channels, nominally in [-1, 1]. */
  samples: Float32Array;
  /** Hz */
  sampleRate: number;
  /** Channels of the file, before mixing. */
  channels: number;
  seconds: number;
  /** Set when the file is damaged, but what decodes is worth keeping: a sentence saying what is missing. */
  note?: string;
}

/** Larger files need several GB as samples. */
const MAX_BYTES = 512 * 2 ** 20;
const MIN_SECONDS = 0.1;
/** From very old recorders to ultrasound detectors, Hz. */
const [MIN_RATE, MAX_RATE] = [4000, 1_000_000];
/** A float WAV may hold the range of 16-bit integers; other formats end near 1, lossy ones a little above. */
const MAX_PEAK = { wav: 65536, other: 8 };
const CUT_OFF_SHARE = 0.98;
const MIN_SHARE = 0.5;

/**
 * Reads and decodes a recording. `timeLimit` (seconds) ends a decoder that hangs; by default 30 s and a second for
 * each 256 KiB. Throws a UserError of one sentence that names the file, what is wrong, and what to do.
 */
export async function decodeRecording(path: string, timeLimit?: number): Promise<Sound> {
  const bytes = await readBytes(path);
  const header = readHeader(bytes);
  const looksLikeText = isText(bytes);
  const limit = timeLimit ?? Math.ceil(30 + bytes.length / 2 ** 18);
  const decoded = await decodeBytes(bytes, limit).catch((error: Error) => {
    throw new UserError(`"${path}" ${whyUnreadable(error.message, header, looksLikeText)}`, { cause: error });
  });
  return judge(path, header, decoded);
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new UserError(`"${path}" is not a file: name a recording.`);
    if (status.size > MAX_BYTES) {
      const mebibytes = Math.round(status.size / 2 ** 20);
      throw new UserError(`"${path}" is ${mebibytes} MiB large: split it into files of at most 512 MiB first.`);
    }
    const bytes = new Uint8Array(await readFile(path)); // a copy: small files share one buffer, which cannot be handed over
    if (bytes.length === 0) throw new UserError(`"${path}" is empty (0 bytes): copy or download it again.`);
    return bytes;
  } catch (error) {
    throw toUserError(error);
  }
}

/** Why nothing could be decoded, as the rest of a sentence that begins with the file's name. */
function whyUnreadable(fault: string, header: Header, looksLikeText: boolean): string {
  const known = 'WAV, MP3, FLAC, Ogg Vorbis, Opus and M4A are read';
  if (looksLikeText) return `is a text file, not a recording, whatever its name says (${known}).`;
  if (fault === 'Unknown audio format') return `is not a recording in a known format (${known}): convert it first.`;
  if (fault.startsWith('No decoder for')) return `is in an unsupported format (${known}): convert it first.`;
  if (header.format === 'm4a') return `is cut off or not a sound file (${fault}): copy or download it again.`;
  return `could not be decoded (${fault}): check that it plays, or convert it to 16-bit WAV.`;
}

/** Mixes to mono and applies the rules above. */
function judge(path: string, header: Header, { channelData, sampleRate }: Decoded): Sound {
  const refuse = (reason: string): never => {
    throw new UserError(`"${path}" ${reason}`);
  };
  const length = channelData[0]?.length ?? 0;
  if (header.channels === 0) refuse('says that it has 0 channels: its header is damaged, copy or download it again.');
  if (header.sampleRate === 0) refuse('says that its sample rate is 0 Hz: its header is damaged, mend or convert it.');
  if (length === 0) {
    const promise = header.seconds ? ` of the ${show(header.seconds)} s that its header promises` : '';
    refuse(`holds no sound at all${promise}: it is empty or cut off, copy or download it again.`);
  }
  if (!(sampleRate >= MIN_RATE && sampleRate <= MAX_RATE)) {
    refuse(`has a sample rate of ${sampleRate} Hz, outside ${MIN_RATE} to ${MAX_RATE} Hz: its header may be damaged.`);
  }
  if (header.format === 'mp3' && header.sampleRate !== sampleRate) {
    refuse(`starts at ${header.sampleRate} Hz and goes on at ${sampleRate} Hz: it is damaged, download it again.`);
  }
  const seconds = length / sampleRate;
  if (header.seconds && seconds < MIN_SHARE * header.seconds) {
    refuse(
      `is cut off or damaged: only ${show(seconds)} s of ${show(header.seconds)} s decode; copy or download it again.`,
    );
  }
  if (seconds < MIN_SECONDS) refuse(`lasts only ${show(seconds)} s: there is nothing to analyse in it.`);

  const samples = mixToMono(channelData);
  const { peak, bad } = measure(channelData);
  if (bad > 0)
    refuse(
      `has ${bad} of ${length * channelData.length} samples that are NaN or infinite: export it again as 16-bit WAV.`,
    );
  if (peak > (header.format === 'wav' ? MAX_PEAK.wav : MAX_PEAK.other)) {
    const advice = header.format === 'wav' ? 'scale it to [-1, 1]' : 'it is damaged, copy or download it again';
    refuse(`holds samples up to ${peak.toPrecision(3)} where 1 is full scale: ${advice}.`);
  }
  const note = cutOffNote(header, seconds);
  return { samples, sampleRate, channels: channelData.length, seconds, ...(note && { note }) };
}

function cutOffNote(header: Header, seconds: number): string | undefined {
  if (header.unfinished) return `is cut off: its end is missing; the ${show(seconds)} s before it are used.`;
  if (!header.seconds || seconds >= CUT_OFF_SHARE * header.seconds - 0.1) return undefined; // codecs pad and trim a little
  return `is cut off or damaged: ${show(seconds)} s of ${show(header.seconds)} s decode and are used.`;
}

function mixToMono(channelData: readonly Float32Array[]): Float32Array {
  const [first, ...others] = channelData as [Float32Array, ...Float32Array[]];
  if (others.length === 0) return first;
  return first.map(
    (sample, i) => others.reduce((sum, channel) => sum + (channel[i] ?? 0), sample) / (1 + others.length),
  );
}

/** The largest magnitude, and how many samples are no numbers. */
function measure(channelData: readonly Float32Array[]): { peak: number; bad: number } {
  let peak = 0;
  let bad = 0;
  for (const channel of channelData) {
    for (const sample of channel) {
      if (!Number.isFinite(sample)) bad++;
      else if (Math.abs(sample) > peak) peak = Math.abs(sample);
    }
  }
  return { peak, bad };
}

/** Printable characters, tabs and line ends only, over the first kilobyte. */
function isText(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, 1024)
    .every((byte) => (byte >= 32 ? byte !== 127 : byte === 9 || byte === 10 || byte === 13));
}

function show(seconds: number): string {
  return seconds.toFixed(seconds < 1 ? 3 : 1);
}
