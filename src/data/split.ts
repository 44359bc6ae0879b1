/**
 * Which recordings train and which test. Windows of one recording, and recordings of one recordist (one place, one
 * microphone, often one bird), resemble each other in more than their species; parting them by chance lets a
 * classifier recognise the recording and look far better than it is. So whole recordists, or whole recordings where no
 * recordist is known, go to one part, class by class. A recording with windows of several classes goes to one part with
 * all of them: the class of fewest recordings decides.
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
  });
  return { parts, folds: parts.map(() => undefined), ...exceptions };
}

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
    if (groups.length === 1) singleRecording(label, exceptions, unit);
    else if (groups.length < count) {
      exceptions.notes.push(
        `"${label}" has ${groups.length} recordings or recordists, fewer than the ${count} folds: in ` +
          `${count - groups.length} of them it is not tested.`,
      );
    }
    const free = createRandom(seed, label).shuffle(groups.filter(({ placed }) => placed === undefined));
    const order = createRandom(seed, label, 'folds').shuffle(numbers);
    for (const group of free.sort((a, b) => b.members.length - a.members.length)) {
      const emptier = (a: number, b: number) => countIn(a) - countIn(b) || countAllIn(a) - countAllIn(b);
      const emptiest = order.reduce((best, fold) => (emptier(fold, best) < 0 ? fold : best));
      place(group, groups.length === 1 ? 'none' : emptiest);
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
  const keys = items.map(({ source, label, recording }) => source ?? JSON.stringify([label, recording]));
  const classes = groupBy([...items.keys()], (i) => items[i]!.label);
  for (const members of classes.sort((a, b) => a.length - b.length)) {
    const own = new Map<Bin, number>();
    const put = (group: readonly number[], bin: Bin) => {
      for (const i of group) if (!bins.has(keys[i]!)) bins.set(keys[i]!, bin);
      for (const counts of [own, all]) counts.set(bin, (counts.get(bin) ?? 0) + group.length);
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
  }
  return keys.map((key) => bins.get(key)!);
}

/** The class's recordings (as indices) by recordist where known, else each recording alone; in order of their names. */
function groupMembers(
  items: readonly SplitItem[],
  members: readonly number[],
  label: string,
  exceptions: Exceptions,
): number[][] {
  const byRecordist = groupBy(members, (i) => {
    const { recordist, recording } = items[i]!;
    return recordist ? `recordist ${recordist}` : `recording ${recording}`;
  });
  const byRecording = groupBy(members, (i) => items[i]!.recording);
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

function groupBy(members: readonly number[], keyOf: (i: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (const i of members) {
    const group = groups.get(keyOf(i));
    if (group) group.push(i);
    else groups.set(keyOf(i), [i]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
