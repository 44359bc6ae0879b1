/** Runs the program in this process and gives what it wrote. */
import { vi } from 'vitest';
import { main } from '../../src/cli/main.js';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `lyrebird ...args`, as if called from a shell. */
export async function lyrebird(...args: string[]): Promise<Ran> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text = '') => void stdout.push(`${text}\n`)),
    vi.spyOn(console, 'error').mockImplementation((text = '') => void stderr.push(`${text}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => stdout.push(String(text)) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => stderr.push(String(text)) > 0),
  ];
  try {
    const exitCode = await main(args);
    return { exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
