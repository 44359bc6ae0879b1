/** How many images of each class: `--count 100`, `--count "wren=20,robin=5"`, `--count "wren=20,5"`. */
import { InvalidArgumentError } from 'commander';
import { UserError } from '../io/errors.js';
import { MOST_PER_CLASS } from '../train/sample.js';
import { nearest, positiveInteger } from './options.js';

export interface Counts {
  /** Of every class that is not named; without it, those are left out. */
  readonly each?: number;
  readonly named: ReadonlyMap<string, number>;
}

/** The parser of a number of images of each class. */
export function imagesPerClass(text: string): number {
  const count = positiveInteger(text);
  if (count > MOST_PER_CLASS) throw new InvalidArgumentError(`Give at most ${MOST_PER_CLASS}.`);
  return count;
}

/** The parser of `--count`. A label may hold commas: only `=<number>` ends one. What is said twice is refused. */
export function imageCounts(text: string): Counts {
  const named = new Map<string, number>();
  let each: number | undefined;
  let begun = '';
  for (const part of text.split(',')) {
    const [, label, count] = /^(.*[^\s].*)=\s*(\d+)\s*$/s.exec(begun + part) ?? [];
    if (label !== undefined) {
      if (named.has(label.trim())) throw new InvalidArgumentError(`There are two numbers for "${label.trim()}".`);
      named.set(label.trim(), imagesPerClass(count!));
    } else if (begun === '' && /^\s*\d+\s*$/.test(part)) {
      if (each !== undefined) throw new InvalidArgumentError('There are two numbers without a class: give one.');
      each = imagesPerClass(part.trim());
    } else begun += `${part},`;
    if (label !== undefined) begun = '';
  }
  if (begun !== '') {
    throw new InvalidArgumentError(
      'Give a whole number above 0, or some for classes: "wren=20,robin=5", "wren=20,10".',
    );
  }
  return { ...(each !== undefined && { each }), named };
}

/** What `run` asks for. */
export const sameOfEach = (each: number): Counts => ({ each, named: new Map() });

export interface ClassCount {
  /** Number of the class. */
  readonly label: number;
  readonly count: number;
}

/** Of the classes asked for. Throws a UserError for a label that there is not, or if none is left; `file` says of what. */
export function countsFor(
  classes: readonly string[],
  file: string,
  { each, named }: Counts,
  only?: readonly string[],
): ClassCount[] {
  for (const label of [...named.keys(), ...(only ?? [])]) {
    if (classes.includes(label)) continue;
    const near = nearest(label, classes);
    throw new UserError(
      `"${file}" has no class '${label}'. It knows: ${(near.length > 0 ? near : classes).join(', ')}.`,
    );
  }
  const counts = classes.flatMap((name, label) => {
    const count = named.get(name) ?? each;
    return count === undefined || (only && !only.includes(name)) ? [] : [{ label, count }];
  });
  if (counts.length > 0) return counts;
  throw new UserError(
    '--count and --class together leave no class to make images of: give a number for all others, such as --count "wren=20,10".',
  );
}
