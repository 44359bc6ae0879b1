/** Sounds and files that the tests of audio and data share. */

import type { Bytes } from '../../src/audio/bytes.js';
import { type Ending, openRecording } from '../../src/audio/decode.js';
import type { Stretch } from '../../src/audio/stretches.js';
import type { Spectrogrammer } from '../../src/audio/windows.js';

/** A file in memory. */
export function bytesOf(data: Uint8Array): Bytes {
  return { size: data.length, read: async (at, length) => Uint8Array.from(data.subarray(at, at + length)) };
}

/** All of a recording. */
export async function readWhole(path: string): Promise<Ending & { samples: Float32Array; sampleRate: number }> {
  const sound = await openRecording(path, { window: 2 });
  const parts: Float32Array[] = [];
  try {
    for await (const { samples, first, until } of sound.stretches) parts.push(samples.subarray(0, until - first));
  } finally {
    await sound.close();
  }
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { samples, sampleRate: sound.sampleRate, ...sound.ending() };
}

/** A recording of one stretch. */
export const wholeStretch = (samples: Float32Array, sampleRate: number): Stretch => {
  return { samples, sampleRate, first: 0, until: Number.POSITIVE_INFINITY };
};

/** A tone of amplitude 0.5. */
export function tone(seconds: number, sampleRate = 8000, frequency = 1000): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency * i) / sampleRate),
  );
}

/** A WAV file whose header may lie: `dataSize` overrides the length that it declares. */
export function rawWav(
  data: Uint8Array,
  options: { tag?: number; channels?: number; rate?: number; bits?: number; block?: number; dataSize?: number } = {},
): Uint8Array {
  const { tag = 1, channels = 1, rate = 8000, bits = 16, dataSize = data.length } = options;
  const { block = (channels * bits) / 8 } = options;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * block, 28);
  header.writeUInt16LE(block, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataSize, 40);
  return Buffer.concat([header, data]);
}

export function floatWav(samples: Float32Array, channels = 1): Uint8Array {
  return rawWav(new Uint8Array(samples.buffer), { tag: 3, bits: 32, channels });
}

/** `count` MPEG-1 layer III frames of 128 kbit/s at 44.1 kHz, all zero inside: 26 ms of silence each. */
export function silentMp3(count: number): Uint8Array {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0xc0]); // one channel
  return Buffer.concat(Array.from({ length: count }, () => frame));
}

/**
 * A spectrogrammer without a GPU: the power at `size` frequencies (Goertzel) in each of `size` stretches, in dB below
 * the loudest over 60 dB. Made for small sizes.
 */
export function cpuSpectrogrammer(size: number, fmin = 500, fmax = 12000): Spectrogrammer {
  return async (windows) =>
    windows.map(({ samples, sampleRate }) => spectrogram(samples, sampleRate, size, fmin, fmax));
}

function spectrogram(samples: Float32Array, rate: number, size: number, fmin: number, fmax: number): Float32Array {
  const width = Math.floor(samples.length / size);
  const power = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    const frequency = fmax * (fmin / fmax) ** (row / (size - 1));
    const twice = 2 * Math.cos(2 * Math.PI * Math.min(frequency / rate, 0.5));
    for (let column = 0; column < size; column++) {
      let [before, last] = [0, 0];
      for (let i = column * width; i < (column + 1) * width; i++) {
        [before, last] = [last, samples[i]! + twice * last - before];
      }
      power[row * size + column] = last * last + before * before - twice * last * before;
    }
  }
  const loudest = Math.max(...power, 1e-20);
  return power.map((p) => Math.min(1, Math.max(0, 1 + (10 * Math.log10(Math.max(p, 1e-20) / loudest)) / 60)));
}
