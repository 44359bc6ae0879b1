/**
 * The headers of WAV files: RIFF, its 64-bit forms RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), and Sony's Wave64.
 * All are chunks of a name, a length and a content: `fmt ` says how samples are laid out, `data` holds them.
 */

import type { Bytes } from './bytes.js';

/** See Header. */
interface WavHeader {
  format: 'wav';
  sampleRate?: number;
  channels?: number;
  seconds?: number;
  start: number;
  end: number;
  /** The content of the `fmt ` chunk. */
  layout?: Uint8Array;
}

/** How chunks are written. A Wave64 name is a GUID that begins with RIFF's four letters, and its lengths count the header. */
interface Chunking {
  nameBytes: number;
  lengthBytes: number;
  counted: number;
  /** Chunks begin at multiples of this. */
  align: number;
  /** Where the first one begins. */
  start: number;
}

const riff: Chunking = { nameBytes: 4, lengthBytes: 4, counted: 0, align: 2, start: 12 };
const wave64: Chunking = { nameBytes: 16, lengthBytes: 8, counted: 24, align: 8, start: 40 };

/** Recorders write some few; a file of noise may look like millions. */
const MAX_CHUNKS = 1000;

/** The header; undefined if it is not one of a WAV file. */
export async function wavHeader(file: Bytes): Promise<WavHeader | undefined> {
  const first = Buffer.from(await file.read(0, 40));
  const isWave64 = first.toString('latin1', 0, 4) === 'riff' && first.toString('latin1', 24, 28) === 'wave';
  const isRiff = first.toString('latin1', 8, 12) === 'WAVE';
  if (!isWave64 && !isRiff) return undefined;
  const header: WavHeader = { format: 'wav', start: file.size, end: file.size };
  let longData: number | undefined;
  for await (const { name, length, content } of chunks(file, isWave64 ? wave64 : riff)) {
    if (name === 'ds64') longData = Number((await numbers(file, content + 8, 8)).readBigUInt64LE());
    else if (name === 'fmt ') Object.assign(header, layoutOf(await numbers(file, content, Math.min(length, 1024))));
    else if (name === 'data') {
      const long = isWave64 ? length : length === 0xffffffff ? longData : undefined;
      const open = long === undefined ? OPEN_32 : OPEN_64;
      return { ...header, ...extent(long ?? length, open, content, file.size, header.layout) };
    }
  }
  return header;
}

async function* chunks(file: Bytes, { nameBytes, lengthBytes, counted, align, start }: Chunking) {
  let at = start;
  for (let k = 0; k < MAX_CHUNKS; k++) {
    const head = Buffer.from(await file.read(at, nameBytes + lengthBytes));
    if (head.length < nameBytes + lengthBytes) return;
    const stored = lengthBytes === 8 ? Number(head.readBigUInt64LE(nameBytes)) : head.readUInt32LE(nameBytes);
    const length = Math.max(0, stored - counted);
    const content = at + head.length;
    yield { name: head.toString('latin1', 0, 4), length, content };
    at = Math.ceil((content + length) / align) * align;
  }
}

/** Exactly `length` bytes, zeros where the file ends before. */
async function numbers(file: Bytes, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  bytes.set(await file.read(at, length));
  return bytes;
}

const PCM = 1;
const MS_ADPCM = 2;
const IMA_ADPCM = 17;
const EXTENSIBLE = 0xfffe;

/**
 * Tag (2 bytes), channels (2), rate (4), bytes a second (4), bytes a frame (2), bits (2), ...; nothing if it is damaged. Of PCM, samples of odd depths
 * (12 bits, 20, or 24 in 4 bytes) are the upper bits of whole bytes, so that they can be read as samples of those bytes. An
 * extensible ADPCM header has its own extension (byte 16 on) where a plain one counts the samples of a block: it is left out.
 */
function layoutOf(layout: Buffer): Pick<WavHeader, 'sampleRate' | 'channels' | 'layout'> {
  if (layout.length < 16 || layout.readUInt16LE(12) === 0) return {};
  const channels = layout.readUInt16LE(2);
  const stored = layout.readUInt16LE(0);
  const tag = tagOf(layout);
  const bits = (8 * layout.readUInt16LE(12)) / channels;
  if (tag === PCM && Number.isInteger(bits) && bits > 0) layout.writeUInt16LE(bits, 14);
  if (tag !== stored && (tag === MS_ADPCM || tag === IMA_ADPCM)) layout.writeUInt16LE(0, 16);
  return { sampleRate: layout.readUInt32LE(4), channels, layout };
}

function tagOf(layout: Buffer): number {
  const stored = layout.readUInt16LE(0);
  return stored === EXTENSIBLE && layout.length >= 26 ? layout.readUInt16LE(24) : stored;
}

/**
 * 0, 0xffffffff, sox's 0x7ffff000 and the like stand for "not known yet" in files that were streamed; of 64 bits, the
 * largest numbers. Lengths from these on are true only where the file is as long.
 */
const OPEN_32 = 0x7ffff000;
const OPEN_64 = Number.MAX_SAFE_INTEGER;

function extent(length: number, open: number, start: number, size: number, layout: Uint8Array | undefined) {
  const isOpen = length === 0 || (length >= open && start + length > size);
  const rate = layout ? bytesPerSecond(Buffer.from(layout)) : 0;
  const seconds = !isOpen && rate > 0 ? length / rate : undefined;
  return { start, end: isOpen ? size : Math.min(size, start + length), ...(seconds && { seconds }) };
}

/** By the frames or blocks of those formats that have them; the field itself, which some writers get wrong, only for others. */
function bytesPerSecond(layout: Buffer): number {
  const [channels, rate, block] = [layout.readUInt16LE(2), layout.readUInt32LE(4), layout.readUInt16LE(12)];
  const tag = tagOf(layout);
  // A block of ADPCM begins with 4 or 7 bytes a channel, which hold 1 or 2 samples; every other byte holds two.
  if (tag === IMA_ADPCM) return (rate * block) / (1 + 2 * (block / channels - 4));
  if (tag === MS_ADPCM) return (rate * block) / (2 + 2 * (block / channels - 7));
  return block === (channels * layout.readUInt16LE(14)) / 8 ? rate * block : layout.readUInt32LE(8);
}

/** What stands before the samples for a decoder that reads RIFF only: a header that leaves the length open. */
export function plainWavHeader(layout: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(28 + layout.length);
  bytes.write('RIFF\xff\xff\xff\xffWAVEfmt ', 0, 'latin1');
  bytes.writeUInt32LE(layout.length, 16);
  bytes.set(layout, 20);
  bytes.write('data', 20 + layout.length, 'latin1'); // and a length of 0: to the end
  return new Uint8Array(bytes);
}
