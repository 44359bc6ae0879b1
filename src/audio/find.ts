/** Which recordings a folder holds, and recordists from a MANIFEST.tsv if there is one. */

import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, systemCode, UserError } from '../io/errors.js';
import { readText } from '../io/files.js';
import type { Annotation } from './annotations.js';
import { openFile } from './bytes.js';
import { readHeader } from './header.js';

/** A recording on disk. */
export interface RecordingFile {
  /** The species: the name of the folder below the top. Absent where annotations give labels. */
  label?: string;
  path: string;
  /**
   * Unique within its label: the path below the species folder without its extension (with it where two share a name).
   * Where tables give labels, the path below the top.
   */
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
  /** What may well be recordings, but cannot be used. */
  skipped: Skipped[];
  /** Files of other kinds, and empty folders. */
  others: Skipped[];
  /** What the manifest does not say as it should. */
  notes: string[];
}

const manifestName = 'MANIFEST.tsv';
const extensions = new Set(['.wav', '.w64', '.rf64', '.bw64', '.mp3', '.flac', '.ogg', '.oga', '.opus', '.m4a']);

/**
 * Lists `<dir>/<label>/**` in sorted order. Hidden files are passed over; other things that are no recordings, folders
 * that cannot be read, broken links and links that lead back are listed.
 * Throws a UserError if `dir` is missing, is not a folder, cannot be read, or holds no recording.
 */
export async function findRecordings(dir: string): Promise<Found> {
  const found = await findAll(dir);
  const stray = found.recordings.filter(({ label }) => label === undefined);
  found.recordings = found.recordings.filter(({ label }) => label !== undefined);
  found.skipped.push(
    ...stray.map(({ path: file }) => ({ file, reason: 'lies beside the species folders: move it into one' })),
  );
  if (found.recordings.length === 0) {
    if (stray.length > 0) throw new UserError(onlyStray(dir, stray));
    throw new UserError(
      nothingFound(dir, found, ' It should hold one folder per species, with its recordings inside.'),
    );
  }
  for (const file of found.recordings) {
    file.recording = path.relative(path.join(dir, file.label!), withoutExtension(file.path));
  }
  return finished(dir, found);
}

/**
 * The same for recordings whose labels stand in tables: they may lie anywhere in `dir`, and are named after where they do. The
 * folder below `dir`, if they lie in one, is their label as long as no table gives another.
 */
export async function findUnlabelled(dir: string): Promise<Found> {
  const found = await findAll(dir);
  if (found.recordings.length === 0) throw new UserError(nothingFound(dir, found, ''));
  for (const file of found.recordings) file.recording = path.relative(dir, withoutExtension(file.path));
  return finished(dir, found);
}

async function findAll(dir: string): Promise<Found> {
  const found: Found = { recordings: [], skipped: [], others: [], notes: [] };
  for (const name of await listTop(dir, found)) {
    const full = path.join(dir, name);
    const kind = await kindOf(full, found);
    if (kind === 'folder') {
      const before = sizeOf(found);
      await walk(full, name, new Set([await realpath(dir)]), found);
      if (sizeOf(found) === before) found.others.push({ file: full, reason: 'is an empty folder' });
    } else if (kind === 'file' && name !== manifestName) await addFile(full, undefined, found);
  }
  return found;
}

const sizeOf = ({ recordings, skipped, others }: Found) => recordings.length + skipped.length + others.length;

async function addFile(full: string, label: string | undefined, { recordings, skipped, others }: Found): Promise<void> {
  if (isAudio(full)) recordings.push({ ...(label !== undefined && { label }), path: full, recording: '' });
  else if (await holdsSound(full)) {
    skipped.push({
      file: full,
      reason: `holds sound, but is called "${path.extname(full) || path.basename(full)}": rename it`,
    });
  } else others.push({ file: full, reason: notAudio(full) });
}

/** Whether a file that is not called a recording begins as one. An MP3 without a tag looks too much like other things. */
async function holdsSound(file: string): Promise<boolean> {
  try {
    const bytes = await openFile(file);
    try {
      const { format, start, unfinished } = await readHeader(bytes);
      // Without the tables of an M4A it is a picture: HEIC and AVIF are kept in such boxes too.
      return format !== 'other' && (format !== 'mp3' || start > 0) && !(format === 'm4a' && unfinished);
    } finally {
      await bytes.close();
    }
  } catch (error) {
    if (error instanceof UserError) return false; // it cannot be read, and need not be
    throw error;
  }
}

async function finished(dir: string, found: Found): Promise<Found> {
  keepNamesUnique(found.recordings);
  await addRecordists(dir, found);
  return found;
}

async function listTop(dir: string, found: Found): Promise<string[]> {
  try {
    return await visible(dir, found);
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') {
      throw new UserError(`"${dir}" is a file: name the folder that holds one folder of recordings per species.`);
    }
    throw new UserError(describe(error), { cause: error });
  }
}

