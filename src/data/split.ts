/**
 * Which recordings train and which test. Windows of one recording, and recordings of one recordist (one place, one
 * microphone, often one bird), resemble each other in more than their species; parting them by chance lets a
 * classifier recognise the recording and look far better than it is. So whole recordists, or whole recordings where no
 * recordist is known, go to one part, class by class. A recording with windows of several classes goes to one part with
 * all of them: the class of fewest recordings decides. What that costs the others is said in notes.
 */

import { createRandom } from '../audio/random.js';
import { UserError } from '../io/errors.js';
import { type Fold, type Fractions, firstFold, type Part, partsOfFold } from './parts.js';

export interface SplitSettings {
  readonly fractions: Fractions;
  /** Fixes the split. */
  readonly seed: number;
  /**
   * So many folds, each of which tests once: the parts are then those of the first (see partsOfFold), and of the shares only
   * that of validation counts, as above 0 or not.
   */
  readonly folds?: number | undefined;
  /** What notes call an item that nothing groups. Default `recording`. */
  readonly unit?: 'recording' | 'picture';
}

/** A recording, or what it gave of one class. */
export interface SplitItem {
  label: string;
  /** Unique within its label. */
  recording: string;
  recordist?: string | undefined;
  /** What a recording with windows of several classes is known by; default label and recording. */
  source?: string | undefined;
}

/** What tells recordings apart: equal for windows of one recording, whatever their labels. */
export const recordingOf = ({ source, label, recording }: Pick<SplitItem, 'source' | 'label' | 'recording'>): string =>
  source ?? `${label}/${recording}`;

export interface Split {
  /** One for each item, in order. */
  parts: Part[];
  /** Likewise; undefined for what always trains. All are undefined if there are no folds. */
  folds: Fold[];
  /** Classes that were split by recording although recordists are known, because one person made them all. */
  byRecording: string[];
  /** Classes of a single recording: kept for training, and so never tested. */
  trainOnly: string[];
  /** The above and other exceptions, as sentences. */
  notes: string[];
}

/**
 * Splits recordings within each class. Parts are fixed by `seed` and the class's name alone unless classes share recordings. Every
 * class with at least as many groups as parts has one in each; the shares are met as closely as whole groups allow, never by
 * more than asked unless the smallest group is larger than that. Throws a UserError if there are more folds than any class
 * can fill.
 */
export function splitRecordings(items: readonly SplitItem[], settings: SplitSettings): Split {
  return settings.folds === undefined
    ? splitIntoParts(items, settings)
    : splitIntoFolds(items, settings, settings.folds);
}

function splitIntoParts(items: readonly SplitItem[], settings: SplitSettings): Split {
  const { fractions, seed } = settings;
  const exceptions = noExceptions();
  const parts = placeGroups<Part>(items, exceptions, ({ label, groups, members, place, countIn }) => {
    const heldOut = heldOutParts(settings, groups.length, label, exceptions);
    // An order that does not depend on how the recordings were listed, then one that depends on the seed.
    let left = createRandom(seed, label).shuffle(groups.filter(({ placed }) => placed === undefined));
    for (const [k, part] of heldOut.entries()) {
      // One group for each later part, and one for training, that have none from another class.
      const needed = [...heldOut.slice(k + 1), 'train' as const].filter((later) => countIn(later) === 0).length;
      const already = countIn(part);
      const target = fractions[part] * members - already;
      const taken = takeGroups(left, target, left.length - needed, already === 0);
      for (const group of taken) place(group, part);
      left = left.filter((group) => !taken.includes(group));
    }
    for (const group of left) place(group, 'train');
    for (const part of [...heldOut, 'train' as const]) {
      if (countIn(part) === 0) exceptions.notes.push(`None of "${label}" is left to ${withoutPart[part]}; ${shared}`);
    }
  });
  return { parts, folds: parts.map(() => undefined), ...exceptions };
}

/** What follows from a class having none of a part. */
const withoutPart: Readonly<Record<Part, string>> = {
  train: 'train on, so that it cannot be recognised',
  validation: 'validate',
  test: 'test, so that nothing can be said of how well it is recognised',
};

const shared =
  'its recordings hold rarer classes, too, which decide where they go. Try another --seed, or add recordings of it alone.';

/**
 * Each fold gets of each class as much as every other, as far as whole groups allow: the largest are placed first. Where that
 * leaves a choice, the fold with least of all classes gets it.
 */
