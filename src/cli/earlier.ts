/** Whether what a folder holds already was made with the settings that are asked for. */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../io/errors.js';
import { readText } from '../io/files.js';
import { startAnew } from './resume.js';

/** What is asked for: the folder, the file in it that says what was asked for before, and of which kind that is. */
export interface Earlier {
  readonly out: string;
  readonly file: string;
  readonly format: string;
  /** Such as "an ablation". */
  readonly what: string;
  /** Of settings that may have become more since: their defaults say what was done before. */
  readonly fields?: Readonly<Record<string, z.ZodType>>;
}

/** Throws a UserError if the file names other settings. What is named on one side only does not count. */
export async function checkEarlier(
  { out, file, format, what, fields }: Earlier,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (!existsSync(file)) return;
  const schema = z.object({ format: z.literal(format), settings: z.record(z.string(), z.unknown()) });
  const text = await readText(file);
  let earlier: z.infer<typeof schema>;
  try {
    earlier = schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`"${file}" is damaged, or none of this program's. ${startAnew(out)}`, { cause: error });
  }
  for (const [field, value] of Object.entries(settings)) {
    const known = fields?.[field]?.safeParse(earlier.settings[field]).data ?? earlier.settings[field];
    const now = JSON.stringify(value);
    // undefined: of an earlier version, which did as the default does. The order of fields within one does not count.
    if (known === undefined || isDeepStrictEqual(known, JSON.parse(now))) continue;
    const before = JSON.stringify(known);
    throw new UserError(
      `"${out}" holds ${what} with other settings: ${field} ${before} (asked for: ${now}). ${startAnew(out)}`,
    );
  }
}
