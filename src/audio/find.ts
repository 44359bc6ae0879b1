/** Which recordings a folder holds: one folder per species, and recordists from a MANIFEST.tsv if there is one. */

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, systemCode, UserError } from '../io/errors.js';
import { readText } from '../io/files.js';
import type { Annotation } from './annotations.js';

/** A recording on disk. */
export interface RecordingFile {
  /** The species: the name of the folder below the top. Absent where annotations give labels. */
  label?: string;
  path: string;
  /** Unique within its label: the path below the species folder without its extension (with it where two share a name). */
  recording: string;
  recordist?: string;
  /** Where given, they say what is what. */
  annotations?: Annotation[];
}

/** A file or folder that is not used, and why, in words that follow its name. */
export interface Skipped {
  file: string;
  reason: string;
}

/** The recordings by label, then name, and everything else that lies there. */
export interface Found {
  recordings: RecordingFile[];
  skipped: Skipped[];
}

const manifestName = 'MANIFEST.tsv';
const extensions = new Set(['.wav', '.mp3', '.flac', '.ogg', '.oga', '.opus', '.m4a']);

/**
 * Lists `<dir>/<label>/**` in sorted order. Hidden files are passed over; other things that are no recordings, folders
 * that cannot be read, broken links and links that lead back are listed as skipped.
 * Throws a UserError if `dir` is missing, is not a folder, cannot be read, or holds no recording.
 */
export async function findRecordings(dir: string): Promise<Found> {
  const found: Found = { recordings: [], skipped: [] };
  for (const entry of await listTop(dir)) {
    const full = path.join(dir, entry.name);
    const kind = await kindOf(full, found.skipped);
    if (kind === 'folder') {
      const [recordings, skipped] = [found.recordings.length, found.skipped.length];
      await walk(full, entry.name, full, new Set([await realpath(dir)]), found);
      const gaveNothing = found.recordings.length === recordings && found.skipped.length === skipped;
      if (gaveNothing) found.skipped.push({ file: full, reason: 'is an empty folder' });
    } else if (kind === 'file' && entry.name !== manifestName) {
      const reason = isAudio(entry.name) ? 'lies beside the species folders: move it into one' : notAudio(entry.name);
      found.skipped.push({ file: full, reason });
    }
  }
  if (found.recordings.length === 0) throw new UserError(nothingFound(dir, found.skipped));
  keepNamesUnique(found.recordings);
  await addRecordists(dir, found);
  return found;
}

async function listTop(dir: string): Promise<Dirent[]> {
  try {
    return visible(await readdir(dir, { withFileTypes: true }));
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') {
      throw new UserError(`"${dir}" is a file: name the folder that holds one folder of recordings per species.`);
    }
    throw new UserError(describe(error), { cause: error });
  }
}

/** Adds what lies under `folder`. `above` holds the real paths of the folders on the way here, so that no link can loop. */
async function walk(
  folder: string,
  label: string,
  top: string,
  above: ReadonlySet<string>,
  found: Found,
): Promise<void> {
  try {
    const real = await realpath(folder);
    if (above.has(real)) {
      found.skipped.push({ file: folder, reason: 'is a link that leads back to a folder above it' });
      return;
    }
    for (const entry of visible(await readdir(folder, { withFileTypes: true }))) {
      const full = path.join(folder, entry.name);
      const kind = await kindOf(full, found.skipped);
      if (kind === 'folder') await walk(full, label, top, new Set([...above, real]), found);
      else if (kind === 'file' && isAudio(entry.name)) {
        const recording = path.relative(top, full).slice(0, -path.extname(entry.name).length);
        found.recordings.push({ label, path: full, recording });
      } else if (kind === 'file') found.skipped.push({ file: full, reason: notAudio(entry.name) });
    }
  } catch (error) {
    found.skipped.push({ file: folder, reason: `cannot be read: ${describe(error)}` });
  }
}

/** Follows links. What is neither file nor folder, or cannot be looked at, is noted as skipped. */
async function kindOf(full: string, skipped: Skipped[]): Promise<'file' | 'folder' | undefined> {
  try {
    const status = await stat(full);
    if (status.isDirectory()) return 'folder';
    if (status.isFile()) return 'file';
    skipped.push({ file: full, reason: 'is neither a file nor a folder' });
  } catch (error) {
    const code = systemCode(error);
    const broken = code === 'ENOENT' ? 'is a link to something that is not there' : undefined;
    const loop = code === 'ELOOP' ? 'is a link that leads back to itself' : undefined;
    skipped.push({ file: full, reason: broken ?? loop ?? `cannot be read: ${describe(error)}` });
  }
  return undefined;
}

/** In an order that does not depend on the file system or the language. */
function visible(entries: Dirent[]): Dirent[] {
  const shown = entries.filter((entry) => !entry.name.startsWith('.'));
  return shown.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function isAudio(name: string): boolean {
  return extensions.has(path.extname(name).toLowerCase());
}

function notAudio(name: string): string {
  const extension = path.extname(name);
  return `is not a recording (${extension || 'no extension'}; wav, mp3, flac, ogg, opus and m4a are read)`;
}

function nothingFound(dir: string, skipped: readonly Skipped[]): string {
  const first = skipped[0];
  const hint = first
    ? ` It holds ${skipped.length} other things; the first, "${path.relative(dir, first.file)}", ${first.reason}.`
    : ' It is empty.';
  return `There are no recordings in "${dir}".${hint} It should hold one folder per species, with its recordings inside.`;
}

/** `a.wav` and `a.mp3` of one species are recordings "a.wav" and "a.mp3", not twice "a". */
function keepNamesUnique(recordings: RecordingFile[]): void {
  const key = (file: RecordingFile) => `${file.label}\0${file.recording}`;
  const counts = new Map<string, number>();
  for (const file of recordings) counts.set(key(file), (counts.get(key(file)) ?? 0) + 1);
  for (const file of recordings) {
    if (counts.get(key(file))! > 1) file.recording += path.extname(file.path);
  }
}

/** MANIFEST.tsv: a line of column names, `file` and `recordist` among them, then a line per recording. */
async function addRecordists(dir: string, found: Found): Promise<void> {
  const manifest = path.join(dir, manifestName);
  const text = await readText(manifest).catch((error: Error) => {
    if (systemCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return;

  const [names = [], ...rows] = text.split(/\r?\n/).map((line) => line.split('\t'));
  const fileColumn = names.indexOf('file');
  const recordistColumn = names.indexOf('recordist');
  if (fileColumn < 0 || recordistColumn < 0) {
    throw new UserError(
      `"${manifest}" lacks the column "${fileColumn < 0 ? 'file' : 'recordist'}" in its first line, which reads ` +
        `${JSON.stringify(names.join('\t').slice(0, 80))}: name its columns, parted by tabs, or remove the file.`,
    );
  }
  const byPath = new Map(found.recordings.map((file) => [path.relative(dir, file.path), file]));
  for (const [i, row] of rows.entries()) {
    const named = row[fileColumn]?.trim();
    if (!named) continue;
    const file = byPath.get(path.normalize(named));
    const recordist = row[recordistColumn]?.trim();
    if (!file) {
      found.skipped.push({
        file: path.join(dir, named),
        reason: `is named in ${manifestName} (line ${i + 2}), but is not among the recordings`,
      });
    } else if (recordist) file.recordist = recordist;
  }
}
