/**
 * What a recording's first bytes promise: its format, rate and length. Decoders give back whatever they could read of
 * a damaged file without a word; comparing with the header shows that something is missing.
 */

/** What a header says; what it leaves open (a streamed WAV's length, an MP3 without a Xing frame) is undefined. */
export interface Header {
  format: 'wav' | 'mp3' | 'flac' | 'ogg' | 'm4a' | 'other';
  sampleRate?: number;
  channels?: number;
  seconds?: number;
  /** An Ogg stream without its closing page: cut off, though nothing says how much is missing. */
  unfinished?: boolean;
}

/** Reads the header of a whole file. Anything that is not understood comes back as 'other'; never throws. */
export function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WAVE') return wavHeader(bytes, view);
  if (textAt(bytes, 0, 4) === 'fLaC') return flacHeader(bytes, view);
  if (textAt(bytes, 0, 4) === 'OggS') return { format: 'ogg', unfinished: !oggIsFinished(bytes) };
  if (textAt(bytes, 4, 4) === 'ftyp') return { format: 'm4a' };
  return mp3Header(bytes, view) ?? { format: 'other' };
}

/** Chunks of 4-letter name, 32-bit length, content: `fmt ` says how samples are laid out, `data` how many bytes follow. */
function wavHeader(bytes: Uint8Array, view: DataView): Header {
  const header: Header = { format: 'wav' };
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = textAt(bytes, at, 4);
    const length = view.getUint32(at + 4, true);
    if (name === 'fmt ' && at + 24 <= bytes.length) {
      header.channels = view.getUint16(at + 10, true);
      header.sampleRate = view.getUint32(at + 12, true);
      bytesPerSecond = wavBytesPerSecond(view, at);
    }
    if (name === 'data') {
      // 0, 0xffffffff and sox's 0x7ffff000 stand for "not known yet" in files that were streamed.
      const known = length > 0 && length < 0x7ffff000 && bytesPerSecond > 0;
      return known ? { ...header, seconds: length / bytesPerSecond } : header;
    }
    at += 8 + length + (length & 1);
  }
  return header;
}

/** Of plain samples rate times frame; the field itself, which some writers get wrong, only for compressed blocks. */
function wavBytesPerSecond(view: DataView, at: number): number {
  const channels = view.getUint16(at + 10, true);
  const rate = view.getUint32(at + 12, true);
  const block = view.getUint16(at + 20, true);
  const depth = view.getUint16(at + 22, true);
  return block === (channels * depth) / 8 ? rate * block : view.getUint32(at + 16, true);
}

/** STREAMINFO begins at byte 8: 20 bits of rate at byte 18, then channels - 1 (3 bits), depth (5), samples (36). */
function flacHeader(bytes: Uint8Array, view: DataView): Header {
  if (bytes.length < 26) return { format: 'flac' };
  const packed = view.getUint32(18);
  const sampleRate = packed >>> 12;
  const samples = (view.getUint8(21) & 0x0f) * 2 ** 32 + view.getUint32(22);
  const seconds = samples > 0 && sampleRate > 0 ? samples / sampleRate : undefined;
  return { format: 'flac', sampleRate, channels: ((packed >>> 9) & 7) + 1, ...(seconds && { seconds }) };
}

/**
 * The last page of an Ogg stream (at most 65 307 bytes) carries the flag "end of stream" (4) at its byte 5, and is whole:
 * its header of 27 bytes is followed by the lengths of its segments, as many as byte 26 says, and by the segments.
 */
function oggIsFinished(bytes: Uint8Array): boolean {
  for (let at = bytes.length - 27; at >= Math.max(0, bytes.length - 65307); at--) {
    if (textAt(bytes, at, 4) !== 'OggS') continue;
    const segments = at + 27 + bytes[at + 26]!;
    const end = bytes.subarray(at + 27, segments).reduce((sum, length) => sum + length, segments);
    return (bytes[at + 5]! & 4) !== 0 && end <= bytes.length;
  }
  return false;
}

const mp3Rates = [44100, 48000, 32000];

/**
 * The first MPEG audio frame (after ID3 tags), whose Xing or Info block, if it has one, counts the frames.
 * Its header is 11 bits of sync, version (0: 2.5, 2: 2, 3: 1), layer, ..., rate index, ..., channel mode.
 */
function mp3Header(bytes: Uint8Array, view: DataView): Header | undefined {
  const start = afterId3(bytes);
  if (start + 4 > bytes.length || bytes[start] !== 0xff || (bytes[start + 1]! & 0xe0) !== 0xe0) return undefined;
  const version = (bytes[start + 1]! >> 3) & 3;
  const layer = (bytes[start + 1]! >> 1) & 3;
  const rate = mp3Rates[(bytes[start + 2]! >> 2) & 3];
  if (version === 1 || layer === 0 || rate === undefined) return undefined;

  const sampleRate = rate / (version === 3 ? 1 : version === 2 ? 2 : 4);
  const channels = bytes[start + 3]! >> 6 === 3 ? 1 : 2;
  const header: Header = { format: 'mp3', sampleRate, channels };
  if (layer !== 1) return header; // layers I and II have no Xing block
  const sideInformation = version === 3 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  const xing = start + 4 + sideInformation;
  const counted = ['Xing', 'Info'].includes(textAt(bytes, xing, 4)) && xing + 12 <= bytes.length;
  if (!counted || (view.getUint32(xing + 4) & 1) === 0) return header;
  const samplesPerFrame = version === 3 ? 1152 : 576;
  return { ...header, seconds: (view.getUint32(xing + 8) * samplesPerFrame) / sampleRate };
}

/** An ID3v2 tag is "ID3", version, flags, then its length as four 7-bit bytes. */
function afterId3(bytes: Uint8Array): number {
  if (textAt(bytes, 0, 3) !== 'ID3' || bytes.length < 10) return 0;
  const length = bytes.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 127), 0);
  return 10 + length;
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
