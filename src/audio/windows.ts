/** Recordings cut into windows of one length: pure functions on samples. */

/** A stretch of a recording. */
export interface SoundWindow {
  /** `round(window * sampleRate)` of them; a view of the recording's samples unless it was padded. */
  samples: Float32Array;
  /** Hz */
  sampleRate: number;
  /** Seconds from the recording's beginning. */
  start: number;
}

export interface Windowing {
  /** Length of a window, seconds. */
  window: number;
  /** From one window's start to the next, seconds; at most `window`, so that nothing is passed over in between. */
  hop: number;
  /** Windows whose peak stays below this level (dB of full scale) are silent. */
  silenceDb: number;
}

export const defaultWindowing: Readonly<Windowing> = { window: 2, hop: 1, silenceDb: -60 };

/** Windows to use, and those that were left out, with the reason in words that follow "the window at ... s". */
export interface CutWindows {
  windows: SoundWindow[];
  skipped: { start: number; reason: string }[];
}

/**
 * Turns windows into greyscale spectrograms: for each, size * size values in [0, 1], row 0 the highest frequency,
 * column 0 the window's beginning.
 */
export type Spectrogrammer = (windows: { samples: Float32Array; sampleRate: number }[]) => Promise<Float32Array[]>;

/**
 * Cuts windows at 0, hop, 2 hop, ... as far as they fit; less than a hop is left over at the end. A recording shorter
 * than one window gives one, padded with zeros, if it fills at least half of it.
 */
export function cutWindows(
  { samples, sampleRate }: { samples: Float32Array; sampleRate: number },
  { window, hop, silenceDb }: Windowing,
): CutWindows {
  const length = Math.round(window * sampleRate);
  const cut: CutWindows = { windows: [], skipped: [] };
  const add = (start: number, stretch: Float32Array) => {
    const level = peakDb(stretch);
    const measured = Number.isFinite(level)
      ? `its peak is ${level.toFixed(0)} dB, below ${silenceDb} dB`
      : 'it never changes';
    if (level >= silenceDb) cut.windows.push({ samples: stretch, sampleRate, start });
    else cut.skipped.push({ start, reason: `is silent (${measured})` });
  };

  if (samples.length < length / 2) {
    const seconds = (samples.length / sampleRate).toFixed(3);
    cut.skipped.push({ start: 0, reason: `is too short (${seconds} s; half a window, ${window / 2} s, is needed)` });
  } else if (samples.length < length) {
    const padded = new Float32Array(length);
    padded.set(samples);
    add(0, padded);
  } else {
    for (let k = 0; ; k++) {
      const first = Math.round(k * hop * sampleRate);
      if (first + length > samples.length) break;
      add(k * hop, samples.subarray(first, first + length));
    }
  }
  return cut;
}

/** Half of the range from lowest to highest sample, in dB of full scale: a constant offset is silence too. */
export function peakDb(samples: Float32Array): number {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const sample of samples) {
    if (sample < lowest) lowest = sample;
    if (sample > highest) highest = sample;
  }
  return 20 * Math.log10((highest - lowest) / 2);
}
