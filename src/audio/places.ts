/**
 * Where a recording's windows lie.
 *
 * Grid: at 0, hop, 2 hop, ... as far as they fit; less than a hop is left over at the end, or, where all must be heard, lies in
 * one more window, which ends with the recording.
 *
 * Events: as many windows as fit into each event (see findEvents), hop apart, or one, centred on it, for a shorter event.
 * Of windows closer than a hop the one of the stronger event is kept: it shows the other one, too. An event that reaches
 * across the end of a stretch is looked at once from either side, so that there two windows may be closer.
 *
 * Annotated recordings, whichever of the two is asked for: the same for each annotation, under its label. None is dropped
 * for being close to another, but for those of one label that are equal to a hundredth of a second.
 *
 * Noise: windows side by side in what lies between annotations, or between events when they are looked for with a lower
 * threshold and in quieter bands (distant birds are no noise either), `eventGap` away from them. Windows of the grid that no event touches are nobody's song then, and left out.
 */
import { type Annotation, windowStarts } from './annotations.js';
import { type EventOptions, findEvents } from './events.js';
import type { Stretch } from './stretches.js';

/** The class of windows in which nothing sounds but the background. */
export const noiseLabel = 'noise';

export interface Placing extends EventOptions {
  /** Length of a window, seconds. */
  window: number;
  /** From one window's start to the next, seconds; at most `window`. */
  hop: number;
  windows: 'grid' | 'events';
  /** Whether a grid has one more window at the recording's end. Default false. */
  toEnd?: boolean;
  /** Above 0 if there is to be a class of noise. How many of its windows are kept is decided later: see limitWindows. */
  noiseWindows: number;
}

export interface Place {
  /** The window's first sample in the recording. */
  at: number;
  label?: string;
  /** What it shows, where somebody said so. */
  annotation?: Annotation;
  /** Of its event, dB above the background. */
  strength?: number;
}

/** Something that sounds, in seconds from the recording's beginning. */
type Sounding = Pick<Annotation, 'start' | 'end'> & Omit<Place, 'at'>;

export interface Places {
  /** In order of time. */
  places: Place[];
  /** Windows of the grid, or stretches, in which nothing sounds; seconds from the recording's beginning. */
  skipped: { start: number; reason: string }[];
}

/** The places of the windows that begin in a stretch. Those that would lead beyond the recording's ends are moved. */
export function placeWindows(stretch: Stretch, settings: Placing, annotations?: readonly Annotation[]): Places {
  const { windows, noiseWindows } = settings;
  if (windows === 'grid' && noiseWindows === 0 && !annotations) {
    return { places: gridPlaces(stretch, settings), skipped: [] };
  }
  const sounding: readonly Sounding[] =
    annotations?.map((annotation) => ({ ...annotation, annotation })) ?? eventsOf(stretch, settings);
  const noise = noiseWindows > 0 ? noisePlaces(stretch, settings, annotations ?? faintEvents(stretch, settings)) : [];
  const { places, skipped } =
    windows === 'grid' && !annotations
      ? touchedPlaces(stretch, settings, sounding)
      : soundingPlaces(stretch, settings, sounding, annotations !== undefined);
  const own = [...places, ...noise].filter(({ at }) => at >= stretch.first && at < stretch.until);
  return { places: own.sort((a, b) => a.at - b.at), skipped };
}

/** Windows around all that sounds. */
function soundingPlaces(
  stretch: Stretch,
  settings: Placing,
  sounding: readonly Sounding[],
  annotated: boolean,
): Places {
  const places = placesIn(stretch, settings, sounding);
  if (places.length === 0 && sounding.length === 0) {
    const { eventDb, fmin, fmax } = settings;
    const what = `event: nothing is ${eventDb} dB above the background from ${fmin} to ${fmax} Hz`;
    const reason = `holds no ${annotated ? 'annotation' : what}`;
    return { places, skipped: [{ start: stretch.first / stretch.sampleRate, reason }] };
  }
  return { places: annotated ? distinct(places, stretch) : spaced(places, stretch, settings), skipped: [] };
}

/** Windows of the grid that something sounds in. */
function touchedPlaces(stretch: Stretch, settings: Placing, sounding: readonly Sounding[]): Places {
  const touched: Place[] = [];
  const skipped: Places['skipped'] = [];
  const reason = `holds no event: nothing in it is ${settings.eventDb} dB above the background`;
  for (const place of gridPlaces(stretch, settings)) {
    const start = place.at / stretch.sampleRate;
    const isTouched = sounding.some((event) => event.start < start + settings.window && event.end > start);
    if (isTouched) touched.push(place);
    else skipped.push({ start, reason });
  }
  return { places: touched, skipped };
}

