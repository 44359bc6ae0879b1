/** Short names for kernels, whose keys (kernel/source.ts) name every library file and every constant. */
import { ops } from '../../ops/index.js';

/** The kernel's file: the key up to its library files and constants. */
const fileOf = (key: string): string => key.split(/[+;]/, 1)[0]!;

/** What a key says after the file: library files by their last name, constants; a flag by its name where it is set. */
function variantOf(key: string): string[] {
  const [files, ...constants] = key.split(';');
  const libraries = files!.split('+').slice(1);
  return [
    ...libraries.map((library) => library.replace(/^.*\//, '')),
    ...constants.filter((constant) => !constant.endsWith('=false')).map((constant) => constant.replace(/=true$/, '')),
  ];
}

/**
 * A name for each kernel: its file, and in brackets what distinguishes it from the others of that file, such as
 * `conv2d_forward [ROWS=16, BIAS]`.
 */
export function kernelNames(keys: Iterable<string>): ReadonlyMap<string, string> {
  const variants = new Map([...new Set(keys)].map((key) => [key, variantOf(key)]));
  const name = (key: string): string => {
    const family = [...variants].filter(([other]) => fileOf(other) === fileOf(key)).map(([, words]) => words);
    const own = variants.get(key)!.filter((word) => !family.every((words) => words.includes(word)));
    return own.length > 0 ? `${fileOf(key)} [${own.join(', ')}]` : fileOf(key);
  };
  return new Map([...variants.keys()].map((key) => [key, name(key)]));
}

/** The longest first, so that the first that fits is the best. */
const OP_NAMES = ops.map((op) => op.name).sort((a, b) => b.length - a.length);

/**
 * The op that a kernel is written for: the one whose name the file's begins with, else the file's own name. Several ops may
 * share its kernels: a transposed convolution runs those of conv2d, a linear layer those of matmul.
 */
export function opOf(key: string): string {
  const file = fileOf(key);
  const name = OP_NAMES.find((op) => file === op || file.startsWith(`${op}_`));
  return name ?? file.replace(/_gradient$/, '');
}

/** The ops of dispatches in their order: adding the parts of a split product belongs to that product. */
export function opsOf(keys: readonly string[]): string[] {
  const found: string[] = [];
  for (const key of keys) found.push(fileOf(key) === 'split_sum' ? (found.at(-1) ?? 'matmul') : opOf(key));
  return found;
}
