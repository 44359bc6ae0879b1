/** What somebody (or a recogniser) says sounds where in a recording, and the windows which that gives. */

/** A labelled stretch of a recording. */
export interface Annotation {
  /** Seconds from the recording's beginning; `start < end`. */
  start: number;
  end: number;
  label: string;
  /** The band that it lies in, Hz, where it is known. */
  low?: number;
  high?: number;
  /** In [0, 1], where a recogniser made it. */
  confidence?: number;
}

/**
 * Where the windows of an annotation begin, in seconds. Windows lie within the annotated stretch, `hop` apart, as many
 * as fit, and together in its middle; a stretch shorter than a window gives one window, centred on it. So
 *
 *   n = max(1, 1 + floor((end - start - window) / hop)),  first = (start + end - window - (n - 1) hop) / 2
 *
 * Near the ends of a recording they may lead beyond it: there they are moved to begin at 0, or to end at its end. Every
 * window carries the annotation's label; where annotations overlap, each gives its own. What no annotation touches is
 * nobody's song: it is left for the noise class.
 *
 * Only those are given that begin from `from` to `to`: nobody knows how far beyond a recording's end a table reaches.
 */
export function windowStarts(
  { start, end }: Pick<Annotation, 'start' | 'end'>,
  { window, hop }: { window: number; hop: number },
  { from, to } = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY },
): number[] {
  // Times from tables are decimal fractions: 0.3 - 0.1 must count as 0.2.
  const count = Math.max(1, 1 + Math.floor((end - start - window) / hop + 1e-6));
  const first = (start + end - window - (count - 1) * hop) / 2;
  const lowest = Math.max(0, Math.ceil((from - first) / hop));
  const highest = Math.min(count - 1, Math.floor((to - first) / hop));
  return Array.from({ length: Math.max(0, highest - lowest + 1) }, (_, i) => first + (lowest + i) * hop);
}