function gridPlaces({ samples, sampleRate, first, until }: Stretch, { window, hop, toEnd }: Placing): Place[] {
  const last = first + Math.max(0, samples.length - Math.round(window * sampleRate));
  const places: Place[] = [];
  for (let k = Math.floor(first / (hop * sampleRate)); ; k++) {
    const at = Math.round(k * hop * sampleRate);
    if (at >= until || at > last) break;
    if (at >= first) places.push({ at });
  }
  const final = places.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  // A sample is not left over, but rounding.
  if (toEnd && until === Number.POSITIVE_INFINITY && last - final > 1) places.push({ at: last });
  return places;
}

function eventsOf({ samples, sampleRate, first }: Stretch, settings: Placing, depth?: number): Sounding[] {
  const offset = first / sampleRate;
  return findEvents(samples, sampleRate, settings, depth).map(({ start, end, strength }) => ({
    start: offset + start,
    end: offset + end,
    strength,
  }));
}

/** Events that reach two thirds of what is asked of others, up to 50 dB below what is loudest. */
function faintEvents(stretch: Stretch, settings: Placing): Sounding[] {
  return eventsOf(stretch, { ...settings, eventDb: (2 / 3) * settings.eventDb }, 50);
}

/**
 * Windows in, or around, each of what sounds. Some may begin in a neighbouring stretch, whose they are: until it is decided
 * which are too close to each other they count here, too.
 */
function placesIn(stretch: Stretch, { window, hop }: Placing, sounding: readonly Sounding[]): Place[] {
  const { samples, sampleRate, first, until } = stretch;
  const lowest = first === 0 ? 0 : Number.NEGATIVE_INFINITY;
  const end = first + Math.max(0, samples.length - Math.round(window * sampleRate));
  const highest = until === Number.POSITIVE_INFINITY ? end : Number.POSITIVE_INFINITY;
  // Those that begin up to a window before it may be moved into it.
  const range = { from: first / sampleRate - window, to: (first + samples.length) / sampleRate };
  return sounding.flatMap(({ label, annotation, strength, ...span }) =>
    windowStarts(span, { window, hop }, range).map((start) => ({
      at: Math.min(highest, Math.max(lowest, Math.round(start * sampleRate))),
      ...(label !== undefined && { label }),
      ...(annotation !== undefined && { annotation }),
      ...(strength !== undefined && { strength }),
    })),
  );
}

/** Windows side by side in what is left between all that sounds. */
function noisePlaces(stretch: Stretch, settings: Placing, sounding: readonly Sounding[]): Place[] {
  const { window, eventGap } = settings;
  const end = (stretch.first + stretch.samples.length) / stretch.sampleRate;
  const gaps: Sounding[] = [];
  let start = stretch.first / stretch.sampleRate;
  for (const sound of [...sounding].sort((a, b) => a.start - b.start)) {
    gaps.push({ start, end: Math.min(end, sound.start - eventGap) });
    start = Math.max(start, sound.end + eventGap);
  }
  gaps.push({ start, end });
  const wide = gaps.filter((gap) => gap.end - gap.start >= window).map((gap) => ({ ...gap, label: noiseLabel }));
  return placesIn(stretch, { ...settings, hop: window }, wide);
}

/** Without those of one label whose images would have one name. */
function distinct(places: readonly Place[], { sampleRate }: Stretch): Place[] {
  const names = new Set<string>();
  return places.filter(({ at, label }) => {
    const name = `${(at / sampleRate).toFixed(2)} ${label}`;
    return !names.has(name) && names.add(name);
  });
}

/** The strongest, then all others that are at least a hop from any stronger one. */
function spaced(places: readonly Place[], { sampleRate }: Stretch, { hop }: Placing): Place[] {
  const chosen: Place[] = [];
  const strongest = [...places].sort((a, b) => b.strength! - a.strength! || a.at - b.at);
  for (const place of strongest) {
    // Windows of one event are a hop apart, but for rounding.
    if (chosen.every(({ at }) => Math.abs(at - place.at) >= hop * sampleRate - 1)) chosen.push(place);
  }
  return chosen;
}
