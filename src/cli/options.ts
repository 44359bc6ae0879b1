/** Parsers of option values. What they refuse is wrong usage: exit code 2. */
import { InvalidArgumentError, Option } from 'commander';
import { AUGMENTATIONS, type AugmentConfig, NO_AUGMENTATION } from '../data/augment.js';

/** 1, 2, 3, ... */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

/** Some of those: 1,8,16. */
export const positiveIntegers = (text: string): number[] => text.split(',').map(positiveInteger);

const UNITS: Readonly<Record<string, number>> = { gib: 2 ** 30, mib: 2 ** 20, gb: 1e9, mb: 1e6 };

/** Bytes: 8GiB, 512 MiB, 1.5GB. */
export function byteCount(text: string): number {
  const [, digits, unit] = /^\s*([\d.]+)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  if (!(bytes > 0)) throw new InvalidArgumentError('Give a number with its unit, such as 8GiB or 512MiB.');
  return bytes;
}

/** 0, 1, 2, ... */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Give a whole number.');
  return value;
}

/** Any number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.');
  return value;
}

/** Any number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

/** --augment all, none, or time-shift,gain: strengths are those of AUGMENTATIONS. */
export const augmentOption = (): Option =>
  new Option(
    '--augment <kinds>',
    `what may happen to images before they are judged: all, none (default), or some of ${Object.keys(AUGMENTATIONS).join()}`,
  ).argParser((text): AugmentConfig => {
    const kinds = text === 'all' ? Object.keys(AUGMENTATIONS) : text === 'none' ? [] : text.split(',');
    const unknown = kinds.find((kind) => !Object.hasOwn(AUGMENTATIONS, kind));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(
        `There is no "${unknown}": give all, none, or ${Object.keys(AUGMENTATIONS).join()}.`,
      );
    }
    return Object.assign({}, NO_AUGMENTATION, ...kinds.map((kind) => AUGMENTATIONS[kind]));
  });

/** Where results go: a folder, which need not be there. */
export function folder(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Name a folder.');
  return text;
}

/** The names that begin with, contain or nearly spell `wanted`: the closest first, three at most. */
export function nearest(wanted: string, names: readonly string[]): string[] {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const target = plain(wanted);
  return names
    .map((name) => ({ name, distance: plain(name).includes(target) ? 0 : editDistance(target, plain(name)) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(0.4 * plain(name).length)))
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein's: the least number of letters inserted, deleted or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
