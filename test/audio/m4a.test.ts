import { describe, expect, test } from 'vitest';
import { m4aHeader, m4aInOrder } from '../../src/audio/m4a.js';
import { bytesOf } from './fixtures.js';

function box(type: string, ...contents: Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  const content = Buffer.concat(contents);
  head.writeUInt32BE(8 + content.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}

const numbers = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
};

const ftyp = box('ftyp', Buffer.from('M4A \0\0\0\0', 'latin1'));
const mdat = box('mdat', Buffer.from('first...second..'));
/** 5 s; the chunks of sound begin `ahead` bytes after the places where they are in `ftyp`, `mdat`. */
const moov = (ahead = 0) => {
  const place = ftyp.length + 8 + ahead;
  const tables = [box('stco', numbers(0, 2, place, place + 8)), box('co64', numbers(0, 1, 0, place + 8))];
  return box(
    'moov',
    box('mvhd', numbers(0, 0, 0, 1000, 5000), Buffer.alloc(80)),
    box('trak', box('mdia', box('minf', box('stbl', ...tables)))),
  );
};

async function inOrder(file: Buffer): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  for await (const block of m4aInOrder(bytesOf(file), 10)) blocks.push(block);
  return Buffer.concat(blocks);
}

test('the duration of the movie is that of the sound', async () => {
  expect(await m4aHeader(bytesOf(Buffer.concat([ftyp, mdat, moov()])))).toMatchObject({ format: 'm4a', seconds: 5 });
});

test('a file without its tables is cut off', async () => {
  const whole = Buffer.concat([ftyp, mdat, moov()]);
  for (const length of [ftyp.length + mdat.length, whole.length - 1]) {
    expect(await m4aHeader(bytesOf(whole.subarray(0, length)))).toMatchObject({ unfinished: true });
  }
});

test('boxes that are shorter than what they hold are passed over', async () => {
  const short = [box('mvhd', numbers(0)), box('trak', box('mdia', box('minf', box('stbl', box('stco')))))];
  const file = Buffer.concat([ftyp, mdat, box('moov', ...short)]);
  expect(await m4aHeader(bytesOf(file))).toEqual({ format: 'm4a', start: 0, end: file.length });
  expect(await inOrder(file)).toHaveLength(file.length);
});

describe('in order', () => {
  test('a file with its tables in front is as it is', async () => {
    const file = Buffer.concat([ftyp, moov(moov().length), mdat]);
    expect(await inOrder(file)).toEqual(file);
  });

  test('tables at the end come first, and find each chunk where it is then', async () => {
    const ordered = await inOrder(Buffer.concat([ftyp, mdat, moov()]));
    expect(ordered).toEqual(Buffer.concat([moov(moov().length), ftyp, mdat]));
    expect(ordered.toString('latin1', moov().length + ftyp.length + 8)).toBe('first...second..');
  });
});
