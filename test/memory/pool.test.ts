/** The pool and its scopes, on a device that only counts its buffers. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/device/open.js';
import { Pool, sizeClass } from '../../src/memory/pool.js';
import { Scopes } from '../../src/memory/scope.js';
import type { Storage, Tensor } from '../../src/memory/tensor.js';

const LIMIT = 2 ** 20;

function countingGpu(hostBytes?: number): { gpu: Gpu; made: number[] } {
  const made: number[] = [];
  const device = { createBuffer: ({ size }: { size: number }) => made.push(size) && { size, destroy() {} } };
  const limits = { maxBufferSize: LIMIT };
  return { gpu: { device, limits, info: { name: 'a counter', hostBytes } } as unknown as Gpu, made };
}

beforeAll(() => {
  Object.assign(globalThis, { GPUBufferUsage: { STORAGE: 1, COPY_SRC: 2, COPY_DST: 4 } });
});

function fixture() {
  const { gpu, made } = countingGpu();
  const pool = new Pool(gpu);
  const scopes = new Scopes(pool);
  const tensor = (bytes: number): Tensor => ({
    shape: [bytes / 4],
    dtype: 'f32',
    storage: scopes.take(bytes),
    offset: 0,
  });
  return { pool, scopes, tensor, made };
}

describe('sizeClass', () => {
  it('holds what is asked for and wastes at most a quarter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (bytes) => {
        const size = sizeClass(bytes);
        expect(size).toBeGreaterThanOrEqual(bytes);
        expect(size).toBeLessThanOrEqual(Math.max(256, bytes * 1.25 + 4));
        expect(sizeClass(size)).toBe(size);
      }),
    );
  });
});

describe('scopes', () => {
  it('use the same buffers again in every step', () => {
    const { pool, scopes, tensor, made } = fixture();
    const step = () =>
      scopes.run(() => {
        for (const bytes of [400, 4000, 400, 100_000]) tensor(bytes);
        return null;
      });
    step();
    const first = made.length;
    for (let i = 0; i < 50; i++) step();
    expect(made.length).toBe(first);
    expect(pool.statistics()).toMatchObject({ inUse: 0, allocations: first });
  });

  it('meet the same buffers in the same order in every step, whatever was given back early', () => {
    const { scopes, tensor } = fixture();
    const step = () => {
      const met: number[] = [];
      scopes.run(() => {
        const early = [tensor(512), tensor(512), tensor(512)];
        scopes.release(early[1]!);
        scopes.release(early[0]!);
        met.push(...[...early, tensor(512), tensor(512), tensor(512)].map(({ storage }) => storage.id));
        return null;
      });
      return met;
    };
    step();
    expect(step()).toEqual(step());
  });

  it('keep what is returned, in the scope outside', () => {
    const { pool, scopes, tensor } = fixture();
    scopes.run(() => {
      const { kept } = scopes.run(() => ({ kept: tensor(1024), nested: [tensor(256)], lost: tensor(512).shape }));
      expect(kept.storage.free).toBe(false);
      expect(pool.statistics().inUse).toBe(1024 + 256);
      return null;
    });
    expect(pool.statistics().inUse).toBe(0);
  });

  it('leave memory alone that was given back early and went to somebody else', () => {
    const { pool, scopes, tensor } = fixture();
    let later: Tensor | undefined;
    scopes.run(() => {
      const early = tensor(1024);
      scopes.release(early);
      later = scopes.run(() => tensor(1024));
      expect(later.storage).toBe(early.storage);
      return later;
    });
    expect(later!.storage.free).toBe(false);
    expect(pool.statistics().inUse).toBe(1024);
  });

  it('free everything when the body throws', () => {
    const { pool, scopes, tensor } = fixture();
    expect(() =>
      scopes.run(() => {
        tensor(1024);
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(pool.statistics().inUse).toBe(0);
  });
});

describe('a plan', () => {
  /** Takes and gives back one after another what is of five sizes, and keeps a little of each time. */
  const job = ({ tensor, scopes }: ReturnType<typeof fixture>) =>
    scopes.run(() => {
      const met: Storage[] = [];
      for (const bytes of [1024, 2048, 4096, 512, 3072]) {
        const [early, late] = [tensor(bytes), tensor(256)];
        met.push(early.storage, late.storage);
        scopes.release(early);
      }
      return met.map(({ id }) => id);
    });

  it('holds a job in fewer bytes, the same buffers each time, and makes none after the first', () => {
    const rehearsal = fixture();
    const plan = rehearsal.pool.rehearse(() => void job(rehearsal));
    expect(plan.sizes).toEqual([4096, 256, 256, 256, 256, 256]);
    expect(rehearsal.pool.statistics().bytes).toBe(10_752 + 5 * 256);

    const real = fixture();
    const first = real.pool.follow(plan, () => job(real));
    expect(real.pool.follow(plan, () => job(real))).toEqual(first);
    expect(real.pool.statistics()).toEqual({ bytes: 4096 + 5 * 256, inUse: 0, peak: 4096 + 3 * 256, allocations: 6 });
  });

  it('that is forgotten gives its buffers back, but for what is in use', () => {
    const [rehearsal, real] = [fixture(), fixture()];
    const { pool, tensor, scopes } = real;
    const both = (on: typeof real) => [on.tensor(2304), on.tensor(512)] as const;
    const rehearse = () =>
      rehearsal.pool.rehearse(() => {
        for (const each of both(rehearsal)) rehearsal.scopes.release(each);
      });
    const plan = rehearse();
    const [lent, returned] = pool.follow(plan, () => both(real));
    expect(pool.statistics().bytes).toBe(2304 + 512);
    scopes.release(returned);
    pool.forget(plan);
    expect(pool.statistics().bytes).toBe(2304);
    // No size class, and yet it serves again what it served before.
    scopes.release(lent);
    const next = tensor(2304);
    expect(next.storage).toBe(lent.storage);
    scopes.release(next);
    pool.forget(rehearse());
    expect(pool.statistics()).toMatchObject({ bytes: 0, inUse: 0, allocations: 2 });
  });

  it('is left where another job asks for other memory, or somebody else has its buffers', () => {
    const [rehearsal, real] = [fixture(), fixture()];
    const plan = rehearsal.pool.rehearse(() => void job(rehearsal));
    const ids = real.pool.follow(plan, () => {
      const kept = real.scopes.take(1024);
      real.scopes.take(300);
      return [kept, real.scopes.take(1024)].map(({ id }) => id);
    });
    expect(new Set(ids).size).toBe(2);
    const [held] = real.pool.follow(plan, () => [real.scopes.take(1024)]);
    expect(real.pool.follow(plan, () => job(real))).not.toContain(held!.id);
  });

  it('lends its idle buffers where no job is under way', () => {
    const rehearsal = fixture();
    const plan = rehearsal.pool.rehearse(() => void job(rehearsal));
    const real = fixture();
    real.pool.follow(plan, () => job(real));
    const { allocations } = real.pool.statistics();
    real.scopes.take(3000);
    expect(real.pool.statistics().allocations).toBe(allocations);
    real.scopes.take(3000);
    expect(real.pool.statistics().allocations).toBe(allocations + 1);
  });
});

describe('pool', () => {
  it('says which limit a tensor passes, and what to do', () => {
    const { tensor } = fixture();
    expect(() => tensor(LIMIT + 4)).toThrow(
      /1.0 MiB was asked for.*a counter makes buffers of at most 1.0 MiB.*smaller batch/,
    );
  });

  it("says so before a software adapter would take more than the processor's memory", () => {
    const { gpu, made } = countingGpu(2 ** 20);
    const pool = new Pool(gpu);
    const most = 2 ** 18;
    for (let i = 0; i < 3; i++) pool.take(most);
    expect(() => pool.take(most)).toThrow(/more than 0.8 MiB.*there are 1.0 MiB in all.*smaller batch/);
    expect(made).toHaveLength(3);
  });

  it('never has more in use than there is', () => {
    const { pool } = fixture();
    pool.take(300);
    const { bytes, inUse } = pool.statistics();
    expect(inUse).toBeLessThanOrEqual(bytes);
  });

  it('does not take a buffer back twice', () => {
    const { scopes, tensor } = fixture();
    const one = tensor(256);
    scopes.release(one);
    expect(() => scopes.release(one)).toThrow('twice');
  });
});
