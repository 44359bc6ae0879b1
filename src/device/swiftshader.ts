/**
 * SwiftShader, the software Vulkan adapter of last resort, out of the optional dependency `@sparticuz/chromium`
 * (x86-64 Linux). It needs nothing of the machine, not even the Vulkan loader, and is several times slower than lavapipe.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolders } from './cache.js';
import { DeviceError } from './errors.js';

const PACKAGE = '@sparticuz/chromium';
const DRIVER = 'libvk_swiftshader.so';
const LOADER = 'libvulkan.so.1';
const ICD = 'vk_swiftshader_icd.json';

/** What stderr says when SwiftShader stands in for a driver that the machine lacks. */
export const FALLBACK_NOTICE =
  'lyrebird: no usable Vulkan driver here, so SwiftShader computes on the processor; much faster would be ' +
  "a GPU's driver, or lavapipe from Mesa 24 or later (on Debian 12: mesa-vulkan-drivers from backports).";

/**
 * Unpacks SwiftShader, once, into the first of `caches` that can be written.
 * Returns the path of its ICD file. Throws a `DeviceError` where it cannot serve.
 */
export function unpackSwiftShader(caches: readonly string[] = cacheFolders()): string {
  const archive = findArchive();
  const folder = `swiftshader-${archive.version}`;
  const failures: string[] = [];
  for (const cache of caches) {
    const target = join(cache, folder);
    try {
      if (!existsSync(join(target, ICD))) unpackInto(target, archive.file);
      refuseForeign(target);
      return join(target, ICD);
    } catch (error) {
      failures.push(`${target}: ${(error as Error).message}`);
    }
  }
  throw new DeviceError(
    `SwiftShader could not be unpacked (${failures.join('; ')}). Set XDG_CACHE_HOME to a folder that can be written.`,
  );
}

/**
 * Loads the Vulkan loader that comes with SwiftShader, for machines that have none.
 * `dlopen` finds a library that is loaded already by its soname, so that Dawn's own `dlopen("libvulkan.so.1")` then meets this one.
 * Node opens the library, sees that it is no add-on, throws, and closes it; RTLD_NODELETE (0x1000 in glibc) keeps it in memory.
 */
export function preloadVulkanLoader(icd: string): void {
  const RTLD_NODELETE = 0x1000;
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, join(dirname(icd), LOADER), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes('did not self-register')) {
      throw new DeviceError(`The Vulkan loader that comes with SwiftShader does not load here: ${message}`);
    }
  }
}

/** The packed SwiftShader of the optional dependency, and that package's version. */
function findArchive(): { file: string; version: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new DeviceError(
      `SwiftShader is packaged for x86-64 Linux only, and this is ${process.arch} ${process.platform}: a graphics driver is needed.`,
    );
  }
  try {
    const require = createRequire(import.meta.url);
    // The package exports no file but its entry, which lies at build/cjs/index.cjs.
    const root = join(dirname(require.resolve(PACKAGE)), '..', '..');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { file: join(root, 'bin', 'swiftshader.tar.br'), version };
  } catch {
    throw new DeviceError(
      `SwiftShader is not installed: run 'npm install' without --omit=optional to get the optional dependency ${PACKAGE}.`,
    );
  }
}

/** What is loaded from here runs as this user, so nobody else may have put it here: the temporary folder is everybody's. */
function refuseForeign(folder: string): void {
  const owner = statSync(folder).uid;
  if (owner !== 0 && owner !== process.getuid?.()) throw new Error('the folder belongs to another user');
}

/** Makes a folder and those above it. Node's own way (`recursive`) tries for ever where nothing can be made, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // another process may have been quicker
  }
}

/** Unpacks beside `target`, then renames: another process sees all of the folder or none of it. */
function unpackInto(target: string, archive: string): void {
  makeFolder(dirname(target));
  const unfinished = mkdtempSync(`${target}-`);
  try {
    for (const { name, content } of readTar(brotliDecompressSync(readFileSync(archive)))) {
      if ([DRIVER, LOADER, ICD].includes(name)) writeFileSync(join(unfinished, name), content, { mode: 0o755 });
    }
    // A folder without the ICD is one that somebody has cleared away in part, as programs do that tidy caches.
    if (existsSync(target) && !existsSync(join(target, ICD))) rmSync(target, { recursive: true });
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process was quicker: the folder that it made is as good.
    if (!existsSync(join(target, ICD))) throw error;
  }
}

/**
 * The regular files of a ustar archive, by their names without folders.
 * Written out because the archive must be readable at once, without streams, and a tar library would be one more
 * dependency for a format of 512-byte headers: name at 0 (100 bytes), size in octal at 124 (12), type at 156 ('0' or NUL: file).
 */
export function readTar(archive: Buffer): { name: string; content: Buffer }[] {
  const files: { name: string; content: Buffer }[] = [];
  const text = (from: number, length: number) =>
    archive.toString('latin1', from, from + length).split('\0', 1)[0] ?? '';
  for (let header = 0; header + 512 <= archive.length && archive[header] !== 0; ) {
    const size = Number.parseInt(text(header + 124, 12), 8);
    const start = header + 512;
    if (Number.isNaN(size) || start + size > archive.length)
      throw new Error('the archive is cut short or is no tar file');
    if (['', '0'].includes(text(header + 156, 1))) {
      files.push({ name: basename(text(header, 100)), content: archive.subarray(start, start + size) });
    }
    header = start + Math.ceil(size / 512) * 512;
  }
  return files;
}
