/**
 * What a recording's first bytes promise: its format, rate and length, and where its sound lies. Decoders give back
 * whatever they could read of a damaged file without a word; comparing with the header shows that something is missing.
 */

import type { Bytes } from './bytes.js';
import { m4aHeader } from './m4a.js';
import { wavHeader } from './wavHeader.js';

/** What a header says; what it leaves open (a streamed WAV's length, an MP3 without a Xing frame) is undefined. */
export interface Header {
  format: 'wav' | 'mp3' | 'flac' | 'vorbis' | 'opus' | 'm4a' | 'other';
  sampleRate?: number;
  channels?: number;
  seconds?: number;
  /** Its end is missing, though nothing says how much that is. */
  unfinished?: boolean;
  /** Bytes from which, and up to which, the encoded sound lies. */
  start: number;
  end: number;
  /** Of a WAV, how its samples are laid out: the content of its `fmt ` chunk. */
  layout?: Uint8Array;
}

/** A part of the file and a view of it; reading beyond its end throws a RangeError. */
interface Part {
  bytes: Uint8Array;
  view: DataView;
}

/** Reads the header of a file. Anything that is not understood comes back as 'other'; throws only if reading fails. */
export async function readHeader(file: Bytes): Promise<Header> {
  const whole = { start: 0, end: file.size };
  const first = await partAt(file, 0);
  const magic = textAt(first.bytes, 0, 4);
  try {
    if (['RIFF', 'RF64', 'BW64', 'riff'].includes(magic))
      return (await wavHeader(file)) ?? { format: 'other', ...whole };
    if (textAt(first.bytes, 4, 4) === 'ftyp') return await m4aHeader(file);
    if (magic === 'OggS') return { ...whole, ...oggHeader(first), unfinished: !(await oggIsFinished(file)) };
    const start = await afterId3(file, first);
    const part = start === 0 ? first : await partAt(file, start);
    if (textAt(part.bytes, 0, 4) === 'fLaC') return { ...whole, start, ...flacHeader(part) };
    return { ...whole, ...(mp3Header(part) ?? { format: start > 0 ? 'mp3' : 'other' }) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { format: 'other', ...whole }; // it ends within its header
  }
}

/** Enough for every header that has a fixed place. */
const PART = 4096;

async function partAt(file: Bytes, at: number): Promise<Part> {
  const bytes = await file.read(at, PART);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

type Description = Pick<Header, 'format' | 'sampleRate' | 'channels' | 'seconds'>;

/** STREAMINFO begins at byte 8: 20 bits of rate at byte 18, then channels - 1 (3 bits), depth (5), samples (36). */
function flacHeader({ bytes, view }: Part): Description {
  if (bytes.length < 26) return { format: 'flac' };
  const packed = view.getUint32(18);
  const sampleRate = packed >>> 12;
  const samples = (view.getUint8(21) & 0x0f) * 2 ** 32 + view.getUint32(22);
  const seconds = samples > 0 && sampleRate > 0 ? samples / sampleRate : undefined;
  return { format: 'flac', sampleRate, channels: ((packed >>> 9) & 7) + 1, ...(seconds && { seconds }) };
}

/** The first packet, behind the page's header of 27 bytes and its table of segments, names the codec. */
function oggHeader({ bytes, view }: Part): Description {
  const packet = 27 + view.getUint8(26);
  const name = textAt(bytes, packet, 8);
  if (name === 'OpusHead') return { format: 'opus', sampleRate: 48000, channels: view.getUint8(packet + 9) };
  if (name.startsWith('\x01vorbis')) {
    const sampleRate = view.getUint32(packet + 12, true);
    return { format: 'vorbis', sampleRate, channels: view.getUint8(packet + 11) };
  }
  return { format: name.startsWith('\x7fFLAC') ? 'flac' : 'other' };
}

/**
 * The last page of an Ogg stream (at most 65 307 bytes) carries the flag "end of stream" (4) at its byte 5, and is whole:
 * its header of 27 bytes is followed by the lengths of its segments, as many as byte 26 says, and by the segments.
 */
async function oggIsFinished(file: Bytes): Promise<boolean> {
  const tail = await file.read(Math.max(0, file.size - 65307), 65307);
  for (let at = tail.length - 27; at >= 0; at--) {
    if (textAt(tail, at, 4) !== 'OggS') continue;
    const segments = at + 27 + tail[at + 26]!;
    const end = tail.subarray(at + 27, segments).reduce((sum, length) => sum + length, segments);
    return (tail[at + 5]! & 4) !== 0 && end <= tail.length;
  }
  return false;
}

const mp3Rates = [44100, 48000, 32000];

/**
 * The first MPEG audio frame, whose Xing or Info block, if it has one, counts the frames.
 * Its header is 11 bits of sync, version (0: 2.5, 2: 2, 3: 1), layer, ..., rate index, ..., channel mode.
 */
function mp3Header({ bytes, view }: Part): Description | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || (bytes[1]! & 0xe0) !== 0xe0) return undefined;
  const version = (bytes[1]! >> 3) & 3;
  const layer = (bytes[1]! >> 1) & 3;
  const rate = mp3Rates[(bytes[2]! >> 2) & 3];
  if (version === 1 || layer === 0 || rate === undefined) return undefined;

  const sampleRate = rate / (version === 3 ? 1 : version === 2 ? 2 : 4);
  const channels = bytes[3]! >> 6 === 3 ? 1 : 2;
  const header: Description = { format: 'mp3', sampleRate, channels };
  if (layer !== 1) return header; // layers I and II have no Xing block
  const sideInformation = version === 3 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  const xing = 4 + sideInformation;
  const counted = ['Xing', 'Info'].includes(textAt(bytes, xing, 4)) && xing + 12 <= bytes.length;
  if (!counted || (view.getUint32(xing + 4) & 1) === 0) return header;
  const samplesPerFrame = version === 3 ? 1152 : 576;
  return { ...header, seconds: (view.getUint32(xing + 8) * samplesPerFrame) / sampleRate };
}

/** Behind all ID3v2 tags: each is "ID3", version, flags, its length as four 7-bit bytes, and the content. */
async function afterId3(file: Bytes, first: Part): Promise<number> {
  let at = 0;
  for (let { bytes } = first; textAt(bytes, 0, 3) === 'ID3' && bytes.length >= 10; ) {
    at += 10 + bytes.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0);
    bytes = await file.read(at, 10);
  }
  return at;
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
