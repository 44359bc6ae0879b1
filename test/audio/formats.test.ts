/** Every format, sample rate and number of channels that recorders and archives use, as ffmpeg writes them. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readHeader } from '../../src/audio/header.js';
import { temporaryFolder } from '../temporary.js';
import { bytesOf, floatWav, readWhole } from './fixtures.js';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
if (!hasFfmpeg) console.log('skipped: recordings of every format, which ffmpeg would make: it is not installed');

const folder = temporaryFolder();
const SECONDS = 1.2;

/** Two tones, a little louder in each channel, as 32-bit float WAV. */
function source(rate: number, channels: number): { file: string; mean: Float32Array } {
  const file = path.join(folder, `source-${rate}-${channels}.wav`);
  const mean = Float32Array.from({ length: SECONDS * rate }, (_, i) => {
    const t = (2 * Math.PI * i) / rate;
    return 0.2 * Math.sin(440 * t) + 0.1 * Math.sin(1900 * t);
  });
  if (!existsSync(file)) {
    const gains = Array.from({ length: channels }, (_, c) => (2 * (c + 1)) / (channels + 1)); // 1 on average
    const frames = Float32Array.from({ length: mean.length * channels }, (_, i) => {
      return mean[Math.floor(i / channels)]! * gains[i % channels]!;
    });
    const bytes = floatWav(frames, channels);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(24, rate, true);
    writeFileSync(file, bytes);
  }
  return { file, mean };
}

/** Decodes what ffmpeg makes of the source by these options. */
async function roundTrip(name: string, rate: number, channels: number, options: string) {
  const { file, mean } = source(rate, channels);
  const made = path.join(folder, `${options.replace(/\W+/g, '_')}-${rate}-${channels}${name}`);
  const { status, stderr } = spawnSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-i',
    file,
    ...options.split(' ').filter(Boolean),
    made,
  ]);
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
  return { ...(await readWhole(made)), mean };
}

/** Power at a frequency (Goertzel), as the amplitude of a tone. */
function amplitudeAt(samples: Float32Array, rate: number, frequency: number): number {
  const twice = 2 * Math.cos((2 * Math.PI * frequency) / rate);
  let [before, last] = [0, 0];
  for (const sample of samples) [before, last] = [last, sample + twice * last - before];
  return (2 / samples.length) * Math.sqrt(last * last + before * before - twice * last * before);
}

/** From voice recorders to bat detectors, Hz. */
const everyRate = [8000, 11025, 22050, 44100, 96000, 250000, 384000];

interface Lossless {
  title: string;
  extension: string;
  options: string;
  /** The largest error. */
  step: number;
  rates: number[];
  channels?: number[];
}

const lossless: Lossless[] = [
  { title: 'WAV 8 bits', extension: '.wav', options: '-c:a pcm_u8', step: 2 / 127, rates: [8000, 48000] },
  {
    title: 'WAV 16 bits',
    extension: '.wav',
    options: '-c:a pcm_s16le',
    step: 2e-4,
    rates: everyRate,
    channels: [1, 2, 3, 8],
  },
  {
    title: 'WAV 24 bits',
    extension: '.wav',
    options: '-c:a pcm_s24le',
    step: 1e-6,
    rates: [48000, 384000],
    channels: [1, 2, 4],
  },
  {
    title: 'WAV 32 bits',
    extension: '.wav',
    options: '-c:a pcm_s32le',
    step: 1e-6,
    rates: [44100, 256000],
    channels: [1, 2, 6],
  },
  {
    title: 'WAV float',
    extension: '.wav',
    options: '-c:a pcm_f32le',
    step: 1e-6,
    rates: [22050, 384000],
    channels: [1, 5],
  },
  { title: 'WAV double', extension: '.wav', options: '-c:a pcm_f64le', step: 1e-6, rates: [48000] },
  { title: 'WAV A-law', extension: '.wav', options: '-c:a pcm_alaw', step: 0.02, rates: [8000] },
  {
    title: 'RF64',
    extension: '.wav',
    options: '-c:a pcm_s16le -rf64 always',
    step: 2e-4,
    rates: [48000],
    channels: [1, 2],
  },
  {
    title: 'Wave64',
    extension: '.w64',
    options: '-c:a pcm_s24le',
    step: 1e-6,
    rates: [48000, 250000],
    channels: [1, 2],
  },
  {
    title: 'FLAC 16 bits',
    extension: '.flac',
    options: '-sample_fmt s16',
    step: 2e-4,
    rates: everyRate,
    channels: [1, 2, 8],
  },
  {
    title: 'FLAC 24 bits',
    extension: '.flac',
    options: '-sample_fmt s32',
    step: 1e-6,
    rates: [44100, 96000, 384000],
    channels: [1, 4],
  },
  { title: 'FLAC in Ogg', extension: '.ogg', options: '-c:a flac -sample_fmt s16', step: 2e-4, rates: [48000] },
  {
    title: 'Apple lossless',
    extension: '.m4a',
    options: '-c:a alac -sample_fmt s16p',
    step: 2e-4,
    rates: [44100, 96000],
    channels: [1, 2],
  },
];

