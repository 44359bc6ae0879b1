/**
 * Standing statistics (Brock et al. 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis"): running means
 * and variances of batch norms, taken anew as plain means over some batches. Those that training leaves are of weights which
 * have moved on since, and an average of weights has none of its own.
 */
import { BatchNorm } from './layers.js';
import type { Module } from './module.js';

/**
 * Calls `forward` once a pass, in training mode, and leaves the module in evaluation mode with the means of what its batch norms
 * have met; what their statistics were before counts for nothing.
 */
export function standingStatistics(module: Module, passes: number, forward: (pass: number) => void): void {
  const norms = [...module.modules()].filter((each) => each instanceof BatchNorm);
  const momenta = norms.map(({ momentum }) => momentum);
  module.train();
  for (let pass = 0; pass < passes; pass++) {
    for (const norm of norms) norm.momentum = 1 / (pass + 1);
    forward(pass);
  }
  for (const [i, norm] of norms.entries()) norm.momentum = momenta[i]!;
  module.eval();
}
