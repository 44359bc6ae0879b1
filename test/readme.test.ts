/** README.md: its tables are what measurements gave. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('shows what bench/results/ holds', () => {
  const { status, stderr } = spawnSync(process.execPath, ['bench/resultTables.js', '--check'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
