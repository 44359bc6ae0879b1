/**
 * MPEG-4 files (ISO/IEC 14496-12): boxes of a length, a name and a content. `moov` holds the tables by which samples are
 * found in `mdat`; most programs write it last. Decoders read in order, so it is moved to the front.
 */

import { type Bytes, blocksOf } from './bytes.js';

/** See Header. */
interface M4aHeader {
  format: 'm4a';
  start: number;
  end: number;
  seconds?: number;
  unfinished?: boolean;
}

interface Box {
  type: string;
  /** Of the whole box, from its length on. */
  start: number;
  end: number;
  /** Where its content begins. */
  content: number;
}

/** Length and the movie's duration; `unfinished` if the tables are missing, without which nothing can be found. */
export async function m4aHeader(file: Bytes): Promise<M4aHeader> {
  const header: M4aHeader = { format: 'm4a', start: 0, end: file.size };
  const moov = await readMoov(file);
  if (!moov) return { ...header, unfinished: true };
  const movie = boxesIn(moov, 8, moov.length).find(({ type }) => type === 'mvhd');
  if (!movie || movie.end - movie.content < 32) return header;
  // Version 1 has 64-bit times: made, changed, then ticks a second (32 bits) and the duration in them.
  const isLong = moov[movie.content] === 1;
  const rate = moov.readUInt32BE(movie.content + (isLong ? 20 : 12));
  const at = movie.content + (isLong ? 24 : 16);
  const ticks = isLong ? Number(moov.readBigUInt64BE(at)) : moov.readUInt32BE(at);
  const isKnown = rate > 0 && ticks > 0 && ticks < 0xffffffff;
  return { ...header, ...(isKnown && { seconds: ticks / rate }) };
}

/** The file in blocks, with `moov` before the samples, and its tables saying where they come to lie. */
export async function* m4aInOrder(
  file: Bytes,
  block: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const boxes = await topBoxes(file);
  const place = boxes.find(({ type }) => type === 'moov');
  const samples = boxes.find(({ type }) => type === 'mdat');
  const moov = await readMoov(file);
  if (!place || !samples || !moov || place.start < samples.start) return yield* blocksOf(file, { start: 0, block });
  shiftOffsets(moov, 8, moov.length, moov.length);
  yield new Uint8Array(moov);
  yield* blocksOf(file, { start: 0, end: place.start, block });
}

/** Tables of a day of sound have some 30 MB. */
const MAX_MOOV = 2 ** 28;

async function readMoov(file: Bytes): Promise<Buffer | undefined> {
  const box = (await topBoxes(file)).find(({ type }) => type === 'moov');
  if (!box || box.end > file.size || box.end - box.start > MAX_MOOV || box.content - box.start !== 8) return undefined;
  return Buffer.from(await file.read(box.start, box.end - box.start));
}

async function topBoxes(file: Bytes): Promise<Box[]> {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= file.size && boxes.length < 1000; ) {
    const box = boxAt(Buffer.from(await file.read(at, 16)), 0, at, file.size);
    if (!box) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

function boxesIn(bytes: Buffer, start: number, end: number): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end; ) {
    const box = boxAt(bytes, at, at, end);
    if (!box || box.end > end) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

/** The box whose header stands at `at` of `bytes`, which is at `start` of the file. Length 1: 64 bits follow; 0: to the end. */
function boxAt(bytes: Buffer, at: number, start: number, end: number): Box | undefined {
  const short = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (short === 1 && bytes.length < at + 16) return undefined;
  const length = short === 0 ? end - start : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short;
  const header = short === 1 ? 16 : 8;
  return length < header ? undefined : { type, start, end: start + length, content: start + header };
}

const containers = new Set(['trak', 'mdia', 'minf', 'stbl']);

/** Adds `shift` to where the tables say that chunks of samples begin: version, count, then 32 or 64 bits for each. */
function shiftOffsets(bytes: Buffer, start: number, end: number, shift: number): void {
  for (const box of boxesIn(bytes, start, end)) {
    if (containers.has(box.type)) shiftOffsets(bytes, box.content, box.end, shift);
    const width = box.type === 'stco' ? 4 : box.type === 'co64' ? 8 : 0;
    const first = box.content + 8;
    if (width === 0 || first > box.end) continue; // in a damaged file a table may be cut short
    const count = Math.min(bytes.readUInt32BE(first - 4), Math.floor((box.end - first) / width));
    for (let at = first; at < first + count * width; at += width) {
      if (width === 4) bytes.writeUInt32BE((bytes.readUInt32BE(at) + shift) % 2 ** 32, at);
      else bytes.writeBigUInt64BE(BigInt.asUintN(64, bytes.readBigUInt64BE(at) + BigInt(shift)), at);
    }
  }
}
