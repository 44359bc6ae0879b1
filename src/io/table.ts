/** Tables of text: a line of column names, then a line a row; parted by tabs, commas or semicolons, whichever it has most of. */

import { CsvError, parse } from 'csv-parse/sync';
import { UserError } from './errors.js';
import { readText } from './files.js';

export interface TableRow {
  /** Its line in the file, from 1, for messages. */
  readonly line: number;
  /** Trimmed texts by column; empty where there is none. */
  readonly cells: Readonly<Record<string, string>>;
}

export interface Table {
  readonly file: string;
  /** Names in lower case, trimmed. */
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
}

const DELIMITERS = ['\t', ',', ';'] as const;

/** Reads a table. Lines without a text in any cell are passed over. Throws a UserError that names file and line if it cannot be read as one. */
export async function readTable(file: string): Promise<Table> {
  return parseTable(file, await readText(file));
}

/** The same of a file's text. */
export function parseTable(file: string, text: string): Table {
  const [first = ''] = text.split(/\r?\n/, 1);
  const count = (delimiter: string) => first.split(delimiter).length;
  const delimiter = DELIMITERS.reduce((best, other) => (count(other) > count(best) ? other : best));
  try {
    const [head, ...rows] = parse(text, {
      delimiter,
      info: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_records_with_empty_values: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    const columns = head?.record.map((name) => name.toLowerCase()) ?? [];
    return {
      file,
      columns,
      rows: rows.map(({ record, info }) => ({
        line: info.lines,
        cells: Object.fromEntries(columns.map((column, i) => [column, record[i] ?? ''])),
      })),
    };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UserError(`"${file}" cannot be read as a table: ${error.message}.`, { cause: error });
  }
}

/** The first of the names that the table has as a column; undefined if it has none of them. */
export function columnOf({ columns }: Table, ...names: readonly string[]): string | undefined {
  return names.find((name) => columns.includes(name));
}

/** An error about a line of a table. */
export const rowError = ({ file }: Table, { line }: TableRow, what: string): UserError =>
  new UserError(`"${file}", line ${line}: ${what}`);

/** Rows as CSV: a line each; cells with commas, quotes or line breaks are quoted (RFC 4180). */
export const csvText = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((cells) => `${cells.map((cell) => quotedCell(String(cell))).join()}\n`).join('');

const quotedCell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
