/** Reading one table of labels, of any format that is known. */

import { UserError } from '../../io/errors.js';
import { readText } from '../../io/files.js';
import { parseTable, type Table, type TableRow } from '../../io/table.js';
import { isLabelTrack, readLabelTrack } from './audacity.js';
import { type Columns, FIELDS, type Field, type Format, type FormatName, tableFormats } from './format.js';
import { type LabelRow, type LabelTable, numberIn, rowFault } from './row.js';

export interface ReadLabelOptions {
  /** Default: recognised from what the table holds. */
  format?: FormatName | undefined;
  /** Where its columns have other names than those that are known. */
  columns?: Columns | undefined;
}

/** Reads a table. Undefined if it is none of labels; throws a UserError that says what is wrong with one. */
export async function readLabelTable(
  file: string,
  { format, columns = {} }: ReadLabelOptions,
): Promise<LabelTable | undefined> {
  const text = await readText(file);
  if (format === 'audacity' || (format === undefined && isLabelTrack(text))) return readLabelTrack(file, text);
  const table = parseTable(file, text);
  const isChosen = Object.values(columns).some((name) => table.columns.includes(name.toLowerCase()));
  const known = tableFormats.find(({ name, recognises }) =>
    format === undefined ? recognises(table.columns) : name === format,
  );
  const found = known ?? (isChosen ? tableFormats.find(({ name }) => name === 'csv') : undefined);
  return found && rowsOf(table, found, columns);
}

function rowsOf(table: Table, format: Format, columns: Columns): LabelTable {
  const places = placesOf(table, format, columns);
  const files = new Set(places.file === undefined ? [] : table.rows.map(({ cells }) => cells[places.file!]));
  if (format.name === 'raven' && places.offset === undefined && files.size > 1) {
    throw lacks(
      table,
      format,
      'offset',
      ['file offset (s)'],
      ' (it covers several recordings, and times count from the first)',
    );
  }
  const read: LabelTable = { file: table.file, rows: [], bad: [] };
  for (const row of withoutWaveforms(table.rows)) {
    if (isNoCall(row)) continue;
    const label = rowOf(row, places);
    const fault = rowFault(label);
    if (fault === undefined) read.rows.push(label);
    else read.bad.push({ line: row.line, reason: fault });
  }
  return read;
}

/** Raven writes a selection once for each view that shows it; that of the spectrogram has the band. */
function withoutWaveforms(rows: readonly TableRow[]): readonly TableRow[] {
  const isIn = (view: string) => (row: TableRow) => row.cells.view?.toLowerCase().startsWith(view) ?? false;
  return rows.some(isIn('spectrogram')) ? rows.filter((row) => !isIn('waveform')(row)) : rows;
}

/** BirdNET's Raven tables hold a row like this, of 3 s and all confidence, for a recording in which it found nothing. */
const isNoCall = ({ cells }: TableRow): boolean => cells['species code']?.toLowerCase() === 'nocall';

type Places = Partial<Record<Field, string>>;

/** The column of each field that the table has. Throws where one is missing that was asked for, or that is needed. */
function placesOf(table: Table, format: Format, columns: Columns): Places {
  const places: Places = {};
  const namesOf = (field: Field) => {
    const chosen = columns[field];
    return chosen === undefined ? (format.columns[field] ?? []) : [chosen.toLowerCase()];
  };
  for (const field of FIELDS) {
    const column = namesOf(field).find((name) => table.columns.includes(name));
    if (column !== undefined) places[field] = column;
    else if (columns[field] !== undefined || format.needs.includes(field)) {
      throw lacks(table, format, field, namesOf(field));
    }
  }
  const { start, end = places.duration } = places;
  if (start !== undefined && end === undefined) throw lacks(table, format, 'end', namesOf('end'));
  if (end !== undefined && start === undefined) throw lacks(table, format, 'start', namesOf('start'));
  return places;
}

function lacks(
  { file, columns }: Table,
  { title }: Format,
  field: Field,
  names: readonly string[],
  why = '',
): UserError {
  const wanted = names.map((name) => `"${name}"`).join(' or ');
  return new UserError(
    `"${file}" is a ${title} without the column ${wanted}${why}; its columns are ${columns.join(', ') || 'none'}. ` +
      `Where it has another name: --columns ${field}=NAME.`,
  );
}

function rowOf({ line, cells }: TableRow, places: Places): LabelRow {
  const text = (field: Field) => (places[field] === undefined ? undefined : cells[places[field]] || undefined);
  const row: LabelRow = { line };
  for (const field of ['file', 'label', 'recordist'] as const) {
    const value = text(field);
    if (value !== undefined) row[field] = value;
  }
  for (const field of ['start', 'end', 'low', 'high', 'confidence'] as const) {
    const value = numberIn(text(field));
    if (value !== undefined) row[field] = value;
  }
  const duration = numberIn(text('duration'));
  if (row.start !== undefined && row.end === undefined && duration !== undefined) row.end = row.start + duration;
  const offset = numberIn(text('offset'));
  if (row.start !== undefined && row.end !== undefined && offset !== undefined) {
    row.end += offset - row.start;
    row.start = offset;
  }
  return row;
}
