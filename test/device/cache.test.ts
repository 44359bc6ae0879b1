import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cacheFolders } from '../../src/device/cache.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('cacheFolders', () => {
  const of = (cache: string, home: string): string => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    vi.stubEnv('HOME', home);
    return cacheFolders()[0];
  };

  it('are where the environment says', () => {
    expect(of('/caches', '/home/wren')).toBe('/caches/lyrebird');
    expect(of('', '/home/wren')).toBe('/home/wren/.cache/lyrebird');
  });

  it('never depend on the folder in which the program is called', () => {
    expect(of('caches', '/home/wren')).toBe('/home/wren/.cache/lyrebird');
    expect(of('caches', '')).toBe(cacheFolders()[1]);
  });

  it.skipIf(!process.getuid)("are nobody else's in the temporary folder", () => {
    expect(cacheFolders()[1]).toBe(join(tmpdir(), `lyrebird-${process.getuid?.()}`));
  });
});
