/** Windows that were named become detections: what sounds from when to when, and how sure that is. */
import { noiseLabel } from '../audio/places.js';
import { csvText } from '../io/table.js';

/** One window of a recording as a classifier sees it. */
export interface NamedWindow {
  /** Seconds from the recording's beginning. */
  readonly start: number;
  readonly end: number;
  /** Of each class, [classes]; their sum is 1. */
  readonly probabilities: readonly number[];
}

export interface Detection {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  /** Mean probability of the label over its windows. */
  readonly confidence: number;
  readonly windows: number;
}

/** The class named in a window and its probability; no label where that is below the threshold. */
export function nameOf({ probabilities }: NamedWindow, classes: readonly string[], threshold: number) {
  const confidence = Math.max(...probabilities);
  const label = classes[probabilities.indexOf(confidence)]!;
  return { label: confidence >= threshold ? label : undefined, confidence };
}

/**
 * Windows in order of time, pooled: those of one label that follow each other without a gap are one detection. What is unknown,
 * and the class `noise`, are none.
 */
export function detectionsOf(
  windows: readonly NamedWindow[],
  classes: readonly string[],
  threshold: number,
): Detection[] {
  const detections: Detection[] = [];
  let before: { label: string | undefined; end: number } | undefined;
  for (const window of windows) {
    const { label, confidence } = nameOf(window, classes, threshold);
    const { start, end } = window;
    if (label !== undefined && label !== noiseLabel) {
      const last = detections.at(-1);
      // A little apart by rounding is not apart.
      const goesOn = last && before?.label === label && start <= before.end + 1e-3;
      if (goesOn) {
        const count = last.windows + 1;
        const mean = last.confidence + (confidence - last.confidence) / count;
        detections[detections.length - 1] = { ...last, end, confidence: mean, windows: count };
      } else detections.push({ start, end, label, confidence, windows: 1 });
    }
    before = { label, end };
  }
  return detections;
}

/** What tables say of a recording besides its detections. */
export interface Heard {
  /** Absolute path. */
  readonly path: string;
  /** File name. */
  readonly name: string;
  readonly seconds: number;
  /** The band that was looked at, Hz. */
  readonly low: number;
  readonly high: number;
  readonly detections: readonly Detection[];
}

const SELECTION = ['Selection', 'View', 'Channel', 'Begin Time (s)', 'End Time (s)', 'Low Freq (Hz)', 'High Freq (Hz)'];

/** Tab-separated, so names keep their commas; tabs and line breaks in them become spaces. */
const tabbed = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((cells) => `${cells.map((cell) => String(cell).replace(/[\t\r\n]+/g, ' ')).join('\t')}\n`).join('');

const selection = (number: number, { low, high }: Heard, { start, end }: Detection, offset: number) => [
  number,
  'Spectrogram 1',
  1,
  (offset + start).toFixed(3),
  (offset + end).toFixed(3),
  low.toFixed(1),
  high.toFixed(1),
];

/** Raven's selection table of one recording. */
export const ravenTable = (heard: Heard): string =>
  tabbed([
    [...SELECTION, 'Species', 'Confidence'],
    ...heard.detections.map((each, i) => [...selection(i + 1, heard, each, 0), each.label, each.confidence.toFixed(4)]),
  ]);

/** Raven's selection table of many recordings, opened together in this order: times go on from file to file. */
export function combinedRavenTable(all: readonly Heard[]): string {
  const rows: (string | number)[][] = [];
  let offset = 0;
  for (const heard of all) {
    for (const each of heard.detections) {
      const place = [heard.path, heard.name, each.start.toFixed(3)];
      rows.push([...selection(rows.length + 1, heard, each, offset), ...place, each.label, each.confidence.toFixed(4)]);
    }
    offset += heard.seconds;
  }
  return tabbed([[...SELECTION, 'Begin Path', 'Begin File', 'File Offset (s)', 'Species', 'Confidence'], ...rows]);
}

/** Audacity's label track of one recording, with the band of each label. */
export const audacityTrack = ({ detections, low, high }: Heard): string =>
  tabbed(
    detections.flatMap(({ start, end, label }) => [
      [start.toFixed(6), end.toFixed(6), label],
      ['\\', low.toFixed(6), high.toFixed(6)],
    ]),
  );

/** All detections of all recordings. */
export const detectionTable = (all: readonly Heard[]): string =>
  csvText([
    ['file', 'start', 'end', 'label', 'confidence', 'windows'],
    ...all.flatMap(({ path, detections }) =>
      detections.map(({ start, end, label, confidence, windows }) => [
        ...[path, start.toFixed(3), end.toFixed(3), label, confidence.toFixed(4), windows],
      ]),
    ),
  ]);

/** Lines that are made at a time: a recording may have more windows than one call takes arguments, or one string holds. */
const LINES = 1000;

/** The windows of a recording: its path, from when to when, what is named there, the probability of each class. */
export function* windowLines(
  { path }: Heard,
  windows: readonly NamedWindow[],
  classes: readonly string[],
  threshold: number,
): Generator<string, void, undefined> {
  for (let first = 0; first < windows.length; first += LINES) {
    const rows = windows.slice(first, first + LINES).map((window) => {
      const { label = 'unknown' } = nameOf(window, classes, threshold);
      const { start, end, probabilities } = window;
      return [path, start.toFixed(3), end.toFixed(3), label, ...probabilities.map((p) => p.toFixed(4))];
    });
    yield csvText(rows);
  }
}
