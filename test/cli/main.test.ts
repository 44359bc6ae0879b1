import { spawn, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { interruptible, outputClosed } from '../../src/cli/interrupt.js';
import { VERBS } from '../../src/cli/main.js';
import { nearest, positiveInteger } from '../../src/cli/options.js';
import { Failure, Interruption, outcomeOf } from '../../src/cli/outcome.js';
import { formatTable, threeDigits } from '../../src/cli/table.js';
import { DeviceError } from '../../src/device/errors.js';
import { UserError } from '../../src/io/errors.js';
import { temporaryFolder } from '../temporary.js';
import { isBuilt, program } from './built.js';
import { lyrebird } from './console.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('the command line', () => {
  it('lists every verb with one line', async () => {
    const { exitCode, stdout, stderr } = await lyrebird('--help');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const words = stdout.replace(/\s+/g, ' ');
    for (const [name, { summary }] of Object.entries(VERBS)) expect(words).toContain(` ${name} ${summary} `);
  });

  it.each(Object.keys(VERBS))('explains %s', async (verb) => {
    const { exitCode, stdout } = await lyrebird('help', verb);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: lyrebird ${verb}`);
    expect(stdout).toContain('Options:');
    expect(stdout).not.toContain('(default: {'); // what a parser makes of a default, not what one types
  });

  it('has one verb a file, by the same name', async () => {
    for (const [name, { load }] of Object.entries(VERBS)) {
      const program = new Command();
      (await load()).register(program);
      expect(program.commands.map((command) => command.name())).toEqual([name]);
    }
  });

  it.each([
    ['nothing', [], 'Verbs:'],
    ['a misspelt verb', ['docter'], '(Did you mean doctor?)'],
    ['an unknown option', ['doctor', '--fast'], "unknown option '--fast'"],
    ['a surplus argument', ['doctor', 'now'], 'too many arguments'],
    ['a wrong number', ['bench', '--rounds', '0'], 'Give a whole number above 0.'],
  ])('answers %s with advice and exit code 2', async (_what, args, advice) => {
    const { exitCode, stdout, stderr } = await lyrebird(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(advice);
    expect(stderr).toMatch(/--help/);
  });

  it('prints its version', async () => {
    const { exitCode, stdout } = await lyrebird('--version');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('outcomeOf', () => {
  it.each([
    ['a user error', new UserError('Name a file.')],
    ['a device error', new DeviceError('Name a file.')],
    ['a failed check', new Failure('Name a file.')],
  ])('says one sentence for %s', (_what, error) => {
    expect(outcomeOf(error)).toEqual({ exitCode: 1, text: 'lyrebird: Name a file.' });
  });

  it('says what a refusing file system means', () => {
    const error = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write', path: '/a' });
    expect(outcomeOf(error).text).toMatch(/^lyrebird: The disk is full: could not write "\/a"/);
  });

  it('calls anything else a bug, and shows the stack on request only', () => {
    vi.stubEnv('LYREBIRD_DEBUG', '');
    const quiet = outcomeOf(new TypeError('x is not a function'));
    expect(quiet.exitCode).toBe(1);
    expect(quiet.text).toContain('a bug in lyrebird: x is not a function');
    expect(quiet.text).not.toContain('main.test.ts');
    vi.stubEnv('LYREBIRD_DEBUG', '1');
    expect(outcomeOf(new TypeError('x is not a function')).text).toContain('main.test.ts');
  });

  it('is silent after an interruption', () => {
    expect(outcomeOf(new Interruption(130))).toEqual({ exitCode: 130, text: '' });
  });
});

describe('interruptible', () => {
  it('returns what was computed, and leaves no handler behind', async () => {
    const before = process.listenerCount('SIGINT');
    expect(await interruptible(async () => 5)).toBe(5);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('lets the work finish at the first ^C, and ends at once at the second', async () => {
    const said = vi.spyOn(console, 'error').mockReturnValue();
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('exit');
    });
    let saved = false;
    const work = interruptible(async (signal) => {
      pressInterrupt();
      expect(signal.aborted).toBe(true);
      expect(exit).not.toHaveBeenCalled();
      saved = true;
      expect(pressInterrupt).toThrow('exit');
    });
    await expect(work).rejects.toEqual(new Interruption(130));
    expect(saved).toBe(true);
    expect(exit).toHaveBeenCalledWith(130);
    expect(said).toHaveBeenCalledOnce();
  });

  it('ends the work in silence when nobody reads its output', async () => {
    const said = vi.spyOn(console, 'error').mockReturnValue();
    const work = interruptible(async (signal) => {
      outputClosed();
      return signal.aborted;
    });
    await expect(work).rejects.toEqual(new Interruption(141));
    expect(said).not.toHaveBeenCalled();
  });
});

/** What the system does at ^C, but only to the handler that was installed last: the test runner has its own. */
const pressInterrupt = (): void => process.listeners('SIGINT').at(-1)!('SIGINT');

test('positiveInteger takes whole numbers above 0 only', () => {
  expect(positiveInteger('12')).toBe(12);
  for (const text of ['0', '-1', '1.5', 'x', '', '1e30']) expect(() => positiveInteger(text)).toThrow(/whole number/);
});

test('nearest finds parts and misspellings, the closest first', () => {
  const names = ['conv2d', 'conv_transpose2d', 'relu', 'relu6', 'leaky_relu', 'sum'];
  expect(nearest('conv2', names)).toEqual(['conv2d']);
  expect(nearest('Conv-2D', names)).toEqual(['conv2d']);
  expect(nearest('rellu', names)[0]).toBe('relu');
  expect(nearest('zzz', names)).toEqual([]);
});

test('tables align their columns', () => {
  const rows = [
    ['relu', '1'],
    ['conv2d', '12'],
  ];
  expect(formatTable(['op', 'n'], rows, ['left', 'right'])).toBe('op       n\nrelu     1\nconv2d  12');
});

test('threeDigits', () => {
  const written = [undefined, 0, 1234.5, 12.345, 0.0123, 0.000123, Number.NaN].map(threeDigits);
  expect(written).toEqual(['-', '0', '1235', '12.3', '0.0123', '1.2e-4', 'NaN']);
});

/** What only a process of its own shows; the program has to be built, and from these sources. */
describe.skipIf(!isBuilt())('the built program', () => {
  it('is run by its link, and ends by itself', () => {
    const folder = temporaryFolder();
    const link = join(folder, 'lyrebird');
    symlinkSync(program, link);
    const { status, stdout } = spawnSync(process.execPath, [link, '--version'], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('closes its device and ends by itself', () => {
    const { status, stdout } = spawnSync(process.execPath, [program, 'gradcheck', 'relu'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(status).toBe(0);
    expect(stdout).toContain('pass');
  });

  it('says nothing when its reader goes away', async () => {
    const child = spawn(process.execPath, [program, 'gradcheck', 'relu'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(141);
    expect(stderr).not.toMatch(/EPIPE|bug/);
  });
});
