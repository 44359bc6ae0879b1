/**
 * Density and coverage of generated points (Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
 * models"). They ask what precision and recall ask, but a single outlier with its large ball spoils neither: density counts
 * balls, and coverage looks at balls of real points only. Each is given point by point; the metric is the mean.
 */
import type { Overlap } from './overlap.js';

/** For each generated point the number of real points' balls that hold it, over k: 1 on average where both sets are alike. */
export const density = ({ realBalls, k }: Overlap): Float64Array => Float64Array.from(realBalls, (balls) => balls / k);

/** For each real point 1 if its ball holds a generated point, else 0. */
export const coverage = ({ reached }: Overlap): Float64Array => Float64Array.from(reached);
