/** `manifest.json`: what a folder of generated images holds. `lyrebird generate` writes it. */

import path from 'node:path';
import { z } from 'zod';
import { readText } from '../io/files.js';
import { shownSchema } from './schema.js';

export const manifestName = 'manifest.json';
export const manifestFormat = 'lyrebird-synthetic/1';

/** What is read again; `shown` and `fold` are younger than the first manifests. */
const manifestSchema = z.object({
  format: z.literal(manifestFormat),
  shown: shownSchema.nullable().default(null),
  /** Of the data set that its generator was trained on, the fold that it tested: see TrainConfig. */
  fold: z.int().min(0).nullable().optional(),
  images: z.array(z.object({ file: z.string().describe('path below the folder, not to be trusted') })),
});

export type ReadManifest = z.infer<typeof manifestSchema>;

/** Undefined if the file is something else. Throws a UserError if it cannot be read. */
export async function readManifest(folder: string): Promise<ReadManifest | undefined> {
  const text = await readText(path.join(folder, manifestName));
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON
  }
}
