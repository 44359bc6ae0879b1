/** What an ablation found, as plain data: variants of one training, each run with the same seeds. */

/** What is measured of each run, in the order of the tables. */
export const MEASURES = {
  frechet: { name: 'Frechet distance', better: 'lower' },
  kernel: { name: 'kernel distance', better: 'lower' },
  precision: { name: 'precision', better: 'higher' },
  recall: { name: 'recall', better: 'higher' },
  density: { name: 'density', better: 'higher' },
  coverage: { name: 'coverage', better: 'higher' },
  ganTrain: { name: 'GAN-train', better: 'higher' },
  ganTest: { name: 'GAN-test', better: 'higher' },
  stepMilliseconds: { name: 'ms a step', better: 'lower' },
} as const satisfies Record<string, { readonly name: string; readonly better: 'lower' | 'higher' }>;

export type MeasureName = keyof typeof MEASURES;

export const measureNames = Object.keys(MEASURES) as MeasureName[];

/** What could be measured: of a run, or of real images. */
export type Measured = { readonly [name in MeasureName]?: number | undefined };

/** A mean over repetitions. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation, of count - 1; absent for a single value. */
  readonly deviation?: number;
  readonly count: number;
}

/** Of two things, over repetitions that are pairs. */
export interface Difference {
  readonly mean: number;
  /** 95 %; absent for a single pair, and where all pairs differ by the same: that says nothing of how sure it is. */
  readonly interval?: readonly [low: number, high: number];
  readonly count: number;
}

export interface AblationRun {
  readonly seed: number;
  readonly measured?: Measured;
  /** Why there are no numbers: what ended its training. */
  readonly failed?: string;
}

export interface AblationVariant {
  readonly name: string;
  /** What is other, in words. */
  readonly what: string;
  /** Fields of config.json that are other than in the base variant. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Those that are done. */
  readonly runs: readonly AblationRun[];
  readonly spread: { readonly [name in MeasureName]?: Spread };
  /** From the base variant, over the seeds that both have. */
  readonly difference: { readonly [name in MeasureName]?: Difference };
}

/** `ablation.json`. */
export interface Ablation {
  readonly format: 'lyrebird-ablation/1';
  readonly complete: boolean;
  /** Of training and evaluation, what all runs share. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seeds: readonly number[];
  readonly classes: readonly string[];
  /** Images. */
  readonly counts: { readonly training: number; readonly heldOut: number; readonly generated: number };
  /** What held-out real images give in the place of generated ones. */
  readonly heldOut: Measured;
  /** The base variant is the first. */
  readonly variants: readonly AblationVariant[];
}

/** Whether a difference is one for the better or the worse beyond doubt of its interval; undefined if it may be chance. */
export function judged(name: MeasureName, { mean, interval }: Difference): 'better' | 'worse' | undefined {
  if (!interval || (interval[0] <= 0 && interval[1] >= 0)) return undefined;
  return mean > 0 === (MEASURES[name].better === 'higher') ? 'better' : 'worse';
}
