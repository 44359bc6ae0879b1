/**
 * Audacity's label tracks: `start <tab> end <tab> label` in seconds, a line for each, without column names. A line
 * `\ <tab> low <tab> high` after it gives its band in Hz, -1 where that is open.
 */

import { type LabelRow, type LabelTable, numberIn, rowFault } from './row.js';

/** Whether a text begins as a label track does. */
export function isLabelTrack(text: string): boolean {
  const [start, end, ...others] = text.trimStart().split(/\r?\n/, 1)[0]!.split('\t').map(numberIn);
  return start !== undefined && end !== undefined && start >= 0 && end >= 0 && others.length <= 2;
}

export function readLabelTrack(file: string, text: string): LabelTable {
  const table: LabelTable = { file, rows: [], bad: [] };
  let row: LabelRow | undefined;
  for (const [i, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === '') continue;
    const [first = '', second, third = ''] = content.split('\t');
    if (first === '\\') {
      if (row) Object.assign(row, bandOf(numberIn(second), numberIn(third)));
      continue;
    }
    const line = i + 1;
    const [start, end] = [numberIn(first), numberIn(second)];
    row = { line, ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
    if (third.trim() !== '') row.label = third.trim();
    const fault = start === undefined ? 'it has no start.' : rowFault(row);
    if (fault === undefined) table.rows.push(row);
    else table.bad.push({ line, reason: fault });
  }
  return table;
}

function bandOf(low: number | undefined, high: number | undefined): Pick<LabelRow, 'low' | 'high'> {
  return { ...(low !== undefined && low >= 0 && { low }), ...(high !== undefined && high >= 0 && { high }) };
}