function splitIntoFolds(items: readonly SplitItem[], { fractions, seed, unit }: SplitSettings, count: number): Split {
  const exceptions = noExceptions();
  const numbers = Array.from({ length: count }, (_, i) => firstFold + i);
  let mostGroups = 0;
  const folds = placeGroups<Fold | 'none'>(items, exceptions, ({ label, groups, place, countIn, countAllIn }) => {
    mostGroups = Math.max(mostGroups, groups.length);
    const free = createRandom(seed, label).shuffle(groups.filter(({ placed }) => placed === undefined));
    const order = createRandom(seed, label, 'folds').shuffle(numbers);
    for (const group of free.sort((a, b) => b.members.length - a.members.length)) {
      const emptier = (a: number, b: number) => countIn(a) - countIn(b) || countAllIn(a) - countAllIn(b);
      const emptiest = order.reduce((best, fold) => (emptier(fold, best) < 0 ? fold : best));
      place(group, groups.length === 1 ? 'none' : emptiest);
    }
    const filled = numbers.filter((fold) => countIn(fold) > 0);
    const untested = count - filled.length;
    if (groups.length === 1) singleRecording(label, exceptions, unit);
    else if (filled.length === 1 && countIn('none') === 0) {
      exceptions.notes.push(
        `All of "${label}" is in fold ${filled[0]}: when that tests, none of it is left to ${withoutPart.train}; ${shared}`,
      );
    } else if (groups.length < count) {
      exceptions.notes.push(
        `"${label}" has ${groups.length} recordings or recordists, fewer than the ${count} folds: in ` +
          `${untested} of them it is not tested.`,
      );
    } else if (untested > 0) {
      exceptions.notes.push(`"${label}" is not tested in ${untested} of the ${count} folds; ${shared}`);
    }
  }).map((fold) => (fold === 'none' ? undefined : fold));
  if (mostGroups < count) {
    throw new UserError(
      `No class has recordings or recordists enough for ${count} folds: ask for ${Math.max(2, mostGroups)} at most.`,
    );
  }
  const images = items.map(({ label }, i) => ({ label, split: 'train' as const, fold: folds[i] }));
  return { parts: partsOfFold(images, firstFold, fractions.validation > 0), folds, ...exceptions };
}

type Exceptions = Pick<Split, 'byRecording' | 'trainOnly' | 'notes'>;

const noExceptions = (): Exceptions => ({ byRecording: [], trainOnly: [], notes: [] });

/** Recordings (as indices of items) that stay together, and where another class has put one of them already. */
interface Group<Bin> {
  readonly members: readonly number[];
  readonly placed: Bin | undefined;
}

interface ClassToPlace<Bin> {
  readonly label: string;
  readonly groups: readonly Group<Bin>[];
  /** Recordings of this class. */
  readonly members: number;
  readonly place: (group: Group<Bin>, bin: Bin) => void;
  /** Recordings of this class that are in a bin by now. */
  readonly countIn: (bin: Bin) => number;
  /** Recordings of all classes so far. */
  readonly countAllIn: (bin: Bin) => number;
}

/** Lets `decide` place the free groups of each class, rare classes first; those with a recording of an earlier class follow it. */
function placeGroups<Bin extends string | number | undefined>(
  items: readonly SplitItem[],
  exceptions: Exceptions,
  decide: (toPlace: ClassToPlace<Bin>) => void,
): Bin[] {
  const bins = new Map<string, Bin>();
  const all = new Map<Bin, number>();
  const keys = items.map(recordingOf);
  const classes = groupBy([...items.keys()], (i) => items[i]!.label);
  const countRecordings = (members: readonly number[]) => new Set(members.map((i) => keys[i])).size;
  for (const members of classes.sort((a, b) => countRecordings(a) - countRecordings(b))) {
    const own = new Map<Bin, number>();
    const put = (group: readonly number[], bin: Bin) => {
      for (const i of group) {
        const actual = bins.get(keys[i]!) ?? bin; // another class may have put it elsewhere than the rest of its group
        bins.set(keys[i]!, actual);
        for (const counts of [own, all]) counts.set(actual, (counts.get(actual) ?? 0) + 1);
      }
    };
    const { label } = items[members[0]!]!;
    const groups = groupMembers(items, members, label, exceptions).map((group): Group<Bin> => {
      const known = group.find((i) => bins.has(keys[i]!));
      return { members: group, placed: known === undefined ? undefined : bins.get(keys[known]!) };
    });
    for (const group of groups) if (group.placed !== undefined) put(group.members, group.placed);
    decide({
      label,
      groups,
      members: members.length,
      place: (group, bin) => put(group.members, bin),
      countIn: (bin) => own.get(bin) ?? 0,
      countAllIn: (bin) => all.get(bin) ?? 0,
    });
    const parted = groups.filter((group) => new Set(group.members.map((i) => bins.get(keys[i]!))).size > 1);
    const recordists = parted.map((group) => items[group.members[0]!]!.recordist!);
    if (recordists.length > 0) partedRecordists(label, recordists, exceptions);
  }
  return keys.map((key) => bins.get(key)!);
}

