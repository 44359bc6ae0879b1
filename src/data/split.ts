/**
 * Which recordings train and which test. Windows of one recording, and recordings of one recordist (one place, one
 * microphone, often one bird), resemble each other in more than their species; parting them by chance lets a
 * classifier recognise the recording and look far better than it is. So whole recordists, or whole recordings where no
 * recordist is known, go to one part, class by class.
 */

import { createRandom } from '../audio/random.js';

export type Part = 'train' | 'validation' | 'test';

/** Shares of each class's recordings; they sum to 1. A part with share 0 is not made. */
export type Fractions = Readonly<Record<Part, number>>;

export const defaultFractions: Fractions = { train: 0.8, validation: 0, test: 0.2 };

export interface SplitItem {
  label: string;
  recording: string;
  recordist?: string | undefined;
}

export interface Split {
  /** One for each item, in order. */
  parts: Part[];
  /** Classes that were split by recording although recordists are known, because one person made them all. */
  byRecording: string[];
  /** Classes of a single recording: kept for training, and so never tested. */
  trainOnly: string[];
  /** The above and other exceptions, as sentences. */
  notes: string[];
}

/**
 * Splits recordings within each class, fixed by `seed` and the class's name alone. Every class with at least as many
 * groups as parts has one in each; the shares are met as closely as whole groups allow, never by more than asked
 * unless the smallest group is larger than that.
 */
export function splitRecordings(items: readonly SplitItem[], fractions: Fractions, seed: number): Split {
  const split: Split = { parts: items.map(() => 'train'), byRecording: [], trainOnly: [], notes: [] };
  for (const label of [...new Set(items.map((item) => item.label))].sort()) {
    const members = items.flatMap((item, i) => (item.label === label ? [i] : []));
    const groups = groupMembers(items, members, label, split);
    const heldOut = heldOutParts(fractions, groups.length, label, split);
    // An order that does not depend on how the recordings were listed, then one that depends on the seed.
    let left = createRandom(seed, label).shuffle(groups);
    for (const [k, part] of heldOut.entries()) {
      const stillNeeded = heldOut.length - k; // one group for each later part, and one for training
      const taken = takeGroups(left, fractions[part] * members.length, left.length - stillNeeded);
      for (const i of taken.flat()) split.parts[i] = part;
      left = left.filter((group) => !taken.includes(group));
    }
  }
  return split;
}

/** The class's recordings (as indices) by recordist where known, else each recording alone; in order of their names. */
function groupMembers(items: readonly SplitItem[], members: number[], label: string, split: Split): number[][] {
  const byRecordist = groupBy(members, (i) => {
    const { recordist, recording } = items[i]!;
    return recordist ? `recordist ${recordist}` : `recording ${recording}`;
  });
  const byRecording = groupBy(members, (i) => items[i]!.recording);
  if (byRecordist.length > 1 || byRecording.length === 1) return byRecordist;
  split.byRecording.push(label);
  split.notes.push(
    `All ${byRecording.length} recordings of "${label}" are by ${items[members[0]!]!.recordist}: they are split by ` +
      'recording, so its test results may look better than they are.',
  );
  return byRecording;
}

/** The parts other than training that this class has enough groups for: test comes before validation. */
function heldOutParts(fractions: Fractions, groups: number, label: string, split: Split): Part[] {
  const wanted = (['test', 'validation'] as const).filter((part) => fractions[part] > 0);
  const possible = wanted.slice(0, groups - 1);
  if (wanted.length > 0 && groups === 1) {
    split.trainOnly.push(label);
    split.notes.push(
      `"${label}" has a single recording: it is kept for training, so nothing can be said of how well it is recognised. ` +
        'Add a second recording.',
    );
  } else if (possible.length < wanted.length) {
    split.notes.push(`"${label}" has two recordings or recordists only: none of it is left for validation.`);
  }
  return possible;
}

/** Groups in order as long as they fit into `target` members and `atMost` groups; the smallest one if none fits. */
function takeGroups(groups: readonly number[][], target: number, atMost: number): number[][] {
  const taken: number[][] = [];
  let members = 0;
  for (const group of groups) {
    if (taken.length === atMost || members + group.length > Math.max(1, Math.round(target))) continue;
    taken.push(group);
    members += group.length;
  }
  if (taken.length > 0) return taken;
  return [groups.reduce((smallest, group) => (group.length < smallest.length ? group : smallest))];
}

function groupBy(members: readonly number[], keyOf: (i: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (const i of members) groups.set(keyOf(i), [...(groups.get(keyOf(i)) ?? []), i]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
