/** How a run of the program ends: what the thrown error makes it say, and its exit code. */
import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { DeviceError } from '../device/errors.js';
import { describe, UserError } from '../io/errors.js';

/** The program did its work and the answer is no: a check failed. Exit code 1; without a message nothing more is said. */
export class Failure extends Error {}

/**
 * The program did its work, but could not use all that it was given, or find all that it was asked for. Exit code 3; the message
 * says where that is listed.
 */
export class LeftOut extends Error {}

/** Somebody ended the program before its work was done. Says nothing more. */
export class Interruption extends Error {
  constructor(readonly exitCode: number) {
    super('interrupted');
  }
}

export interface Outcome {
  readonly exitCode: number;
  /** For stderr; empty if everything has been said. */
  readonly text: string;
}

/**
 * 1: something that the user can mend, or a failed check; 2: wrong usage; 3: done, but something was left out; 130 and the
 * like: interrupted. Any other error is a bug, also 1; its stack is shown where LYREBIRD_DEBUG is set.
 */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Interruption) return { exitCode: error.exitCode, text: '' };
  if (error instanceof LeftOut) return { exitCode: 3, text: `lyrebird: ${error.message}` };
  // Commander has printed the help, or what is wrong with the usage.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, text: '' };
  if (error instanceof UserError || error instanceof DeviceError || error instanceof Failure) {
    return { exitCode: 1, text: error.message && `lyrebird: ${error.message}` };
  }
  // A file or the network refused, somewhere where nothing was known to be added.
  if (error instanceof Error && 'syscall' in error) return { exitCode: 1, text: `lyrebird: ${describe(error)}` };
  return { exitCode: 1, text: bugReport(error) };
}

function bugReport(error: unknown): string {
  if (process.env.LYREBIRD_DEBUG) return `lyrebird: this is a bug in lyrebird.\n${inspect(error)}`;
  return (
    `lyrebird: this is a bug in lyrebird: ${describe(error)}\n` +
    'Please report it with what you ran; with LYREBIRD_DEBUG=1 in the environment, it says where this happened.'
  );
}
