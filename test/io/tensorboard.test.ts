/** TensorBoard's files, read back by a decoder that knows protocol buffers and nothing of this program. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/io/tensorboard/crc32c.js';
import { maskedCrc } from '../../src/io/tensorboard/record.js';
import { histogramOf, openEventFile } from '../../src/io/tensorboard.js';
import { temporaryFolder } from '../temporary.js';

let folder = '';
beforeEach(() => {
  folder = path.join(temporaryFolder(), 'run', 'tensorboard');
});

/** A message as its fields: number, and value as varint, 8 bytes, 4 bytes or bytes. */
type Message = Map<number, (bigint | number | Buffer)[]>;

function decode(bytes: Buffer): Message {
  const message: Message = new Map();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    expect(at + length).toBeLessThanOrEqual(bytes.length);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const values = message.get(key >> 3) ?? [];
    message.set(key >> 3, values);
    if ((key & 7) === 0) values.push(varint());
    else if ((key & 7) === 1) values.push(take(8).readDoubleLE());
    else if ((key & 7) === 5) values.push(take(4).readFloatLE());
    else values.push(take(Number(varint())));
  }
  return message;
}

const one = (message: Message, field: number) => message.get(field)?.[0];
const inner = (message: Message, field: number): Message => decode(one(message, field) as Buffer);
const doubles = (packed: unknown): number[] =>
  Array.from({ length: (packed as Buffer).length / 8 }, (_, i) => (packed as Buffer).readDoubleLE(8 * i));

/** The whole records of a file, their checksums looked at. */
function records(file: string): Message[] {
  const bytes = readFileSync(file);
  const found: Message[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    if (at + 16 + length > bytes.length) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc(data));
    found.push(decode(data));
    at += 16 + length;
  }
  return found;
}

const files = () => readdirSync(folder).sort();
const eventsOf = (name: string) => records(path.join(folder, name));
const valuesOf = (event: Message) => (inner(event, 5).get(1) as Buffer[]).map(decode);

it('checksums are those of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

it('masked as TensorFlow does it', () => {
  // The first 12 bytes of any event file: the length of its version event, and that length's checksum.
  const length = Buffer.from([24, 0, 0, 0, 0, 0, 0, 0]);
  expect(maskedCrc(length)).toBe(Buffer.from([0xa3, 0x7f, 0x4b, 0x22]).readUInt32LE());
});

describe('an event file', () => {
  it('begins with its version, then takes scalars, pictures and histograms', async () => {
    const before = Date.now() / 1000;
    const file = openEventFile(folder);
    file.scalars(3, { 'losses/lossD': 1.5, 'losses/lossG': Number.NaN });
    const background = { r: 200, g: 20, b: 90 };
    await file.image(
      4,
      'samples/synthetic',
      await sharp({ create: { width: 60, height: 40, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    file.histograms(2 ** 40, [['fc.weight', Float32Array.of(-1, 0, 0, 2)]]);
    file.close();

    const [version, start, scalars, image, histogram] = eventsOf(files()[0]!);
    expect(String(one(version!, 3))).toBe('brain.Event:2');
    expect(one(inner(start!, 7), 1)).toBe(1n);
    for (const event of [version!, start!, scalars!]) expect(one(event, 1)).toBeGreaterThanOrEqual(before);

    expect(one(scalars!, 2)).toBe(3n);
    const [lossD, lossG] = valuesOf(scalars!);
    expect([String(one(lossD!, 1)), one(lossD!, 2)]).toEqual(['losses/lossD', 1.5]);
    expect(one(lossG!, 2)).toBeNaN();

    const picture = inner(valuesOf(image!)[0]!, 4);
    expect([one(picture, 1), one(picture, 2), one(picture, 3)]).toEqual([40n, 60n, 3n]);
    const { data, info } = await sharp(one(picture, 4) as Buffer)
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, ...data.subarray(0, 3)]).toEqual([60, 40, 200, 20, 90]);

    expect(one(histogram!, 2)).toBe(2n ** 40n);
    const histo = inner(valuesOf(histogram!)[0]!, 5);
    expect([1, 2, 3, 4, 5].map((field) => one(histo, field))).toEqual([-1, 2, 4, 1, 5]);
    expect(doubles(one(histo, 6)).at(-1)).toBe(2);
    expect(doubles(one(histo, 7)).filter((count) => count > 0)).toEqual([1, 2, 1]);
  });

  it('is a new one for each session, the last by its name, that says from which step on others are void', () => {
    for (const forgetFrom of [0, 11, 21]) openEventFile(folder, { forgetFrom }).close();
    expect(files()).toHaveLength(3);
    const starts = files().map((name) => eventsOf(name)[1]!);
    expect(starts.map((event) => Number(one(event, 2) ?? 0))).toEqual([0, 11, 21]);
  });

  it('cut off anywhere is a valid beginning', () => {
    const file = openEventFile(folder);
    for (let step = 1; step <= 3; step++) file.scalars(step, { loss: step });
    file.close();
    const whole = path.join(folder, files()[0]!);
    const bytes = readFileSync(whole);
    let most = 0;
    for (let length = 0; length <= bytes.length; length++) {
      const cut = path.join(folder, 'cut');
      writeFileSync(cut, bytes.subarray(0, length));
      const { length: count } = records(cut);
      expect(count).toBeGreaterThanOrEqual(most);
      most = count;
    }
    expect(most).toBe(5);
  });

  it('holds large pictures made smaller', async () => {
    const file = openEventFile(folder);
    const noise = Buffer.from(Array.from({ length: 1200 * 600 * 3 }, (_, i) => (i * i * 7919) >> 7));
    const raw = { width: 1200, height: 600, channels: 3 } as const;
    await file.image(1, 'large', await sharp(noise, { raw }).png().toBuffer());
    file.close();
    const picture = inner(valuesOf(eventsOf(files()[0]!)[2]!)[0]!, 4);
    expect([one(picture, 1), one(picture, 2)]).toEqual([512n, 1024n]);
    expect((await sharp(one(picture, 4) as Buffer).metadata()).width).toBe(1024);
  });
});

describe('histogramOf', () => {
  it('counts every number once, and nothing else', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));
    const { bucket, bucketLimit, num, min, max } = histogramOf(
      Float32Array.of(...values, Number.NaN, Number.POSITIVE_INFINITY),
    );
    expect(bucket.reduce((sum, count) => sum + count)).toBe(1000);
    expect([num, bucketLimit.at(-1)]).toEqual([1000, max]);
    expect(bucketLimit.every((limit, i) => limit > (bucketLimit[i - 1] ?? min))).toBe(true);
    for (const [i, count] of bucket.entries()) {
      const [low, high] = [bucketLimit[i - 1] ?? min, bucketLimit[i]!];
      const within = values.filter((value) => value >= low - 1e-9 && value <= high + 1e-9).length;
      expect(count).toBeLessThanOrEqual(within);
    }
  });

  it.each([
    ['equal values', Float32Array.of(2, 2, 2), { min: 2, max: 2, num: 3 }],
    ['no values', Float32Array.of(Number.NaN), { min: 0, max: 0, num: 0 }],
  ])('of %s is one', (_what, values, expected) => {
    expect(histogramOf(values)).toMatchObject(expected);
  });
});
