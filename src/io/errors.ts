/** Errors that people read: what was wrong, where, and what to do about it. */

import { getSystemErrorMap } from 'node:util';

/**
 * A fault that the user can mend: a broken file, a wrong setting, a full disk. Its message stands alone, without a
 * stack trace; any other error is a fault of this program.
 */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
  }
}

/** One sentence for each way in which a file operation fails and the user can help. `at` is the quoted path. */
const fileFaults: Readonly<Record<string, (at: string) => string>> = {
  ENOENT: (at) => `There is no file or folder ${at}. Check the spelling, and the folder from which the path is given.`,
  EACCES: (at) => `No permission for ${at}. Change its permissions (ls -l shows them) or choose another place.`,
  EPERM: (at) => `The system does not allow this for ${at}. Change its owner or permissions, or choose another place.`,
  EROFS: (at) => `${at} is on a read-only disk. Choose another place to write to.`,
  ENOSPC: (at) => `The disk is full: could not write ${at}. Free some space (df -h shows it), then run this again.`,
  EDQUOT: (at) => `Your disk quota is used up: could not write ${at}. Free some space, then run this again.`,
  EFBIG: (at) => `${at} would be larger than this file system allows. Choose another disk.`,
  EIO: (at) => `The disk failed while working on ${at}. Copy your data to another disk, then run this again.`,
  EISDIR: (at) => `${at} is a folder, but a file is needed here. Name a file.`,
  ENOTDIR: (at) => `Part of ${at} is a file where a folder is needed. Name another folder.`,
  EEXIST: (at) => `${at} exists already. Choose another name, or move it away first.`,
  ENOTEMPTY: (at) => `The folder ${at} is not empty. Choose another folder, or empty it first.`,
  EMFILE: () => 'Too many files are open at once. Raise the limit (ulimit -n 4096), then run this again.',
  ENFILE: () => 'Too many files are open on this machine. Close other programs, then run this again.',
  ENAMETOOLONG: (at) => `The name ${at} is too long for this file system. Choose a shorter one.`,
  ELOOP: (at) => `${at} is a symbolic link that leads back to itself. Point it at a real file.`,
  EBUSY: (at) => `${at} is in use by another program. Close that program, then run this again.`,
  EXDEV: (at) => `${at} is on another disk than its destination. Copy it instead.`,
};

/** The error's Node code (`ENOENT`, ...), if it comes from the system. */
export function systemCode(error: unknown): string | undefined {
  const known = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return known ? (error.code as string) : undefined;
}

/**
 * Turns whatever was thrown into text for the user. System errors become a sentence that names the path and says
 * what to do; a UserError is already one; of other errors, the message is kept. `file`, if given, is the path to name
 * instead of the error's own (errors of an open file, such as a full disk, carry none).
 */
export function describe(error: unknown, file?: string): string {
  if (error instanceof UserError) return error.message;
  if (!(error instanceof Error)) return `Something that is not an error was thrown: ${String(error)}`;
  const code = systemCode(error);
  if (code === undefined) return error.message || error.name;
  const path = file ?? systemPath(error);
  const at = path === undefined ? 'the file' : JSON.stringify(path);
  const sentence = fileFaults[code];
  if (sentence) return capitalised(sentence(at));
  const meaning = path === undefined ? undefined : systemMeaning(code);
  return meaning ? `${at}: ${meaning} (${code}).` : error.message || error.name;
}

/** The error as a UserError, with the text of `describe(error, file)` and the original as its cause. */
export function toUserError(error: unknown, file?: string): UserError {
  return error instanceof UserError ? error : new UserError(describe(error, file), { cause: error });
}

/** Whether it lies in what was asked for, of several things that could go on without: not in a full disk, nor in a GPU that is gone. */
export function isOwnFault(error: unknown): error is UserError {
  if (!(error instanceof UserError)) return false;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (systemCode(cause) !== undefined) return false;
  }
  return true;
}

/** The path that a system error carries: where a rename or copy was to go, otherwise what was opened. */
export function systemPath(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('dest' in error && typeof error.dest === 'string') return error.dest;
  return 'path' in error && typeof error.path === 'string' ? error.path : undefined;
}

function systemMeaning(code: string): string | undefined {
  for (const [name, meaning] of getSystemErrorMap().values()) {
    if (name === code) return meaning;
  }
  return undefined;
}

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** For `catch`: what the user can mend becomes a value, so that one bad file does not keep the others back; all else is thrown. */
export function onlyUserErrors(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}
