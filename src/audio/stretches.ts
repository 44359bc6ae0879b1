/** A recording of any length as consecutive stretches, so that hours never lie in memory at once. */
import { BACKGROUND_REACH } from './events.js';

/**
 * A part of a recording, one channel. A window belongs to the stretch in which it begins: with `start` its first sample
 * in the recording (an annotation may put it before the beginning or beyond the end), that is where
 * `first <= start < until`, counting what lies before 0 to the first stretch. All of such a window lies in `samples`, and
 * what it takes to tell events in it from the background: they go on for a window and BACKGROUND_REACH after `until`, and the last
 * stretch has as many at least. A recording that is short enough is one stretch.
 */
export interface Stretch {
  samples: Float32Array;
  /** Hz */
  sampleRate: number;
  /** Position of `samples[0]` in the recording, in samples. */
  first: number;
  /** Where the next stretch begins, in samples; Infinity for the last one, whose samples end with the recording. */
  until: number;
}

/** Samples from one stretch to the next: 8 MiB, or 44 s at 48 kHz. */
const STEP = 2 ** 21;

/**
 * Joins blocks of samples, as a decoder gives them, into stretches of `step` samples and their overlap, for windows of `window`
 * seconds. Blocks are not kept. A recording without samples gives one empty stretch.
 */
export async function* cutStretches(
  blocks: AsyncIterable<Float32Array>,
  { sampleRate, window, step = STEP }: { sampleRate: number; window: number; step?: number },
): AsyncGenerator<Stretch, void, undefined> {
  const full = step + Math.round((window + BACKGROUND_REACH) * sampleRate);
  let samples = new Float32Array(0);
  let length = 0;
  let first = 0;
  for await (const block of blocks) {
    for (let used = 0; used < block.length; ) {
      const part = block.subarray(used, used + full - length);
      samples = withRoom(samples, length, length + part.length, full);
      samples.set(part, length);
      length += part.length;
      used += part.length;
      if (length < full) continue;
      yield { samples, sampleRate, first, until: first + step };
      samples = samples.slice(step);
      length -= step;
      first += step;
    }
  }
  yield { samples: samples.subarray(0, length), sampleRate, first, until: Number.POSITIVE_INFINITY };
}

/** An array for `length` samples at least, and for twice as many, but not more than `full`, where a larger one is needed. */
function withRoom(samples: Float32Array<ArrayBuffer>, used: number, length: number, full: number) {
  if (length <= samples.length) return samples;
  const larger = new Float32Array(Math.min(full, 2 * length));
  larger.set(samples.subarray(0, used));
  return larger;
}
