/** The sheets of pictures that a run leaves in its folder `samples`: of real images, and of generated ones as it went on. */

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { systemCode, toUserError } from './errors.js';

export const REAL_SHEET = 'real.png';

export const sheetName = (step: number): string => `step-${String(step).padStart(6, '0')}.png`;

/** The steps of which there are sheets, in order. */
export async function sampledSteps(run: string): Promise<number[]> {
  const folder = path.join(run, 'samples');
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw toUserError(error, folder);
  });
  const steps = names.flatMap((name) => /^step-(\d+)\.png$/.exec(name)?.[1] ?? []);
  return steps.map(Number).sort((a, b) => a - b);
}
