/**
 * Random numbers on the CPU: xoshiro128** (Blackman and Vigna 2021), seeded through splitmix32 so that neighbouring
 * seeds give unrelated streams. Small, fast, and its whole state is four integers that a run can save.
 */

/** The whole state of a generator: four 32-bit integers. */
export type RandomState = readonly [number, number, number, number];

/** A stream of random numbers, fixed by its seed. */
export interface Random {
  /** Uniform in [0, 1), in steps of 2^-32. */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Uniform among 0, 1, ..., count - 1. */
  integer(count: number): number;
  /** Normal with mean 0 and variance 1 (Box and Muller's first number; the second is not kept, so the state is whole). */
  normal(): number;
  /** One of the items, each equally likely. */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
  state(): RandomState;
  restore(state: RandomState): void;
}

/**
 * A generator whose stream depends on all the parts, in order: `createRandom(seed, label)` gives each label a stream
 * of its own, so that adding a class leaves the others' numbers as they were.
 */
export function createRandom(...seed: readonly (number | string)[]): Random {
  let [a, b, c, d] = expandSeed(hashSeed(seed));

  function bits(): number {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  }

  const next = () => bits() / 2 ** 32;
  const integer = (count: number) => Math.floor(next() * count);
  return {
    next,
    integer,
    between: (low, high) => low + (high - low) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[integer(items.length)]!,
    shuffle(items) {
      const shuffled = [...items];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      return shuffled;
    },
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
    restore(state) {
      [a, b, c, d] = state;
    },
  };
}

function rotateLeft(x: number, count: number): number {
  return (x << count) | (x >>> (32 - count));
}

/** FNV-1a over the parts' text: 32 bits. */
function hashSeed(parts: readonly (number | string)[]): number {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(parts)) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return hash >>> 0;
}

/** Four numbers of splitmix32; never all zero, which xoshiro could not leave. */
function expandSeed(seed: number): [number, number, number, number] {
  let state = seed;
  const splitmix = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  return [splitmix(), splitmix(), splitmix(), splitmix() | 1];
}
