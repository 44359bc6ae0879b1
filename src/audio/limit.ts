/** At most so many windows of a recording, chosen while it passes by in stretches. */
import { noiseLabel } from './places.js';
import type { CutWindows, SkippedWindow, SoundWindow } from './windows.js';

export interface WindowLimits {
  /** Of sounds; null for no limit. */
  maxWindows: number | null;
  /** Of noise that was found; what is annotated as noise counts as a sound. */
  noiseWindows: number;
}

const isFoundNoise = ({ label, annotation }: SoundWindow) => label === noiseLabel && annotation === undefined;

/**
 * Hands on the windows of a recording, which come stretch by stretch; from where there is a limit, those that are chosen
 * come at the end, and the others are among what was left out. Windows that events were looked for in are chosen by
 * their strength; others, and those of noise, spread evenly over the recording. Of what is not chosen nothing is kept in
 * memory: at most twice as many windows as are wanted.
 */
export async function* limitWindows(
  cuts: AsyncIterable<CutWindows> | Iterable<CutWindows>,
  { maxWindows, noiseWindows }: WindowLimits,
): AsyncGenerator<CutWindows, void, undefined> {
  const sounds = createChoice(maxWindows ?? 0);
  const noise = createChoice(noiseWindows);
  for await (const { windows, skipped } of cuts) {
    for (const window of windows) {
      if (isFoundNoise(window)) noise.offer(window);
      else if (maxWindows !== null) sounds.offer(window);
    }
    yield { windows: maxWindows === null ? windows.filter((window) => !isFoundNoise(window)) : [], skipped };
  }
  const chosen = [...sounds.chosen(), ...noise.chosen()];
  const others = [...sounds.others(), ...noise.others()];
  if (chosen.length + others.length > 0) yield { windows: chosen, skipped: others };
}

interface Choice {
  offer(window: SoundWindow): void;
  /** In order of time. */
  chosen(): SoundWindow[];
  others(): SkippedWindow[];
}

/** Chooses `most` of all that is offered, by strength where windows have one, else evenly. */
function createChoice(most: number): Choice {
  let kept: SoundWindow[] = [];
  const left: SkippedWindow[] = [];
  let offered = 0;
  let stride = 1;

  const leave = ({ start }: SoundWindow) =>
    left.push({ start, reason: `is not among the ${most} of its kind that are used of a recording` });

  function keep(isWanted: (window: SoundWindow, position: number) => boolean): void {
    for (const [i, window] of kept.entries()) if (!isWanted(window, i)) leave(window);
    kept = kept.filter(isWanted);
  }

  function keepStrongest(): void {
    const strongest = [...kept].sort((a, b) => b.strength! - a.strength! || a.start - b.start);
    const wanted = new Set(strongest.slice(0, most));
    keep((window) => wanted.has(window));
  }

  /** Every second window goes whenever there are twice as many as are wanted: what stays is evenly spread all along. */
  function thinOut(): void {
    stride *= 2;
    keep((_window, i) => i % 2 === 0);
  }

  function keepEvenly(): void {
    const wanted = new Set(Array.from({ length: most }, (_, i) => Math.floor(((i + 0.5) * kept.length) / most)));
    keep((_window, i) => wanted.has(i));
  }

  return {
    offer(window) {
      const isSpread = window.strength === undefined;
      if (isSpread && offered++ % stride !== 0) {
        leave(window);
        return;
      }
      kept.push({ ...window, samples: window.samples.slice() }); // a view would hold on to its whole stretch
      if (kept.length <= 2 * most) return;
      if (isSpread) thinOut();
      else keepStrongest();
    },
    chosen() {
      if (kept.length > most && kept[0]!.strength === undefined) keepEvenly();
      else if (kept.length > most) keepStrongest();
      return kept.sort((a, b) => a.start - b.start);
    },
    others: () => left,
  };
}
