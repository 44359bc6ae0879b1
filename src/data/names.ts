/** Labels and recordings as names of folders and files, on any system. */

/** What the images of a recording are called, by their label: `<folder>/<stem>`, then `_<start>.png`. */
export type Prefixes = (label: string) => string;

/** Devices that Windows sees in every folder. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const MAX_BYTES = 100;

/**
 * For each name one that is safe as a file or folder name, unlike all the others (also where case does not count) and
 * unlike those `taken`. Letters of all scripts, digits, spaces and ( ) + , . _ - stay; the rest, slashes among them,
 * becomes "_". Equal names are given once.
 */
export function safeNames(names: Iterable<string>, taken: readonly string[] = []): Map<string, string> {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  const safe = new Map<string, string>();
  for (const name of names) {
    if (safe.has(name)) continue;
    const base = safeName(name);
    let candidate = base;
    for (let k = 2; used.has(candidate.toLowerCase()); k++) candidate = `${base}-${k}`;
    used.add(candidate.toLowerCase());
    safe.set(name, candidate);
  }
  return safe;
}

function safeName(name: string): string {
  const shown = name.normalize('NFC').replace(/[^\p{L}\p{M}\p{N} ()+,._-]/gu, '_');
  let short = '';
  for (const character of shown) {
    if (Buffer.byteLength(short + character) > MAX_BYTES) break;
    short += character;
  }
  const trimmed = short.replace(/^[. ]+|[. ]+$/g, ''); // hidden on Unix, cut off by Windows
  return trimmed === '' || reserved.test(trimmed) ? `_${trimmed}` : trimmed;
}
