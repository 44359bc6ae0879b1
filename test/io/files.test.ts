import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/io/errors.js';
import { insideFolder, readText, writeAtomically, writeInParts } from '../../src/io/files.js';
import { temporaryFolder } from '../temporary.js';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

describe('writeAtomically', () => {
  it('writes text and bytes, makes parent folders and leaves nothing else', async () => {
    const file = path.join(folder, 'a', 'b', 'c.txt');
    await writeAtomically(file, 'höher');
    expect(await readFile(file, 'utf8')).toBe('höher');
    await writeAtomically(file, Uint8Array.of(0, 255, 10));
    expect([...(await readFile(file))]).toEqual([0, 255, 10]);
    expect(await readdir(path.dirname(file))).toEqual(['c.txt']);
  });

  it('round-trips any bytes', async () => {
    const file = path.join(folder, 'any');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (data) => {
        await writeAtomically(file, data);
        expect(Buffer.compare(await readFile(file), data)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps the old contents and removes its temporary file when it fails', async () => {
    const target = path.join(folder, 'taken');
    await mkdir(path.join(target, 'kept'), { recursive: true });
    // Everything but the last rename works: a file cannot replace a folder.
    await expect(writeAtomically(target, 'x')).rejects.toThrow(UserError);
    await expect(writeAtomically(target, 'x')).rejects.toThrow(`"${target}"`);
    expect(await readdir(folder)).toEqual(['taken']);
    expect(await readdir(target)).toEqual(['kept']);
  });

  it('lets concurrent writers of one file end with one whole version', async () => {
    const file = path.join(folder, 'raced');
    const versions = Array.from({ length: 8 }, (_, i) => String(i).repeat(20_000));
    await Promise.all(versions.map((text) => writeAtomically(file, text)));
    expect(versions).toContain(await readFile(file, 'utf8'));
    expect(await readdir(folder)).toEqual(['raced']);
  });

  it('manages the longest name that the file system allows', async () => {
    const file = path.join(folder, 'n'.repeat(255));
    await writeAtomically(file, 'x');
    expect(await readFile(file, 'utf8')).toBe('x');
  });

  it.runIf(process.platform === 'linux')('gives up where no folder can be made', async () => {
    await expect(writeAtomically('/proc/lyrebird/a/b', 'x')).rejects.toThrow(/"\/proc\/lyrebird"/);
  });

  it('says so when a file stands where a folder is needed', async () => {
    await writeFile(path.join(folder, 'file'), '');
    await expect(writeAtomically(path.join(folder, 'file', 'x'), '')).rejects.toThrow(UserError);
  });

  it.skipIf(process.getuid?.() === 0)('names the file when it may not write there', async () => {
    await chmod(folder, 0o500);
    await expect(writeAtomically(path.join(folder, 'x'), '')).rejects.toThrow(/No permission for ".*x"/);
  });

  it('names the file, not its temporary one, on a full disk', async () => {
    // A folder of /proc takes no new file: like a full disk, the failure is in creating the temporary one.
    await expect(writeAtomically('/proc/self/x.txt', '')).rejects.toThrow('"/proc/self/x.txt"');
  });
});

describe('writeInParts', () => {
  it('leaves what stood there until it is finished', async () => {
    const file = path.join(folder, 'table.csv');
    await writeAtomically(file, 'before');
    const parts = await writeInParts(file);
    for (const text of ['a\n', 'b\n']) await parts.append(text);
    expect(await readFile(file, 'utf8')).toBe('before');
    await parts.finish();
    expect(await readFile(file, 'utf8')).toBe('a\nb\n');
    expect(await readdir(folder)).toEqual(['table.csv']);
  });

  it('leaves nothing of what failed, and says so again', async () => {
    const file = path.join(folder, 'taken');
    const parts = await writeInParts(file);
    await parts.append('a');
    await mkdir(path.join(file, 'kept'), { recursive: true });
    await expect(parts.finish()).rejects.toThrow(`"${file}"`);
    await expect(parts.append('b')).rejects.toThrow(`"${file}"`);
    expect(await readdir(folder)).toEqual(['taken']);
  });
});

describe('readText', () => {
  it('drops a byte order mark and nothing else', async () => {
    const file = path.join(folder, 'bom.csv');
    await writeFile(file, '\uFEFFstart,\uFEFFend\n');
    expect(await readText(file)).toBe('start,\uFEFFend\n');
  });

  it('names the missing file', async () => {
    const file = path.join(folder, 'absent.csv');
    await expect(readText(file)).rejects.toThrow(`There is no file or folder "${file}"`);
    await expect(readText(folder)).rejects.toThrow(`"${folder}" is a folder`);
  });
});

describe('insideFolder', () => {
  it('resolves what stays inside', () => {
    expect(insideFolder('/data', 'wren/a.wav')).toBe('/data/wren/a.wav');
    expect(insideFolder('/data', 'wren/../robin/a.wav')).toBe('/data/robin/a.wav');
    expect(insideFolder('/data', '..wren')).toBe('/data/..wren');
    expect(insideFolder('/data', '.')).toBe('/data');
    expect(insideFolder('/', 'x')).toBe('/x');
  });

  it.each(['..', '../x', 'a/../../x', '/etc/passwd', '/data/a.wav', '../data2/x', 'a\0b'])('refuses %j', (relative) => {
    expect(() => insideFolder('/data', relative)).toThrow(UserError);
  });

  it('never gives a path outside', () => {
    const piece = fc.constantFrom('..', '.', '', 'a', '...', '..a', 'a..', '/', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          const full = insideFolder('/base/folder', pieces.join('/'));
          expect(full === '/base/folder' || full.startsWith('/base/folder/')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });

  it('judges names, so a link inside the folder is the owner’s choice', async () => {
    await symlink('/tmp', path.join(folder, 'link'));
    expect(insideFolder(folder, 'link')).toBe(path.join(folder, 'link'));
  });
});
