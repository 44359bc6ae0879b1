/** The tables of labels that somebody has: one, or a folder of them. */

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { toUserError, UserError } from '../../io/errors.js';
import { readText } from '../../io/files.js';
import type { SkippedEntry } from '../schema.js';
import { type ReadLabelOptions, readLabelTable } from './read.js';
import type { LabelTable } from './row.js';

const extensions = new Set(['.txt', '.csv', '.tsv']);

/**
 * Reads a table, or all that lie in a folder, in a fixed order; texts that are no tables of labels are passed over. Throws a
 * UserError if there is none that can be used. In a folder, one that is wrong is only left out.
 */
export async function readLabelTables(
  place: string,
  options: ReadLabelOptions,
): Promise<{ tables: LabelTable[]; skipped: SkippedEntry[] }> {
  const status = await stat(place).catch((error: unknown) => {
    throw toUserError(error, place);
  });
  const found: { tables: LabelTable[]; skipped: SkippedEntry[] } = { tables: [], skipped: [] };
  for (const file of status.isDirectory() ? await tablesIn(place) : [place]) {
    try {
      const table = await readLabelTable(file, options);
      if (table) found.tables.push(table);
    } catch (error) {
      if (!(error instanceof UserError) || !status.isDirectory()) throw error;
      found.skipped.push({ file, reason: withoutName(error.message, file) });
    }
  }
  if (found.tables.length > 0) return found;
  if (found.skipped[0]) throw new UserError(`"${found.skipped[0].file}" ${found.skipped[0].reason}`);
  const what = status.isDirectory()
    ? 'holds no table'
    : `is no table (it begins ${JSON.stringify(await firstLine(place))})`;
  throw new UserError(
    `"${place}" ${what} of labels that is known: of Raven, Audacity or BirdNET, or one with the columns file and label. Say ` +
      'what its columns are: --columns file=NAME,label=NAME,start=NAME,end=NAME.',
  );
}

const firstLine = async (file: string): Promise<string> => (await readText(file)).split(/\r?\n/, 1)[0]!.slice(0, 80);

const withoutName = (message: string, file: string): string =>
  message.startsWith(`"${file}" `) ? message.slice(file.length + 3) : message;

async function tablesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw toUserError(error, folder);
  });
  const isTable = (name: string) =>
    extensions.has(path.extname(name).toLowerCase()) && !path.basename(name).startsWith('.');
  return names
    .filter(isTable)
    .sort()
    .map((name) => path.join(folder, name));
}
