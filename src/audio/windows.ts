/** Recordings cut into windows of one length: pure functions on samples. */
import type { Annotation } from './annotations.js';
import { type Conditioning, conditioned, inspect } from './condition.js';
import { gateNoise } from './gate.js';
import { type Placing, placeWindows } from './places.js';
import type { Stretch } from './stretches.js';

/** A window of a recording. */
export interface SoundWindow {
  /** `round(window * sampleRate)` of them; a view of the recording's samples unless something was changed. */
  samples: Float32Array;
  /** Hz */
  sampleRate: number;
  /** Seconds from the recording's beginning. */
  start: number;
  /** Of the annotation that it shows, or `noiseLabel`; absent where it is the recording's own. */
  label?: string;
  annotation?: Annotation;
  /** How far its event is above the background, dB, where events were looked for. */
  strength?: number;
  /** Damage that it is used in spite of, in words that follow "the window at ... s". */
  note?: string;
}

export interface Windowing extends Placing, Conditioning {
  /** Spectral gating, see gateNoise; null for none. */
  gateDb: number | null;
}

/** Windows to use, and those that were left out, with the reason in words that follow "the window at ... s". */
export interface CutWindows {
  windows: SoundWindow[];
  skipped: SkippedWindow[];
}

export interface SkippedWindow {
  /** Seconds from the recording's beginning. */
  start: number;
  reason: string;
}

/**
 * Turns windows into greyscale spectrograms: for each, size * size values in [0, 1], row 0 the highest frequency,
 * column 0 the window's beginning.
 */
export type Spectrogrammer = (
  windows: Pick<SoundWindow, 'samples' | 'sampleRate' | 'annotation'>[],
) => Promise<Float32Array[]>;

/**
 * The windows that begin in a stretch of a recording, where `placeWindows` puts them, without those that are silent. A
 * recording shorter than one window gives one, padded with zeros, if it fills at least half of it. `annotations` are the
 * whole recording's; without any, but an empty list, nothing sounds in it.
 */
export function cutWindows(stretch: Stretch, settings: Windowing, annotations?: readonly Annotation[]): CutWindows {
  const { samples, sampleRate, first } = stretch;
  const length = Math.round(settings.window * sampleRate);
  const isShort = first === 0 && samples.length < length;
  if (isShort && samples.length < length / 2) {
    const seconds = (samples.length / sampleRate).toFixed(3);
    const reason = `is too short (${seconds} s; half a window, ${settings.window / 2} s, is needed)`;
    return { windows: [], skipped: [{ start: 0, reason }] };
  }
  const { places, skipped } = placeWindows(stretch, settings, annotations);
  const gated = settings.gateDb === null ? samples : gateNoise(samples, sampleRate, settings.gateDb);
  const windows: SoundWindow[] = [];
  for (const { at, ...about } of places) {
    const start = at / sampleRate;
    const from = at - first;
    const { fault, note } = inspect(samples.subarray(from, from + length), settings);
    if (fault === undefined) {
      const sound = gated.subarray(from, from + length);
      const whole = isShort ? padded(sound, length) : sound;
      windows.push({
        samples: conditioned(whole, settings),
        sampleRate,
        start,
        ...about,
        ...(note !== undefined && { note }),
      });
    } else skipped.push({ start, reason: fault });
  }
  return { windows, skipped };
}

function padded(samples: Float32Array, length: number): Float32Array {
  const all = new Float32Array(length);
  all.set(samples);
  return all;
}
