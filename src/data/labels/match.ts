/**
 * Which recording a table means. Tables were often made on another computer, with another folder and another system, so
 * names are compared from their end: of `C:\field\2021\A1\morning.wav` and `2021/A1/morning.wav` four parts of a path are
 * the same. Only recordings that were found in the folder can be meant: a path that leads elsewhere means none.
 */

import path from 'node:path';
import { isAudio } from '../../audio/find.js';
import { groupBy } from '../../io/groupBy.js';

/** A recording's path, or why there is none, in words that follow the name. */
export type Match = { path: string } | { fault: string };

export interface Matcher {
  /** By what a table calls it: a path or a name, with or without its extension. */
  byName(name: string): Match;
  /** By what a table is called: the recording's name, then perhaps more (`a.wav.txt`, `a.Table.1.selections.txt`). */
  byTable(table: string): Match;
}

/** `recordings` are paths below the folder of recordings. */
export function createMatcher(recordings: readonly string[]): Matcher {
  const named = recordings.map((recording) => ({ path: recording, parts: partsOf(recording) }));
  const byFile = groupBy(named, ({ parts }) => parts.at(-1)!);
  const byStem = groupBy(named, ({ parts }) => stemOf(parts.at(-1)!));
  return {
    byName(name) {
      const parts = partsOf(name);
      if (parts.includes('..')) return { fault: 'leads out of the folder of recordings.' };
      const last = parts.at(-1) ?? '';
      const stem = isAudio(last) ? stemOf(last) : last;
      return closest(byFile.get(last) ?? byStem.get(stem) ?? [], parts, name);
    },
    byTable(table) {
      const parts = partsOf(table);
      const name = parts.at(-1) ?? '';
      // The longest beginning that is a recording's name: "a.2.txt" is about "a.2", not about "a".
      for (let end = name.length; end > 0; end--) {
        if (end < name.length && !/[._ -]/.test(name[end]!)) continue;
        const candidates = byFile.get(name.slice(0, end)) ?? byStem.get(name.slice(0, end));
        if (candidates) return closest(candidates, parts, table);
      }
      return { fault: 'names no recordings, and is not called after one.' };
    },
  };
}

interface Named {
  path: string;
  parts: string[];
}

/**
 * The candidate that shares most parts with the wanted one, counted from the end; of equal ones that which is spelt alike, then
 * that of which no part is left: `b.wav` is `b.wav` rather than `2021/b.wav`.
 */
function closest(candidates: readonly Named[], wanted: readonly string[], spelling: string): Match {
  const shared = ({ path: own, parts }: Named) => {
    let count = 1; // the last ones are known to match, with or without extension
    while (count < parts.length && count < wanted.length && parts.at(-1 - count) === wanted.at(-1 - count)) count++;
    return count + (spelling.includes(stemOf(path.basename(own))) ? 0.5 : 0) + (count === parts.length ? 0.25 : 0);
  };
  const most = Math.max(...candidates.map(shared));
  const [first, second] = candidates.filter((candidate) => shared(candidate) === most);
  if (!first) return { fault: 'is not among the recordings.' };
  if (second) return { fault: `could be "${first.path}" or "${second.path}": name the folder, too.` };
  return { path: first.path };
}

/** Parts of a path of any system, without regard to case or to how accents are written. */
function partsOf(name: string): string[] {
  const parts = name.normalize('NFC').toLowerCase().split(/[/\\]/);
  return parts.filter((part) => part !== '' && part !== '.');
}

const stemOf = (name: string): string => name.slice(0, name.length - path.extname(name).length);
