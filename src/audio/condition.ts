/** What a window's samples are like, and what is done to them before they are transformed. */

export interface Conditioning {
  /** Windows whose peak stays below this level (dB of full scale) are silent. */
  silenceDb: number;
  /** A window clips when more than this share of its samples is at full scale; it is kept with a note, or left out. */
  clippedShare: number;
  dropClipped: boolean;
  /** Whether each window's mean is taken off. */
  removeDc: boolean;
  /** Scales windows to the peak (1), or the root mean square (0.71), of a tone of full scale; `max` and `none` do not. */
  normalise: 'max' | 'peak' | 'rms' | 'none';
}

/** Samples this close to full scale, 1, are taken for cut off: converters and codecs end a little below or above it. */
const FULL_SCALE = 0.99;

/**
 * Why a window cannot be used, or what a reader of results should know of one that is, both in words that follow "the
 * window at ... s".
 */
export function inspect(samples: Float32Array, settings: Conditioning): { fault?: string; note?: string } {
  const level = peakDb(samples);
  if (!(level >= settings.silenceDb)) {
    const measured = Number.isFinite(level)
      ? `its peak is ${level.toFixed(0)} dB, below ${settings.silenceDb} dB`
      : 'it never changes';
    return { fault: `is silent (${measured})` };
  }
  const share = clippedShare(samples);
  if (share <= settings.clippedShare) return {};
  const clips = `clips: ${(100 * share).toPrecision(2)} % of its samples are at full scale`;
  return settings.dropClipped ? { fault: clips } : { note: clips };
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

/** The share of samples at full scale, in [0, 1]. */
export function clippedShare(samples: Float32Array): number {
  let clipped = 0;
  for (const sample of samples) if (Math.abs(sample) >= FULL_SCALE) clipped++;
  return clipped / samples.length;
}

/** The samples without their mean, and scaled; the very array where neither is asked for. Silence is not scaled. */
export function conditioned(samples: Float32Array, { removeDc, normalise }: Conditioning): Float32Array {
  if (!removeDc && normalise !== 'peak' && normalise !== 'rms') return samples;
  const mean = removeDc ? samples.reduce((sum, sample) => sum + sample, 0) / samples.length : 0;
  const level = normalise === 'peak' ? peak(samples, mean) : normalise === 'rms' ? Math.SQRT2 * rms(samples, mean) : 1;
  return samples.map((sample) => (sample - mean) / (level || 1));
}

function peak(samples: Float32Array, mean: number): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample - mean)), 0);
}

function rms(samples: Float32Array, mean: number): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / samples.length);
}