/** Adds what lies under `folder`. `above` holds the real paths of the folders on the way here, so that no link can loop. */
async function walk(folder: string, label: string, above: ReadonlySet<string>, found: Found): Promise<void> {
  try {
    const real = await realpath(folder);
    if (above.has(real)) {
      found.skipped.push({ file: folder, reason: 'is a link that leads back to a folder above it' });
      return;
    }
    for (const name of await visible(folder, found)) {
      const full = path.join(folder, name);
      const kind = await kindOf(full, found);
      if (kind === 'folder') await walk(full, label, new Set([...above, real]), found);
      else if (kind === 'file') await addFile(full, label, found);
    }
  } catch (error) {
    found.skipped.push({ file: folder, reason: `cannot be read: ${describe(error)}` });
  }
}

/** Follows links. What is neither file nor folder, or cannot be looked at, is noted. */
async function kindOf(full: string, { skipped, others }: Found): Promise<'file' | 'folder' | undefined> {
  try {
    const status = await stat(full);
    if (status.isDirectory()) return 'folder';
    if (status.isFile()) return 'file';
    others.push({ file: full, reason: 'is neither a file nor a folder' });
  } catch (error) {
    const code = systemCode(error);
    const broken = code === 'ENOENT' ? 'is a link to something that is not there' : undefined;
    const loop = code === 'ELOOP' ? 'is a link that leads back to itself' : undefined;
    skipped.push({ file: full, reason: broken ?? loop ?? `cannot be read: ${describe(error)}` });
  }
  return undefined;
}

/**
 * Names in an order that does not depend on the file system or the language. Those that are no UTF-8 (from old disks and
 * archives) are noted, as Node cannot open them by a text.
 */
async function visible(folder: string, { skipped }: Found): Promise<string[]> {
  const names: string[] = [];
  for (const bytes of await readdir(folder, { encoding: 'buffer' })) {
    const name = bytes.toString('utf8');
    if (name.startsWith('.')) continue;
    if (bytes.equals(Buffer.from(name))) names.push(name);
    else {
      const shown = bytes
        .toString('latin1')
        .replace(/[^\x20-\x7e]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16)}`);
      skipped.push({ file: path.join(folder, shown), reason: 'has a name that is not UTF-8: rename it' });
    }
  }
  return names.sort();
}

/** By its name. */
export function isAudio(name: string): boolean {
  return extensions.has(path.extname(name).toLowerCase());
}

function notAudio(name: string): string {
  const extension = path.extname(name);
  return `is not a recording (${extension || 'no extension'}; wav, mp3, flac, ogg, opus and m4a are read)`;
}

const withoutExtension = (name: string): string => name.slice(0, name.length - path.extname(name).length);

function nothingFound(dir: string, { skipped, others }: Found, advice: string): string {
  const all = [...skipped, ...others];
  const first = all[0];
  const hint = first
    ? ` It holds ${all.length === 1 ? 'one other thing:' : `${all.length} other things; the first,`} ` +
      `"${path.relative(dir, first.file)}"${all.length === 1 ? '' : ','} ${first.reason}.`
    : ' It is empty.';
  return `There are no recordings in "${dir}".${hint}${advice}`;
}

function onlyStray(dir: string, stray: readonly RecordingFile[]): string {
  return (
    `"${dir}" holds ${stray.length === 1 ? 'a recording' : `${stray.length} recordings`} ("${path.basename(stray[0]!.path)}"), ` +
    'but not in folders of species: move each into a folder that is called after its species, or name tables that say what ' +
    'sounds where (--labels). If all are of one species, name the folder above.'
  );
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

/** MANIFEST.tsv: a line of column names, `file` and `recordist` among them, then a line per recording. With others, it is not ours. */
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
    found.notes.push(
      `${manifestName} is not used: it lacks the column "${fileColumn < 0 ? 'file' : 'recordist'}" in its first line, which ` +
        `reads ${JSON.stringify(names.join('\t').slice(0, 80))}. To say who recorded what, part its columns by tabs.`,
    );
    return;
  }
  const absent: string[] = [];
  const byPath = new Map(found.recordings.map((file) => [path.relative(dir, file.path), file]));
  for (const [i, row] of rows.entries()) {
    const named = row[fileColumn]?.trim();
    if (!named) continue;
    // The table may come from Windows.
    const file = byPath.get(path.normalize(named)) ?? byPath.get(path.normalize(named.replaceAll('\\', '/')));
    const recordist = row[recordistColumn]?.trim();
    if (!file) absent.push(`"${named}" (line ${i + 2})`);
    else if (recordist) file.recordist = recordist;
  }
  if (absent.length > 0) {
    found.notes.push(
      absent.length === 1
        ? `${manifestName} names a file that is not among the recordings: ${absent[0]}.`
        : `${manifestName} names ${absent.length} files that are not among the recordings; the first is ${absent[0]}.`,
    );
  }
}
