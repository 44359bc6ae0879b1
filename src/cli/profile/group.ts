/** Adds up what dispatches have in common. */

/** What is counted of a dispatch, and of several together. */
export interface Cost {
  readonly milliseconds: number;
  readonly bytes: number;
  readonly flops?: number | undefined;
}

export interface Group {
  readonly name: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** Of the memory that each dispatch binds. */
  readonly bytes: number;
  /** 0 if no op tells. */
  readonly flops: number;
}

/** The sums over the items of each name, in the order in which the names appear. */
export function grouped<T extends Cost>(items: readonly T[], nameOf: (item: T) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const item of items) {
    const name = nameOf(item);
    const { calls, milliseconds, bytes, flops } = groups.get(name) ?? EMPTY;
    groups.set(name, {
      name,
      calls: calls + 1,
      milliseconds: milliseconds + item.milliseconds,
      bytes: bytes + item.bytes,
      flops: flops + (item.flops ?? 0),
    });
  }
  return [...groups.values()];
}

/** The sum over all of them. */
export const total = (items: readonly Cost[]): Group => grouped(items, () => 'step')[0] ?? { ...EMPTY, name: 'step' };

const EMPTY = { calls: 0, milliseconds: 0, bytes: 0, flops: 0 };
