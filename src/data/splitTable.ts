/**
 * A split that somebody else made, as a table: `file` (an image below the data set, or a recording below the folder of
 * recordings) or `recording` (its name, or label/name), then `part` (train, validation, test), `fold` (a whole number), or both.
 */

import { UserError } from '../io/errors.js';
import { columnOf, readTable, rowError, type TableRow } from '../io/table.js';
import { type Fold, foldsOf, type Part, partsOfFold } from './parts.js';

export interface Assignment {
  readonly part: Part | undefined;
  readonly fold: Fold;
}

export interface SplitTable {
  readonly file: string;
  /** By what the table calls files and recordings. */
  readonly assignments: ReadonlyMap<string, Assignment>;
}

/** Other names of the parts, as tables have them. */
const PART_NAMES: Readonly<Record<string, Part>> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
};

/** Throws a UserError that names the file, and the line, if the table is none, or says two things of one file. */
export async function readSplitTable(file: string): Promise<SplitTable> {
  const table = await readTable(file);
  const nameColumn = columnOf(table, 'file', 'recording');
  const partColumn = columnOf(table, 'part', 'split');
  const foldColumn = columnOf(table, 'fold');
  if (nameColumn === undefined || (partColumn === undefined && foldColumn === undefined)) {
    throw new UserError(
      `"${file}" must have a column "file" or "recording", and "part" or "fold"; its columns are ` +
        `${table.columns.join(', ') || 'none'}.`,
    );
  }
  const assignments = new Map<string, Assignment>();
  for (const row of table.rows) {
    const fault = (what: string): UserError => rowError(table, row, what);
    const name = normalised(row.cells[nameColumn]!);
    if (name === '') throw fault(`"${nameColumn}" is empty.`);
    const assignment = { part: partOf(row, partColumn, fault), fold: foldOf(row, foldColumn, fault) };
    if (assignment.part === undefined && assignment.fold === undefined) throw fault('neither part nor fold is given.');
    const known = assignments.get(name);
    if (known && (known.part !== assignment.part || known.fold !== assignment.fold)) {
      throw fault(`"${name}" is named a second time, with another part or fold.`);
    }
    assignments.set(name, assignment);
  }
  return { file, assignments };
}

type Fault = (what: string) => UserError;

function partOf({ cells }: TableRow, column: string | undefined, fault: Fault): Part | undefined {
  const text = column === undefined ? '' : cells[column]!;
  if (text === '') return undefined;
  const part = PART_NAMES[text.toLowerCase()];
  if (part === undefined) throw fault(`"${column}" is "${text}": it must be train, validation or test.`);
  return part;
}

function foldOf({ cells }: TableRow, column: string | undefined, fault: Fault): Fold {
  const text = column === undefined ? '' : cells[column]!;
  if (text === '') return undefined;
  const fold = Number(text);
  if (!Number.isInteger(fold) || fold < 0) throw fault(`"${column}" is "${text}": it must be a whole number.`);
  return fold;
}

const normalised = (name: string): string => name.replaceAll('\\', '/').replace(/^(\.\/)+/, '');

/** What a table may call an image. */
export interface Named {
  readonly label: string;
  readonly file: string;
  readonly recording: string;
  /** Of the recording, below the folder of recordings. */
  readonly source?: string | undefined;
}

/**
 * Part and fold of each image. Where the table has folds alone, the first of them tests. Throws a UserError if it says
 * nothing of an image; `notes` tells of lines that name nothing here.
 */
export function importSplit(
  images: readonly Named[],
  { file, assignments }: SplitTable,
  withValidation: boolean,
): { parts: Part[]; folds: Fold[]; notes: string[] } {
  const used = new Set<string>();
  const found = images.map((image): Assignment | undefined => {
    const { label, recording, source = '' } = image;
    const names = [image.file, source, `${label}/${recording}`, recording].map(normalised);
    const name = names.find((candidate) => assignments.has(candidate));
    if (name !== undefined) used.add(name);
    return name === undefined ? undefined : assignments.get(name);
  });
  const lacking = images.filter((_, i) => !found[i]);
  if (lacking.length > 0) {
    throw new UserError(
      `"${file}" says nothing of ${lacking.length} of ${images.length} images; the first is "${lacking[0]!.file}", ` +
        `recording "${lacking[0]!.label}/${lacking[0]!.recording}". Name every image or recording in it.`,
    );
  }
  const folds = found.map((assignment) => assignment!.fold);
  const withFolds = images.map(({ label }, i) => ({ label, split: found[i]!.part ?? 'train', fold: folds[i] }));
  const first = foldsOf(withFolds)[0];
  const ofFolds = first === undefined ? [] : partsOfFold(withFolds, first, withValidation);
  const unused = [...assignments.keys()].filter((name) => !used.has(name));
  return {
    parts: found.map((assignment, i) => assignment!.part ?? ofFolds[i]!),
    folds,
    notes:
      unused.length === 0
        ? []
        : [
            `"${file}" names ${unused.length} files or recordings that the data set has not; the first is "${unused[0]}".`,
          ],
  };
}
