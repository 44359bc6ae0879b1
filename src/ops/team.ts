/** Teams of invocations that share a sum or a maximum: the kernels that use kernels/lib/team.wgsl. */
import type { Capabilities } from '../kernel/choose.js';

/**
 * Invocations that share a sum of `terms`: `most` of them on a GPU, where the sum is long enough. On a software adapter
 * sharing costs more than it saves, except where there are too few sums to keep it busy.
 */
export function teamWidth(device: Capabilities, sums: number, terms: number, most: number): number {
  const busy = device.software && sums >= 256;
  return !busy && terms >= 2 * most ? most : 1;
}

/** Library files and constants of a kernel in workgroups of 64 / WIDTH teams; `lanes` is the file with their `Lanes`. */
export const team = (WIDTH: number, lanes = 'lib/lanes_1') => ({
  uses: [lanes, WIDTH === 1 ? 'lib/team_of_one' : 'lib/team'],
  constants: { WIDTH },
});
