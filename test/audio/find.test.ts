import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRecordings, findUnlabelled, type Skipped } from '../../src/audio/find.js';
import { encodeWav } from '../../src/audio/wav.js';
import { UserError } from '../../src/io/errors.js';
import { temporaryFolder } from '../temporary.js';

/** Files by their path; the content does not matter to a listing. */
function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

async function messageFor(dir: string): Promise<string> {
  const error = await findRecordings(dir).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

test('recordings come sorted by label and name, in any case of letters, also from deeper folders', async () => {
  const dir = folderWith({ 'wren/b.WAV': '', 'wren/2021/a.flac': '', 'robin/z.mp3': '', 'wren/.hidden.wav': '' });
  const { recordings, skipped } = await findRecordings(dir);
  expect(recordings.map(({ label, recording }) => `${label}/${recording}`)).toEqual([
    'robin/z',
    'wren/2021/a',
    'wren/b',
  ]);
  expect(recordings[0]!.path).toBe(path.join(dir, 'robin/z.mp3'));
  expect(skipped).toEqual([]);
});

test('what is no recording is listed with a reason', async () => {
  const dir = folderWith({ 'wren/a.wav': '', 'wren/notes.txt': '', 'README.md': '', 'stray.wav': '', 'wren/list': '' });
  writeFileSync(path.join(dir, 'wren/misnamed.txt'), encodeWav(new Float32Array(9), 8000));
  writeFileSync(path.join(dir, 'wren/photo.heic'), Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'));
  const { skipped, others } = await findRecordings(dir);
  const reasons = (entries: Skipped[]) =>
    entries.map(({ file, reason }) => [path.relative(dir, file), reason.split(/[:;(]/)[0]!.trim()]);
  expect(reasons(skipped)).toEqual([
    ['wren/misnamed.txt', 'holds sound, but is called ".txt"'],
    ['stray.wav', 'lies beside the species folders'],
  ]);
  expect(reasons(others)).toEqual([
    ['README.md', 'is not a recording'],
    ['wren/list', 'is not a recording'],
    ['wren/notes.txt', 'is not a recording'],
    ['wren/photo.heic', 'is not a recording'],
  ]);
});

test('a species without a file is listed', async () => {
  const dir = folderWith({ 'wren/a.wav': '' });
  mkdirSync(path.join(dir, 'robin'));
  const { others } = await findRecordings(dir);
  expect(others).toEqual([{ file: path.join(dir, 'robin'), reason: 'is an empty folder' }]);
});

test('two files of one name keep their extensions', async () => {
  const dir = folderWith({ 'wren/a.wav': '', 'wren/a.mp3': '', 'robin/a.wav': '' });
  const { recordings } = await findRecordings(dir);
  expect(recordings.map((file) => file.recording)).toEqual(['a', 'a.mp3', 'a.wav']);
});

describe('MANIFEST.tsv', () => {
  test('gives recordists, whatever the order of its columns, its line ends and its slashes', async () => {
    const manifest =
      '\uFEFFrecordist\tlabel\tfile\r\nAda\tWren\twren/a.wav\r\n\tWren\twren/b.wav\r\nBea\tWren\twren\\c.wav\r\n';
    const dir = folderWith({ 'wren/a.wav': '', 'wren/b.wav': '', 'wren/c.wav': '', 'MANIFEST.tsv': manifest });
    const { recordings, skipped } = await findRecordings(dir);
    expect(recordings.map((file) => file.recordist)).toEqual(['Ada', undefined, 'Bea']);
    expect(skipped).toEqual([]);
  });

  test('may name files that are not there, which is said', async () => {
    const dir = folderWith({ 'wren/a.wav': '', 'MANIFEST.tsv': 'file\trecordist\nwren/gone.wav\tAda\n' });
    const { skipped, notes } = await findRecordings(dir);
    expect(skipped).toEqual([]);
    expect(notes).toEqual(['MANIFEST.tsv names a file that is not among the recordings: "wren/gone.wav" (line 2).']);
  });

  test('of other columns is not used, which is said', async () => {
    const dir = folderWith({ 'wren/a.wav': '', 'MANIFEST.tsv': 'file,recordist\nwren/a.wav,Ada\n' });
    const { recordings, notes } = await findRecordings(dir);
    expect(recordings).toEqual([{ label: 'wren', path: path.join(dir, 'wren/a.wav'), recording: 'a' }]);
    expect(notes).toEqual([
      expect.stringMatching(/^MANIFEST\.tsv is not used: it lacks the column "file".*"file,recordist"/),
    ]);
  });
});

describe('a folder that cannot be used', () => {
  test('is missing', async () => {
    expect(await messageFor('/nowhere/at/all')).toMatch(/no file or folder "\/nowhere\/at\/all"/);
  });
  test('is a file', async () => {
    expect(await messageFor(path.join(folderWith({ 'birds.wav': '' }), 'birds.wav'))).toMatch(/birds\.wav" is a file/);
  });
  test('is empty', async () => {
    expect(await messageFor(temporaryFolder())).toMatch(/no recordings in .*It is empty\..*one folder per species/);
  });
  test('holds other things only', async () => {
    const message = await messageFor(folderWith({ 'a.txt': '', 'wren/b.txt': '' }));
    expect(message).toMatch(/2 other things; the first, "a\.txt", is not a recording/);
    expect(await messageFor(folderWith({ 'a.txt': '' }))).toMatch(/holds one other thing: "a\.txt" is not a recording/);
  });
  test('holds recordings, but no folders of species', async () => {
    const message = await messageFor(folderWith({ 'a.txt': '', 'b.wav': '', 'c.wav': '' }));
    expect(message).toMatch(/holds 2 recordings \("b\.wav"\), but not in folders of species: .*--labels/);
  });
});

test('links may lead anywhere, even back', async () => {
  const dir = folderWith({ 'wren/a.wav': '', 'robin/b.wav': '' });
  symlinkSync(dir, path.join(dir, 'wren/up'));
  symlinkSync('self', path.join(dir, 'wren/self'));
  symlinkSync('gone.wav', path.join(dir, 'wren/broken.wav'));
  symlinkSync('../robin/b.wav', path.join(dir, 'wren/linked.wav'));
  const { recordings, skipped } = await findRecordings(dir);
  expect(recordings.map((file) => file.recording)).toEqual(['b', 'a', 'linked']);
  expect(Object.fromEntries(skipped.map(({ file, reason }) => [path.basename(file), reason]))).toEqual({
    up: 'is a link that leads back to a folder above it',
    self: 'is a link that leads back to itself',
    'broken.wav': 'is a link to something that is not there',
  });
});

test('a name that is no UTF-8 is listed, and the others are read', async ({ skip }) => {
  const dir = folderWith({ 'wren/a.wav': '' });
  try {
    writeFileSync(
      Buffer.concat([Buffer.from(`${dir}/wren/merle_noir_`), Buffer.from([0xe9]), Buffer.from('.wav')]),
      '',
    );
  } catch {
    console.log('skipped: this file system takes no names that are not UTF-8');
    skip();
  }
  const { recordings, skipped } = await findRecordings(dir);
  expect(recordings.map((file) => file.recording)).toEqual(['a']);
  expect(skipped).toEqual([
    { file: path.join(dir, 'wren/merle_noir_\\xe9.wav'), reason: 'has a name that is not UTF-8: rename it' },
  ]);
});

test('recordings whose labels stand in tables may lie anywhere', async () => {
  const dir = folderWith({ 'b.wav': '', 'a.wav': '', 'a.mp3': '', 'wren/2021/c.flac': '' });
  const { recordings } = await findUnlabelled(dir);
  expect(recordings.map(({ label, recording }) => [label, recording])).toEqual([
    [undefined, 'a.mp3'],
    [undefined, 'a.wav'],
    [undefined, 'b'],
    ['wren', 'wren/2021/c'],
  ]);
});

test('a species folder that may not be read is listed, and the others are read', async ({ skip }) => {
  const dir = folderWith({ 'wren/a.wav': '', 'robin/b.wav': '' });
  chmodSync(path.join(dir, 'wren'), 0);
  if (process.getuid?.() === 0) {
    console.log('skipped: root may read every folder, so a missing read permission cannot be shown');
    skip();
  }
  const { recordings, skipped } = await findRecordings(dir);
  chmodSync(path.join(dir, 'wren'), 0o700);
  expect(recordings.map((file) => file.recording)).toEqual(['b']);
  expect(skipped[0]!.reason).toMatch(/cannot be read: No permission/);
});
