import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/audio/bytes.js';
import { type Header, readHeader } from '../../src/audio/header.js';
import { encodeWav } from '../../src/audio/wav.js';
import { bytesOf, rawWav, silentMp3, tone } from './fixtures.js';

const headerOf = (bytes: Uint8Array): Promise<Header> => readHeader(bytesOf(bytes));

test('WAV: format, rate, channels and length', async () => {
  expect(await headerOf(encodeWav(tone(0.5), 8000))).toMatchObject({
    format: 'wav',
    sampleRate: 8000,
    channels: 1,
    seconds: 0.5,
  });
  const stereo = rawWav(new Uint8Array(24_000), { channels: 2, bits: 24 });
  expect(await headerOf(stereo)).toMatchObject({ channels: 2, seconds: 0.5 });
});

test.each([
  ['IMA', 17, 1 + 2 * (512 - 4)],
  ['MS', 2, 2 + 2 * (512 - 7)],
])('WAV of %s ADPCM: blocks count, whatever its bytes a second are said to be', async (_, tag, samples) => {
  const wav = Buffer.from(rawWav(new Uint8Array(16 * 1024), { tag, channels: 2, bits: 4, block: 1024 }));
  wav.writeUInt32LE(16000, 28);
  expect((await headerOf(wav)).seconds).toBeCloseTo((16 * samples) / 8000, 6);
});

describe('WAV beyond 4 GB, of which only the header is read', () => {
  const GB = 1e9;
  /** 16 bits, mono, 48 kHz: 96 000 bytes a second. */
  const format = Buffer.from(rawWav(new Uint8Array(0), { rate: 48000 })).subarray(20, 36);

  /** An RF64 or Wave64 file of `size` bytes that declares `dataLength` bytes of sound. */
  function longWav(kind: string, dataLength: bigint, size: number): Bytes {
    const bytes = Buffer.alloc(128);
    if (kind === 'Wave64') {
      bytes.write('riff', 0);
      bytes.write('wave', 24);
      bytes.write('fmt ', 40);
      bytes.writeBigUInt64LE(24n + 16n, 56);
      bytes.set(format, 64);
      bytes.write('data', 80);
      bytes.writeBigUInt64LE(dataLength, 96);
    } else {
      bytes.write('RF64\xff\xff\xff\xffWAVEds64', 0, 'latin1');
      bytes.writeUInt32LE(28, 16);
      bytes.writeBigUInt64LE(dataLength, 28);
      bytes.write('fmt ', 48);
      bytes.writeUInt32LE(16, 52);
      bytes.set(format, 56);
      bytes.write('data\xff\xff\xff\xff', 72, 'latin1');
    }
    return { ...bytesOf(bytes), size };
  }

  test.each(['RF64', 'Wave64'])('%s: what it promises counts, however much of it is missing', async (kind) => {
    const { seconds, end } = await readHeader(longWav(kind, BigInt(9.6 * GB), 3 * GB));
    expect(seconds).toBeCloseTo(100_000, 2);
    expect(end).toBe(3 * GB);
  });

  test.each([
    ['RF64', 0n],
    ['RF64', 2n ** 64n - 1n],
    ['Wave64', 2n ** 63n - 1n],
  ])('%s: a length of %i is none', async (kind, length) => {
    const header = await readHeader(longWav(kind, length, 3 * GB));
    expect(header).toMatchObject({ format: 'wav', sampleRate: 48000, end: 3 * GB });
    expect(header.seconds).toBeUndefined();
  });
});

test('MP3: the first frame behind an ID3 tag, and the frames that a Xing block counts', async () => {
  const frames = silentMp3(3);
  expect(await headerOf(frames)).toMatchObject({ format: 'mp3', sampleRate: 44100, channels: 1 });
  const xing = Buffer.from(frames);
  xing.write('Xing', 4 + 17); // behind one channel's side information
  xing.writeUInt32BE(1, 4 + 17 + 4); // "frames are counted"
  xing.writeUInt32BE(441, 4 + 17 + 8);
  const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\x01\x02', 'latin1'), Buffer.alloc(130)]);
  const seconds = (441 * 1152) / 44100;
  expect(await headerOf(Buffer.concat([tag, xing]))).toMatchObject({
    format: 'mp3',
    sampleRate: 44100,
    channels: 1,
    seconds,
  });
});

test('FLAC: STREAMINFO', async () => {
  const bytes = Buffer.alloc(42);
  bytes.write('fLaC');
  bytes.writeUInt32BE(((48000 << 12) | (1 << 9) | (15 << 4)) >>> 0, 18); // rate, channels - 1, depth - 1
  bytes.writeUInt32BE(96000, 22);
  expect(await headerOf(bytes)).toMatchObject({ format: 'flac', sampleRate: 48000, channels: 2, seconds: 2 });
});

test('Ogg: whether the last page is there, closes the stream, and is whole', async () => {
  const page = (flag: number) => {
    const bytes = Buffer.alloc(27 + 2 + 300);
    bytes.write('OggS');
    bytes[5] = flag;
    bytes.set([2, 255, 45], 26); // two segments
    bytes.write('\x01vorbis', 29, 'latin1');
    return bytes;
  };
  expect(await headerOf(Buffer.concat([page(2), page(4)]))).toMatchObject({ format: 'vorbis', unfinished: false });
  expect(await headerOf(Buffer.concat([page(2), page(0)]))).toMatchObject({ unfinished: true });
  expect(await headerOf(Buffer.concat([page(2), page(4)]).subarray(0, -1))).toMatchObject({ unfinished: true });
});

test('anything else, however short, is "other"', async () => {
  for (const bytes of ['', 'R', 'RIFF', 'notes about birds', '\xff\xff\xff\xff']) {
    expect((await headerOf(Buffer.from(bytes, 'latin1'))).format).toBe('other');
  }
});