describe.skipIf(!hasFfmpeg)('samples come back as they were', () => {
  for (const { title, extension, options, step, rates, channels = [1] } of lossless) {
    test(`${title}: ${rates.join(', ')} Hz, ${channels.join(', ')} channels`, async () => {
      // Every rate in mono, every number of channels at the first rate.
      for (const [rate, count] of [
        ...rates.map((r) => [r, channels[0]!] as const),
        ...channels.map((c) => [rates[0]!, c] as const),
      ]) {
        const { samples, sampleRate, mean, note } = await roundTrip(extension, rate, count, options);
        expect([sampleRate, samples.length, note]).toEqual([rate, mean.length, undefined]);
        const error = samples.reduce((worst, sample, i) => Math.max(worst, Math.abs(sample - mean[i]!)), 0);
        expect(error, `${rate} Hz, ${count} channels`).toBeLessThan(step);
      }
    });
  }
});

interface Lossy {
  title: string;
  extension: string;
  options: string;
  rates: number[];
  /** That it comes back at. */
  rateOf?: (rate: number) => number;
  channels?: number[];
}

const lossy: Lossy[] = [
  {
    title: 'WAV IMA ADPCM',
    extension: '.wav',
    options: '-c:a adpcm_ima_wav',
    rates: [22050, 96000, 44100],
    channels: [1, 2],
  },
  {
    title: 'WAV MS ADPCM',
    extension: '.wav',
    options: '-c:a adpcm_ms',
    rates: [22050, 96000, 44100],
    channels: [1, 2],
  },
  {
    title: 'MP3',
    extension: '.mp3',
    options: '-c:a libmp3lame',
    rates: [8000, 11025, 22050, 44100, 48000],
    channels: [1, 2],
  },
  {
    title: 'MP3 without its frame count',
    extension: '.mp3',
    options: '-c:a libmp3lame -write_xing 0 -id3v2_version 0',
    rates: [44100],
  },
  {
    title: 'Vorbis',
    extension: '.ogg',
    options: '-c:a libvorbis',
    rates: [8000, 22050, 44100, 48000, 96000, 192000],
    channels: [1, 2, 6],
  },
  {
    title: 'Opus',
    extension: '.opus',
    options: '-c:a libopus',
    rates: [8000, 16000, 24000, 48000],
    rateOf: () => 48000,
    channels: [1, 2],
  },
  {
    title: 'AAC',
    extension: '.m4a',
    options: '-c:a aac',
    rates: [8000, 16000, 22050, 44100, 48000, 96000],
    channels: [1, 2, 6],
  },
  {
    title: 'AAC with its tables in front',
    extension: '.m4a',
    options: '-c:a aac -movflags +faststart',
    rates: [48000],
  },
];

describe.skipIf(!hasFfmpeg)('the sound comes back', () => {
  for (const { title, extension, options, rates, rateOf = (rate: number) => rate, channels = [1] } of lossy) {
    test(`${title}: ${rates.join(', ')} Hz, ${channels.join(', ')} channels`, async () => {
      for (const [rate, count] of [
        ...rates.map((r) => [r, 1] as const),
        ...channels.map((c) => [rates.at(-1)!, c] as const),
      ]) {
        const { samples, sampleRate, seconds, note } = await roundTrip(extension, rate, count, options);
        const where = `${rate} Hz, ${count} channels`;
        expect([sampleRate, note], where).toEqual([rateOf(rate), undefined]);
        expect(Math.abs(seconds - SECONDS), where).toBeLessThan(0.12); // codecs pad
        const middle = samples.subarray(0.1 * sampleRate, 1.1 * sampleRate);
        expect(amplitudeAt(middle, sampleRate, 440), where).toBeGreaterThan(0.15);
        expect(amplitudeAt(middle, sampleRate, 440), where).toBeLessThan(0.25);
        expect(amplitudeAt(middle, sampleRate, 700), where).toBeLessThan(0.02);
      }
    });
  }
});

test('a BW64 file has its lengths in 64 bits, too', async () => {
  const wav = floatWav(new Float32Array(4000));
  const ds64 = Buffer.alloc(8 + 28);
  ds64.write('ds64');
  ds64.writeUInt32LE(28, 4);
  ds64.writeBigUInt64LE(16000n, 16);
  const file = Buffer.concat([wav.subarray(0, 12), ds64, wav.subarray(12)]);
  file.write('BW64');
  file.writeUInt32LE(0xffffffff, 4);
  file.writeUInt32LE(0xffffffff, 40 + ds64.length);
  expect(await readHeader(bytesOf(file))).toMatchObject({ format: 'wav', seconds: 0.5, start: 80, end: 16080 });
});
