/** A recording's bytes in the order and the portions in which decoders can take them. */

import { type Bytes, blocksOf } from './bytes.js';
import type { Header } from './header.js';
import { m4aInOrder } from './m4a.js';
import { plainWavHeader } from './wavHeader.js';

/** Silence shrinks to a thousandth: what a block becomes when it is decoded must fit into memory. */
const BLOCK = 2 ** 16;
const WAV_BLOCK = 2 ** 18;

/** What to hand to the decoder of the header's format, piece by piece. */
export async function* encodedBlocks(
  file: Bytes,
  { format, start, end, layout }: Header,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  if (format === 'wav') {
    if (layout) yield plainWavHeader(layout);
    yield* blocksOf(file, { start, end, block: WAV_BLOCK });
  } else if (format === 'm4a') yield* m4aInOrder(file, BLOCK);
  else if (format === 'flac') yield* flacBlocks(file, start);
  else yield* blocksOf(file, { start, end, block: BLOCK });
}

/** Longer than the header of a FLAC frame, which begins with a byte 0xff. */
const FLAC_HEADER = 16;

/** The decoder loses a frame whose header lies in two blocks, so a block ends where none can have begun. */
async function* flacBlocks(file: Bytes, start: number) {
  for (let at = start; ; ) {
    const block = await file.read(at, BLOCK);
    if (block.length === 0) return;
    let end = block.length;
    if (at + end < file.size)
      while (end > 0 && block.subarray(Math.max(0, end - FLAC_HEADER), end).includes(0xff)) end--;
    const part = end === 0 ? block : block.slice(0, end); // where 0xff is everywhere, there are no frames
    at += part.length;
    yield part;
  }
}
