/**
 * Where something sounds: stretches in which a narrow band is louder than it is most of the time.
 *
 * 1. Levels: energy of frames of about 23 ms, half overlapping, in bands of a third of an octave from fmin to fmax, in dB.
 *    In a narrow band a song stands out that the whole band's energy would hide in wind or traffic.
 * 2. Background of a band: the level below which a fifth of its frames lie, of those within 15 s. A median would be the
 *    song itself where a bird sings more than half of the time. It is taken to be at most 40 dB below the loudest frame
 *    of any band in that time: in bands that a microphone or a codec has emptied, echoes and leakage are no events.
 * 3. Excess of a frame: its level above the background, in that band where it is largest.
 * 4. An event begins and ends where the excess passes `eventDb - 4`, and reaches `eventDb` in between (hysteresis: a song
 *    that trembles around the threshold is not torn apart). What is shorter than `eventLength` is a click; then events
 *    closer than `eventGap` are one, the notes of a song.
 */
import { frameLength, framePairs, hann, pairPower } from './shortTime.js';

/** Something that sounds, in seconds from the first sample. */
export interface SoundEvent {
  start: number;
  end: number;
  /** The largest excess over the background in it, dB. */
  strength: number;
}

export interface EventOptions {
  /** The band that is listened to, Hz. */
  fmin: number;
  fmax: number;
  eventDb: number;
  eventGap: number;
  eventLength: number;
}

const BANDS_PER_OCTAVE = 3;
const BACKGROUND_SHARE = 0.2;
/** Seconds to either side whose frames make the background, and from one background to the next. */
export const BACKGROUND_REACH = 15;
const BACKGROUND_STEP = 5;
/** dB */
const DEEPEST_BACKGROUND = 40;
const HYSTERESIS = 4;

/**
 * Events in order of time, none where the sample rate holds nothing of the band. `depth` is how far below the loudest frame
 * a background may lie, dB.
 */
export function findEvents(
  samples: Float32Array,
  sampleRate: number,
  options: EventOptions,
  depth = DEEPEST_BACKGROUND,
): SoundEvent[] {
  const excess = excessLevels(samples, sampleRate, options, depth);
  const frame = frameLength(sampleRate) / 2 / sampleRate;
  const long = risen(excess, options.eventDb).filter(({ end, start }) => (end - start) * frame >= options.eventLength);
  return merged(long, options.eventGap / frame).map(({ start, end, strength }) => ({
    start: start * frame,
    end: Math.min(end * frame, samples.length / sampleRate),
    strength,
  }));
}

/** Frames from `start` until before `end`. */
type Run = SoundEvent;

/** Runs of frames above `threshold - HYSTERESIS` that reach `threshold`. */
function risen(excess: Float32Array, threshold: number): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (let t = 0; t <= excess.length; t++) {
    if ((excess[t] ?? Number.NEGATIVE_INFINITY) > threshold - HYSTERESIS) continue;
    const strength = excess.subarray(start, t).reduce((most, level) => Math.max(most, level), 0);
    if (strength >= threshold) runs.push({ start, end: t, strength });
    start = t + 1;
  }
  return runs;
}

function merged(runs: readonly Run[], gap: number): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last && run.start - last.end <= gap) {
      joined[joined.length - 1] = { ...last, end: run.end, strength: Math.max(last.strength, run.strength) };
    } else joined.push(run);
  }
  return joined;
}

/** dB of each frame over the background, in the band where that is largest. */
function excessLevels(samples: Float32Array, sampleRate: number, options: EventOptions, depth: number): Float32Array {
  const hop = frameLength(sampleRate) / 2;
  const count = Math.max(1, Math.ceil(samples.length / hop));
  const bands = bandLevels(samples, sampleRate, count, options);
  const framesIn = (seconds: number) => Math.ceil((seconds * sampleRate) / hop);
  const excess = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  for (let first = 0; first < count; first += framesIn(BACKGROUND_STEP)) {
    const until = Math.min(count, first + framesIn(BACKGROUND_STEP));
    const middle = Math.floor((first + until) / 2);
    const around = bands.map((levels) =>
      levels.slice(Math.max(0, middle - framesIn(BACKGROUND_REACH)), middle + framesIn(BACKGROUND_REACH)).sort(),
    );
    const deepest = Math.max(...around.map((sorted) => sorted.at(-1)!)) - depth;
    for (const [b, levels] of bands.entries()) {
      const sorted = around[b]!;
      const background = Math.max(deepest, sorted[Math.floor(BACKGROUND_SHARE * (sorted.length - 1))]!);
      for (let t = first; t < until; t++) excess[t] = Math.max(excess[t]!, levels[t]! - background);
    }
  }
  return excess;
}

/** For each band the dB of `count` frames, frame t from the middle of hop t - 1 to that of hop t + 1. */
function bandLevels(
  samples: Float32Array,
  sampleRate: number,
  count: number,
  { fmin, fmax }: EventOptions,
): Float32Array[] {
  const window = hann(frameLength(sampleRate));
  const { length } = window;
  const hop = length / 2;
  const top = Math.min(fmax, sampleRate / 2);
  const bands = Math.max(1, Math.round(BANDS_PER_OCTAVE * Math.log2(top / fmin)));
  const edges = Array.from({ length: bands + 1 }, (_, b) =>
    Math.round((fmin * (top / fmin) ** (b / bands) * length) / sampleRate),
  );
  const levels = Array.from({ length: bands }, () => new Float32Array(count));
  framePairs(samples, window, { start: -hop / 2, hop, count }, (re, im, frame) => {
    for (const [b, band] of levels.entries()) {
      let [a, c] = [0, 0];
      for (let k = edges[b]!; k < Math.max(edges[b + 1]!, edges[b]! + 1); k++) {
        const [first, second] = pairPower(re, im, k);
        a += first;
        c += second;
      }
      band[frame] = decibels(a);
      if (frame + 1 < count) band[frame + 1] = decibels(c);
    }
  });
  return levels;
}

/** Digital silence has some level, too, far below anything that a microphone gives. */
const decibels = (energy: number): number => 10 * Math.log10(energy + 1e-8);
