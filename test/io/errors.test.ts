import { open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, describe as group, it } from 'vitest';
import { describe, systemCode, toUserError, UserError } from '../../src/io/errors.js';
import { temporaryFolder } from '../temporary.js';

const thrown = async (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => undefined,
    (error: unknown) => error,
  );

group('describe', () => {
  it('names a missing file and says what to check', async () => {
    const error = await thrown(readFile('/nowhere/at all.wav'));
    expect(systemCode(error)).toBe('ENOENT');
    expect(describe(error)).toMatch(/^There is no file or folder "\/nowhere\/at all\.wav"\. Check the spelling/);
  });

  it('tells a folder from a file, and a file from a folder', async () => {
    const folder = temporaryFolder();
    expect(describe(await thrown(readFile(folder)), folder)).toBe(
      `"${folder}" is a folder, but a file is needed here. Name a file.`,
    );
    const file = path.join(folder, 'x');
    await (await open(file, 'w')).close();
    expect(describe(await thrown(readdir(file)))).toContain(`"${file}" is a file where a folder is needed`);
  });

  it.each([
    ['ENOSPC', /The disk is full: could not write "\/run\/log"\. Free some space/],
    ['EACCES', /^No permission for "\/run\/log"\. Change its permissions/],
    ['EROFS', /read-only disk\. Choose/],
    ['EDQUOT', /quota.*Free some space/],
    ['EMFILE', /Too many files are open.*ulimit/],
  ])('gives advice for %s', (code, text) => {
    expect(describe(Object.assign(new Error('raw'), { code, path: '/run/log' }))).toMatch(text);
  });

  it('starts its sentence with a capital when the path is unknown', () => {
    expect(describe(Object.assign(new Error('raw'), { code: 'EISDIR' }))).toMatch(/^The file is a folder/);
  });

  it('explains rarer system errors in the system’s words', () => {
    const error = Object.assign(new Error('raw'), { code: 'ETXTBSY', path: '/bin/x' });
    expect(describe(error)).toBe('"/bin/x": text file is busy (ETXTBSY).');
  });

  it('names where a rename was to go', () => {
    const error = Object.assign(new Error('raw'), { code: 'EXDEV', path: '/a', dest: '/b' });
    expect(describe(error)).toContain('"/b"');
  });

  it('leaves other messages as they are', () => {
    expect(describe(new UserError('Give --size a power of two.'))).toBe('Give --size a power of two.');
    expect(describe(new TypeError('x is not iterable'))).toBe('x is not iterable');
    expect(describe('text')).toContain('text');
    expect(describe(undefined)).toContain('undefined');
  });
});

group('toUserError', () => {
  it('keeps a UserError and wraps others with their cause', () => {
    const user = new UserError('so');
    expect(toUserError(user)).toBe(user);
    const cause = Object.assign(new Error('raw'), { code: 'EACCES', path: '/p' });
    const wrapped = toUserError(cause);
    expect(wrapped).toBeInstanceOf(UserError);
    expect(wrapped.cause).toBe(cause);
    expect(wrapped.name).toBe('UserError');
  });
});
