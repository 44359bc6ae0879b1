/** What an experiment found, as plain data: networks trained on mixes of real and generated images, tested on the same recordings. */
import type { Spread } from './ablation.js';

/** Of one classifier, on the recordings of the fold that tested. */
export interface ExperimentMember {
  readonly fold: number;
  readonly seed: number;
  /** Shares of windows and of recordings that are named rightly, and the mean F1 of the classes, by windows. */
  readonly accuracy?: number;
  readonly recordings?: number;
  readonly f1?: number;
  /** Why there are no numbers. */
  readonly failed?: string;
}

export const SCORES = ['accuracy', 'recordings', 'f1'] as const;

export type ScoreName = (typeof SCORES)[number];

/** By how much the share of windows that are named rightly is other, on the same recordings of all folds, over all seeds. */
export interface Gain {
  readonly mean: number;
  /** 95 %, by drawing recordings; missing, as the chances are, of fewer than two recordings. */
  readonly interval?: readonly [low: number, high: number];
  /** Two-sided chance of so large a difference where there is none. */
  readonly p?: number;
  /** The same, corrected for how many such tests there are (Holm 1979). */
  readonly corrected?: number;
  readonly recordings: number;
  readonly windows: number;
}

export interface ExperimentArm {
  readonly network: string;
  readonly dynamic: boolean;
  readonly mix: string;
  /** Those that are done. */
  readonly members: readonly ExperimentMember[];
  readonly spread: { readonly [name in ScoreName]?: Spread };
  /** Over the same network trained on real images alone, where both are done. */
  readonly gain?: Gain;
}

/** `experiment.json` */
export interface Experiment {
  readonly format: 'lyrebird-experiment/1';
  readonly complete: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly dataset: string;
  readonly synthetic: boolean;
  readonly classes: readonly string[];
  /** Windows that test, and the recordings that they are of. */
  readonly images: number;
  readonly recordings: number;
  /** Those that test. */
  readonly folds: readonly number[];
  readonly seeds: readonly number[];
  readonly notes: readonly string[];
  /** What always naming the commonest class would get right. */
  readonly chance: number;
  readonly networks: readonly string[];
  /** The first is real images alone. */
  readonly mixes: readonly { readonly name: string; readonly what: string; readonly generated: boolean }[];
  readonly arms: readonly ExperimentArm[];
  /** Of dynamic convolutions over ordinary ones, over all mixes of which both are done. */
  readonly dynamicGains: readonly { readonly network: string; readonly gain: Gain }[];
  /** Generators that failed. */
  readonly failures: readonly { readonly fold: number; readonly seed: number; readonly failed: string }[];
}

/** `VGG16 dynamic` */
export const armName = (network: string, dynamic: boolean): string => `${network}${dynamic ? ' dynamic' : ''}`;

/** What a gain shows after the correction for many tests; undefined if it may be chance. */
export function shows({ mean, corrected }: Gain): 'gain' | 'loss' | undefined {
  if (corrected === undefined || corrected >= 0.05) return undefined;
  return mean > 0 ? 'gain' : 'loss';
}

/**
 * What the abstract of Fu et al. 2023 (Ecological Informatics, doi 10.1016/j.ecoinf.2023.102250) says, in percentage points: the
 * gain of augmentation with generated images, and of dynamic convolutions besides, for the networks in the order in which it
 * names them. Theirs, of other recordings.
 */
export const PAPER: Readonly<Record<string, { readonly augmentation: number; readonly dynamic: number }>> = {
  MobileNetV2: { augmentation: 6.66, dynamic: 1.68 },
  ResNet18: { augmentation: 4.35, dynamic: 0.67 },
  VGG16: { augmentation: 2.29, dynamic: 0.38 },
};

/** The highest accuracy that it reports: of VGG16 with dynamic convolutions. */
export const PAPER_BEST = 97.6;
