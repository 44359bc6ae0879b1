/** Tables for the terminal. */

/** How a column is written: to the left for names, to the right for numbers. */
export type Align = 'left' | 'right';

/** Columns as wide as their widest cell, two spaces between them, no spaces at the ends of lines. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[],
): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) =>
          align[column] === 'right' ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Three digits that count, small numbers too: 1234, 12.3, 0.00123. An absent number is a hyphen. */
export function threeDigits(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 999.5) return value.toFixed(0);
  return Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3);
}
