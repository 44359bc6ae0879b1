import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { columnOf, csvText, parseTable, readTable } from '../../src/io/table.js';
import { temporaryFolder } from '../temporary.js';

function saved(text: string): string {
  const file = path.join(temporaryFolder(), 'table.csv');
  writeFileSync(file, text);
  return file;
}

test.each([
  ['commas', 'File,Part\na.wav,train\n"b, c.wav", test \n'],
  ['semicolons', 'File;Part\r\na.wav;train\r\nb, c.wav;test\r\n'],
  ['tabs and a byte order mark', '\uFEFFFile\tPart\na.wav\ttrain\n\nb, c.wav\ttest'],
])('%s part the columns', async (_, text) => {
  const { columns, rows } = await readTable(saved(text));
  expect(columns).toEqual(['file', 'part']);
  expect(rows.map(({ cells }) => cells)).toEqual([
    { file: 'a.wav', part: 'train' },
    { file: 'b, c.wav', part: 'test' },
  ]);
  expect(rows[1]!.line).toBe(text.includes('\n\n') ? 4 : 3);
});

test('short rows have empty cells, an empty file has nothing', async () => {
  expect((await readTable(saved('a,b\n1\n'))).rows[0]!.cells).toEqual({ a: '1', b: '' });
  expect(await readTable(saved(''))).toMatchObject({ columns: [], rows: [] });
});

test('lines of empty cells, as spreadsheets leave them, are no rows', async () => {
  const { rows } = await readTable(saved('a,b\n1,2\n,\n , \n\n3,4\n,\n'));
  expect(rows).toEqual([
    { line: 2, cells: { a: '1', b: '2' } },
    { line: 6, cells: { a: '3', b: '4' } },
  ]);
});

test('columns go by the first name that is there', async () => {
  const table = await readTable(saved('split,file\n'));
  expect([columnOf(table, 'part', 'split'), columnOf(table, 'fold')]).toEqual(['split', undefined]);
});

test('what is no table, or not there, is an error with the file in it', async () => {
  await expect(readTable(saved('a,b\n"never closed,1\n2,3'))).rejects.toThrow(
    /table\.csv" cannot be read as a table: /,
  );
  await expect(readTable(path.join(temporaryFolder(), 'no.csv'))).rejects.toThrow(/There is no file or folder/);
});

test('writes cells that reading gives back', () => {
  const rows = [
    ['file', 'label'],
    ['a, b.png', 'the "great" one'],
    ['two\nlines', '7'],
  ];
  const { rows: read } = parseTable('t.csv', csvText(rows));
  expect(read.map(({ cells }) => Object.values(cells))).toEqual(rows.slice(1));
  expect(csvText([[1, 'x']])).toBe('1,x\n');
});
