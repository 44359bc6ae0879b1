import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readTar, unpackSwiftShader } from '../../src/device/swiftshader.js';
import { temporaryFolder } from '../temporary.js';

/** One entry of a ustar archive: header and padded content. */
function tarEntry(name: string, content: string, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write(type, 156);
  header.write('ustar', 257);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

describe('readTar', () => {
  const end = Buffer.alloc(1024);
  const read = (...entries: Buffer[]) =>
    readTar(Buffer.concat(entries)).map(({ name, content }) => [name, content.toString()]);

  test('gives the regular files, of any length, without their folders', () => {
    const long = 'x'.repeat(513);
    const exact = 'y'.repeat(512);
    expect(
      read(tarEntry('lib/', '', '5'), tarEntry('lib/a', long), tarEntry('b', exact), tarEntry('c', ''), end),
    ).toEqual([
      ['a', long],
      ['b', exact],
      ['c', ''],
    ]);
  });

  test('ends where the archive does, with or without the closing blocks', () => {
    expect(read(tarEntry('a', 'text'))).toEqual([['a', 'text']]);
  });

  test('refuses what is cut short and what is no archive', () => {
    expect(() => read(tarEntry('a', 'z'.repeat(600)).subarray(0, 1024))).toThrow('cut short');
    expect(() => read(Buffer.alloc(512, 'junk '))).toThrow('no tar file');
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('unpackSwiftShader', () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
  });

  test('unpacks driver, loader and ICD file, once, and leaves nothing else behind', () => {
    const cache = join(folder, 'deep', 'cache');
    const icd = unpackSwiftShader([cache]);
    expect(dirname(dirname(icd))).toBe(cache);
    expect(readdirSync(dirname(icd)).sort()).toEqual([
      'libvk_swiftshader.so',
      'libvulkan.so.1',
      'vk_swiftshader_icd.json',
    ]);
    const { ctimeMs } = statSync(icd);
    expect(unpackSwiftShader([cache])).toBe(icd);
    expect(statSync(icd).ctimeMs).toBe(ctimeMs);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  test('takes the next folder when one cannot be written, and says so when none can', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(unpackSwiftShader([join(file, 'cache'), join(folder, 'cache')])).toContain(join(folder, 'cache'));
    expect(() => unpackSwiftShader([join(file, 'cache')])).toThrow(/could not be unpacked.*XDG_CACHE_HOME/);
  });

  test('is not kept by a folder in which nothing can be made', () => {
    expect(unpackSwiftShader([join('/proc', 'cache', 'lyrebird'), folder])).toContain(folder);
  });

  test.skipIf(process.getuid?.() !== 0)('loads nothing that another user has put there', () => {
    const icd = unpackSwiftShader([folder]);
    chownSync(dirname(icd), 12345, 12345);
    expect(() => unpackSwiftShader([folder])).toThrow('belongs to another user');
  });

  test('unpacks anew where a part is all that is left', () => {
    const icd = unpackSwiftShader([folder]);
    rmSync(icd);
    expect(unpackSwiftShader([folder])).toBe(icd);
    expect(existsSync(icd)).toBe(true);
  });

  test('replaces nothing that another process has put there', () => {
    const cache = join(folder, 'cache');
    const icd = unpackSwiftShader([cache]);
    rmSync(icd);
    mkdirSync(icd); // stands for a folder that is complete: the ICD exists
    expect(unpackSwiftShader([cache])).toBe(icd);
    expect(statSync(icd).isDirectory()).toBe(true);
  });
});
