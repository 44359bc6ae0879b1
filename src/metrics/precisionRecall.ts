/**
 * Precision and recall of generated points (Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing
 * generative models"): how much of what is generated lies where real points are, and how much of the real lies where
 * generated points are. Each is given point by point; the metric is the mean.
 */
import type { Overlap } from './overlap.js';

/** For each generated point 1 if a ball of a real point holds it, else 0. */
export const precision = ({ realBalls }: Overlap): Float64Array => Float64Array.from(realBalls, oneIfAny);

/** For each real point 1 if a ball of a generated point holds it, else 0. */
export const recall = ({ fakeBalls }: Overlap): Float64Array => Float64Array.from(fakeBalls, oneIfAny);

const oneIfAny = (balls: number): number => (balls > 0 ? 1 : 0);
