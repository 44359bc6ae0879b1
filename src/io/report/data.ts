/** What a report tells, as plain data. */

import type { Evaluation } from '../evaluation.js';
import type { Panel } from '../scalars.js';
import type { Score } from './scores.js';

/** Something that is not in the data set; the reason is in words that follow its name. */
export interface LeftOut {
  file: string;
  start?: number | undefined;
  line?: number | undefined;
  reason: string;
}

export interface ReportData {
  title: string;
  /** Whether the recordings that went in are made up, for a demonstration or a test: the report then says so loudly. */
  synthetic: boolean;
  dataset: {
    /** Where the recordings or images came from, in words or as a path. */
    source?: string;
    /** Numbers of images. The order of the classes is that of every confusion matrix. */
    classes: readonly { label: string; training: number; heldOut: number }[];
    /** Files; with `start` (seconds) one window of a recording, with `line` one of a table. */
    skipped: readonly LeftOut[];
    /** How recordings were turned into images: window, frequencies, wavelet, ... */
    parameters: Settings;
  };
  run: {
    steps: number;
    batch: number;
    /** Side of the images, in pixels. */
    size: number;
    seed: number;
    /** The GPU's or software adapter's name. */
    adapter: string;
    secondsTotal: number;
    peakGpuBytes?: number;
    parametersG: number;
    parametersD: number;
    /** Further settings, such as learning rates. */
    settings?: Settings;
    /** Parts of the run. */
    timings?: readonly { part: string; seconds: number }[];
  };
  /** Every number of the log over the steps. */
  curves: readonly Panel[];
  /** Sheets of generated images at some of the steps, as WebP. */
  samples: readonly { step: number; sheet: Uint8Array }[];
  /** How often the discriminator names the right class; the confusion matrices are [classes, classes]. */
  accuracy: { heldOutReal?: Score; training?: Score; synthetic?: Score };
  /** How good the generator is, where that was measured. */
  evaluation?: EvaluationPart | undefined;
  /** For each class a PNG with some real and one with some synthetic spectrograms, best on a transparent background. */
  grids: readonly { label: string; real: Uint8Array; synthetic: Uint8Array }[];
}

export interface EvaluationPart {
  numbers: Evaluation;
  /** Generated images beside their nearest training images, as PNG. */
  sheet: Uint8Array | undefined;
}

/** null: not set. */
export type Settings = Readonly<Record<string, string | number | boolean | null>>;
