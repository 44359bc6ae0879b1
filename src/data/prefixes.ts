/** What the images of a data set are called. */

import { noiseLabel } from '../audio/places.js';
import { entryKey } from './assemble.js';
import { type Prefixes, safeNames } from './names.js';
import { indexName } from './schema.js';
import { labelsOf, type Recording } from './source.js';

/**
 * Prefixes for each recording, by its `entryKey`. Windows of noise lie in a class's own folder, `noise/<folder>~<stem>`: no
 * other prefix is equal, since "~" is in no safe name.
 */
export function imagePrefixes(recordings: readonly Recording[]): Map<string, Prefixes> {
  const byLabel = new Map<string, Recording[]>();
  for (const recording of recordings) {
    for (const label of labelsOf(recording)) {
      const members = byLabel.get(label);
      if (members) members.push(recording);
      else byLabel.set(label, [recording]);
    }
  }
  const own = new Map<string, Map<string, string>>(recordings.map((recording) => [entryKey(recording), new Map()]));
  const folders = safeNames(byLabel.keys(), [indexName]);
  for (const [label, members] of byLabel) {
    const stems = safeNames(members.map(({ recording }) => recording));
    for (const recording of members) {
      own.get(entryKey(recording))!.set(label, `${folders.get(label)}/${stems.get(recording.recording)}`);
    }
  }
  return new Map([...own].map(([key, prefixes]) => [key, (label) => prefixes.get(label) ?? noisePrefix(prefixes)]));
}

function noisePrefix(prefixes: ReadonlyMap<string, string>): string {
  const [first = ''] = prefixes.values();
  return `${noiseLabel}/${first.replace('/', '~')}`;
}
