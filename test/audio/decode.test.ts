import { chmodSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BadRecording, openRecording } from '../../src/audio/decode.js';
import { openDecoder } from '../../src/audio/decoder.js';
import { encodeWav } from '../../src/audio/wav.js';
import { UserError } from '../../src/io/errors.js';
import { temporaryFolder } from '../temporary.js';
import { floatWav, rawWav, readWhole, silentMp3, tone } from './fixtures.js';

const folder = temporaryFolder();
const save = (name: string, bytes: Uint8Array | string) => {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
};

async function messageFor(file: string): Promise<string> {
  const error = await readWhole(file).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

afterEach(() => vi.restoreAllMocks());

describe('a sound recording', () => {
  test('comes back sample for sample, within 16 bits', async () => {
    const samples = tone(0.5);
    const sound = await readWhole(save('tone.wav', encodeWav(samples, 8000)));
    expect(sound).toMatchObject({ sampleRate: 8000, seconds: 0.5 });
    expect(sound.note).toBeUndefined();
    const error = samples.map((sample, i) => Math.abs(sample - sound.samples[i]!));
    expect(Math.max(...error)).toBeLessThan(1 / 32767);
  });

  test('is mixed to the mean of its channels', async () => {
    const stereo = new Float32Array(4000).map((_, i) => (i % 2 === 0 ? 0.5 : -0.25));
    const sound = await readWhole(save('stereo.wav', floatWav(stereo, 2)));
    expect(sound.samples).toEqual(new Float32Array(2000).fill(0.125));
  });

  test('is known by its content, not by its name', async () => {
    const sound = await readWhole(save('really-a-wav.mp3', encodeWav(tone(0.5), 8000)));
    expect(sound.seconds).toBe(0.5);
  });

  test('may have a header that leaves the length open, as streaming programs write it', async () => {
    const data = new Uint8Array(encodeWav(tone(0.5), 8000).subarray(44));
    for (const dataSize of [0, 0xffffffff, 0x7ffff000]) {
      const sound = await readWhole(save(`streamed-${dataSize}.wav`, rawWav(data, { dataSize })));
      expect(sound).toMatchObject({ seconds: 0.5 });
      expect(sound.note).toBeUndefined();
    }
  });

  test('decodes beside others that are asked for at the same time', async () => {
    const files = [0.2, 0.3, 0.4].map((s) => save(`together-${s}.wav`, encodeWav(tone(s), 8000)));
    const sounds = await Promise.all([...files.map((file) => readWhole(file)), messageFor(save('t.wav', 'text'))]);
    expect(sounds.slice(0, 3).map((sound) => (sound as { seconds: number }).seconds)).toEqual([0.2, 0.3, 0.4]);
  });
});

describe('a recording of several stretches', () => {
  const samples = tone(2 ** 21 / 8000 + 20);
  const long = encodeWav(samples, 8000);

  test('is the same as it would be in one', async () => {
    const sound = await readWhole(save('long.wav', long));
    expect(sound.seconds).toBe(samples.length / 8000);
    expect(sound.samples).toHaveLength(samples.length);
    const worst = samples.reduce((most, sample, i) => Math.max(most, Math.abs(sample - sound.samples[i]!)), 0);
    expect(worst).toBeLessThan(1 / 32767);
  });

  test('is judged before its last one', async () => {
    const sound = await openRecording(save('half.wav', long.subarray(0, 0.45 * long.length)), { window: 2 });
    await expect(sound.stretches.next()).rejects.toThrow(BadRecording);
    await sound.close();
  });

  test('takes a small part of its memory', async () => {
    const size = 2 ** 26; // 268 MB as samples
    const file = save('hours.wav', rawWav(new Uint8Array(0), { bits: 8, dataSize: size }));
    truncateSync(file, 44 + size); // a file of nothing, which takes no place
    const before = process.memoryUsage().arrayBuffers;
    const sound = await openRecording(file, { window: 2 });
    let [samples, most] = [0, 0];
    for await (const stretch of sound.stretches) {
      samples = stretch.first + stretch.samples.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    await sound.close();
    expect(samples).toBe(size);
    expect(most).toBeLessThan(size);
  });

  test('can be left in the midst', async () => {
    const sound = await openRecording(save('left.wav', long), { window: 2 });
    expect((await sound.stretches.next()).value).toMatchObject({ first: 0, until: 2 ** 21 });
    await sound.close();
    expect((await sound.stretches.next()).done).toBe(true);
  });
});

describe('a bad file gives one sentence that names it', () => {
  const wav = encodeWav(tone(2), 8000);
  const cases: [string, Uint8Array | string, RegExp][] = [
    ['empty.wav', '', /is empty \(0 bytes\)/],
    ['text.wav', 'These are field notes.\nNo sound here.\n', /is a text file, not a recording/],
    ['zeros.wav', new Uint8Array(50_000), /not a recording in a known format/],
    ['header-only.wav', wav.subarray(0, 44), /holds no sound at all of the 2\.0 s/],
    ['zero-length.wav', rawWav(new Uint8Array(0)), /holds no sound at all/],
    ['cut-short.wav', wav.subarray(0, wav.length * 0.3), /is cut off or damaged: only 0\.\d+ s of 2\.0 s decode/],
    ['too-short.wav', encodeWav(tone(0.05), 8000), /lasts only 0\.050 s/],
    ['nan.wav', floatWav(tone(0.5).fill(Number.NaN, 80, 83)), /NaN or infinite, the first after 0\.010 s: export/],
    ['infinite.wav', floatWav(tone(0.5).fill(Number.NEGATIVE_INFINITY, 0, 1)), /infinite, the first after 0\.000 s/],
    ['loud.wav', floatWav(tone(0.5).fill(-1e30, 5, 6)), /-1\.00e\+30 after 0\.001 s, where 1 is full scale/],
    ['no-channels.wav', rawWav(new Uint8Array(9000), { channels: 0, block: 2 }), /0 channels/],
    ['no-rate.wav', rawWav(new Uint8Array(9000), { rate: 0 }), /sample rate is 0 Hz/],
    ['fast.wav', rawWav(new Uint8Array(9000), { rate: 2_000_000 }), /rate of 2000000 Hz/],
    ['no-frames.wav', rawWav(new Uint8Array(9000), { block: 0 }), /does not say how its samples are laid out/],
    ['forty-bits.wav', rawWav(new Uint8Array(9000), { bits: 40 }), /could not be decoded \(.*depth: 40/],
    ['codec.wav', rawWav(new Uint8Array(9000), { tag: 0x99 }), /could not be decoded \(.*0x99/],
    ['cut.flac', Buffer.from('fLaC\0\0\0\x22'), /holds no sound at all/],
    ['cut.m4a', Buffer.from('\0\0\0\x20ftypM4A \0\0\0\0'), /is cut off or not a sound file/],
    ['midi.mid', Buffer.from('MThd\0\0\0\x06\0\x01\0\x01\0\x60'), /not a recording in a known format/],
  ];
  test.each(cases)('%s', async (name, bytes, sentence) => {
    const file = save(name, bytes);
    const message = await messageFor(file);
    expect(message).toMatch(sentence);
    expect(message).toContain(file);
    expect(message).not.toContain('\n');
  });

  test('a file that is not there, and a folder', async () => {
    expect(await messageFor(path.join(folder, 'nowhere.wav'))).toMatch(/no file or folder .*nowhere\.wav/);
    mkdirSync(path.join(folder, 'folder.wav'));
    expect(await messageFor(path.join(folder, 'folder.wav'))).toMatch(/folder\.wav" is not a file/);
  });

  test('a file that may not be read', async ({ skip }) => {
    const file = save('forbidden.wav', wav);
    chmodSync(file, 0);
    if (process.getuid?.() === 0) {
      console.log('skipped: root may read every file, so a missing read permission cannot be shown');
      skip();
    }
    expect(await messageFor(file)).toMatch(/No permission for .*forbidden\.wav/);
  });

  test('an MP3 whose frames turn to noise', async () => {
    const bytes = silentMp3(40);
    for (let i = 0, state = 1; i < bytes.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if (i % 417 > 3) bytes[i] = state >>> 24;
    }
    expect(await messageFor(save('noise.mp3', bytes))).toMatch(/after 0\.\d+ s, where 1 is full scale: it is damaged/);
  });
});

describe('a damaged file that still holds sound', () => {
  test('is kept with a note when at least half of it decodes', async () => {
    const wav = encodeWav(tone(2), 8000);
    const sound = await readWhole(save('cut-late.wav', wav.subarray(0, wav.length * 0.75)));
    expect(sound.seconds).toBeCloseTo(1.5, 2);
    expect(sound.note).toBe('is cut off or damaged: 1.5 s of 2.0 s decode and are used.');
  });

  test('is kept as it is when its header promises no length', async () => {
    const sound = await readWhole(save('frames.mp3', silentMp3(40)));
    expect(sound.sampleRate).toBe(44100);
    expect(sound.seconds).toBeCloseTo((40 * 1152) / 44100, 1);
  });
});

test('decoders do not print', async () => {
  const error = vi.spyOn(console, 'error');
  await readWhole(save('complains.mp3', silentMp3(40).fill(0x55, 6000, 9000))); // mpg123 complains of this
  expect(error).not.toHaveBeenCalled();
});

test('a decoder that hangs is ended, and the next file gets a fresh one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const decoder = openDecoder('mp3');
  const hanging = decoder.decode(new Uint8Array(silentMp3(40)));
  while (vi.getTimerCount() === 0) await Promise.resolve();
  vi.advanceTimersByTime(30_000); // before the thread's answer can arrive, which takes a turn of the event loop
  vi.useRealTimers();
  await expect(hanging).rejects.toThrow('the decoder did not finish within 30 s');
  decoder.close();
  expect((await readWhole(save('afterwards.wav', encodeWav(tone(0.5), 8000)))).seconds).toBe(0.5);
});

describe('recordings of real birds', () => {
  const birds = path.resolve('../shared/data/birds');
  const manifest = path.join(birds, 'MANIFEST.tsv');
  const present = existsSync(manifest);
  if (!present) console.log(`skipped: there are no recordings in ${birds}`);

  test.skipIf(!present)('decode to the rate and length of their manifest', async () => {
    const rows = readFileSync(manifest, 'utf8').trim().split('\n').slice(1);
    for (const row of rows.filter((_, i) => i % 25 === 0)) {
      const [file, , , , rate, , seconds] = row.split('\t');
      const sound = await readWhole(path.join(birds, file!));
      expect(sound.sampleRate).toBe(Number(rate));
      expect(Math.abs(sound.seconds - Number(seconds))).toBeLessThan(0.06);
      expect(sound.note).toBeUndefined();
    }
  });
});
