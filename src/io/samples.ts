/** The sheets of pictures that a run leaves in its folder `samples`: of real images, and of generated ones as it went on. */

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, systemCode, toUserError, UserError } from './errors.js';

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

/** Removes the sheets of steps after `step`, as the log of a run that goes on from there begins anew: they may be of another run. */
export async function removeSheetsAfter(run: string, step: number): Promise<void> {
  const later = (await sampledSteps(run)).filter((sampled) => sampled > step);
  for (const sampled of later) {
    await rm(path.join(run, 'samples', sheetName(sampled)), { force: true }).catch((error: unknown) => {
      // A folder of that name is no sheet. If one is to be written there, that is said then, with the step saved.
      if (systemCode(error) !== 'ERR_FS_EISDIR') throw error;
    });
  }
}

const SMALL = 640;

/** The sheet of a step as a small WebP. Throws a UserError if it cannot be read. */
export function smallSheet(run: string, step: number): Promise<Buffer> {
  const file = path.join(run, 'samples', sheetName(step));
  return sharp(file)
    .resize({ width: SMALL, withoutEnlargement: true })
    .webp({ quality: 75 })
    .toBuffer()
    .catch((error: unknown) => {
      throw new UserError(`"${file}" cannot be read as an image (${describe(error)}): remove it.`, { cause: error });
    });
}