/** What tells recordists apart: cases, spaces around a name and how accents are encoded do not. */
export const recordistKey = (name: string | undefined): string | undefined =>
  name?.normalize('NFC').trim().toLowerCase();

/** The class's recordings (as indices) by recordist where known, else each recording alone; in order of their names. */
function groupMembers(
  items: readonly SplitItem[],
  members: readonly number[],
  label: string,
  exceptions: Exceptions,
): number[][] {
  const nameOf = ({ recordist, recording }: SplitItem) =>
    recordist ? `recordist ${recordist}` : `recording ${recording}`;
  const keyOf = (item: SplitItem) =>
    item.recordist ? `recordist ${recordistKey(item.recordist)}` : `recording ${recordingOf(item)}`;
  const byRecordist = groupBy(
    members,
    (i) => keyOf(items[i]!),
    (i) => nameOf(items[i]!),
  );
  const byRecording = groupBy(
    members,
    (i) => recordingOf(items[i]!),
    (i) => items[i]!.recording,
  );
  if (byRecordist.length > 1 || byRecording.length === 1) return byRecordist;
  exceptions.byRecording.push(label);
  exceptions.notes.push(
    `All ${byRecording.length} recordings of "${label}" are by ${items[members[0]!]!.recordist}: they are split by ` +
      'recording, so its test results may look better than they are.',
  );
  return byRecording;
}

/** The parts other than training that this class has enough groups for: test comes before validation. */
function heldOutParts(
  { fractions, unit }: SplitSettings,
  groups: number,
  label: string,
  exceptions: Exceptions,
): Part[] {
  const wanted = (['test', 'validation'] as const).filter((part) => fractions[part] > 0);
  const possible = wanted.slice(0, groups - 1);
  if (wanted.length > 0 && groups === 1) singleRecording(label, exceptions, unit);
  else if (possible.length < wanted.length) {
    exceptions.notes.push(`"${label}" has two recordings or recordists only: none of it is left for validation.`);
  }
  return possible;
}

function singleRecording(label: string, { trainOnly, notes }: Exceptions, unit = 'recording'): void {
  trainOnly.push(label);
  notes.push(
    `"${label}" has a single ${unit}: it is kept for training, so nothing can be said of how well it is recognised. ` +
      `Add a second ${unit}.`,
  );
}

function partedRecordists(label: string, [first, ...others]: readonly string[], { notes }: Exceptions): void {
  const who =
    others.length === 0 ? first : `${first} and ${others.length} other recordist${others.length > 1 ? 's' : ''}`;
  notes.push(
    `The recordings of "${label}" by ${who} are parted, because some of them hold rarer classes, too, which decide where ` +
      `they go: test results of "${label}" may look better than they are. Another --seed may keep them together.`,
  );
}

/** Groups in order as long as they fit into `target` members and `atMost` groups; the smallest one if none fits but one must. */
function takeGroups<Bin>(
  groups: readonly Group<Bin>[],
  target: number,
  atMost: number,
  must: boolean,
): readonly Group<Bin>[] {
  const taken: Group<Bin>[] = [];
  let members = 0;
  for (const group of groups) {
    const room = must ? Math.max(1, Math.round(target)) : Math.round(target);
    if (taken.length >= atMost || members + group.members.length > room) continue;
    taken.push(group);
    members += group.members.length;
  }
  if (taken.length > 0 || !must || atMost < 1) return taken;
  return [groups.reduce((smallest, group) => (group.members.length < smallest.members.length ? group : smallest))];
}

/** Groups by their keys, in order of the names of their members; of equal names, by the keys. */
function groupBy(members: readonly number[], keyOf: (i: number) => string, nameOf = keyOf): number[][] {
  const named = members.map((i) => ({ i, key: keyOf(i), name: nameOf(i) }));
  const compare = (a: string, b: string): number => Number(a > b) - Number(a < b);
  const groups = new Map<string, number[]>();
  for (const { i, key } of named.sort((a, b) => compare(a.name, b.name) || compare(a.key, b.key))) {
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  return [...groups.values()];
}
