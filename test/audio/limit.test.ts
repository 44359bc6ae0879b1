import { expect, test } from 'vitest';
import { limitWindows } from '../../src/audio/limit.js';
import type { CutWindows, SoundWindow } from '../../src/audio/windows.js';

const window = (start: number, more: Partial<SoundWindow> = {}): SoundWindow => ({
  samples: Float32Array.of(start),
  sampleRate: 1,
  start,
  ...more,
});
const upTo = (count: number, more?: (i: number) => Partial<SoundWindow>) =>
  Array.from({ length: count }, (_, i) => window(i, more?.(i)));

/** Stretches of seven windows. */
async function limited(windows: readonly SoundWindow[], maxWindows: number | null, noiseWindows = 0) {
  const cuts: CutWindows[] = [];
  for (let i = 0; i < windows.length; i += 7) cuts.push({ windows: windows.slice(i, i + 7), skipped: [] });
  const given: CutWindows = { windows: [], skipped: [] };
  let early = 0;
  for await (const cut of limitWindows(cuts, { maxWindows, noiseWindows })) {
    if (cut.windows.length > 0 && given.windows.length === 0) early = cut.windows.length;
    given.windows.push(...cut.windows);
    given.skipped.push(...cut.skipped);
  }
  return { starts: given.windows.map(({ start }) => start), given, early };
}

test('without a limit windows are handed on at once', async () => {
  const { starts, early, given } = await limited(upTo(20), null);
  expect(starts).toEqual([...Array(20).keys()]);
  expect(early).toBe(7);
  expect(given.skipped).toEqual([]);
});

test.each([1, 2, 3, 5, 10, 19])('%i windows are spread evenly over a recording', async (most) => {
  for (const count of [20, 33, 100, 257]) {
    const { starts, given } = await limited(upTo(count), most);
    expect(starts).toHaveLength(most);
    const gaps = starts.slice(1).map((start, i) => start - starts[i]!);
    const even = count / most;
    for (const gap of gaps) expect(gap / even).toBeGreaterThan(0.4);
    for (const gap of [starts[0]!, ...gaps, count - starts.at(-1)!]) expect(gap / even).toBeLessThan(2.1);
    expect([...starts, ...given.skipped.map(({ start }) => start)].sort((a, b) => a - b)).toEqual([
      ...Array(count).keys(),
    ]);
    expect(given.skipped[0]!.reason).toContain(`not among the ${most}`);
  }
});

test('of events the strongest are chosen, in order of time', async () => {
  const strength = (i: number) => ({ strength: (i * 37) % 101 });
  const { starts } = await limited(upTo(100, strength), 4);
  const best = [...Array(100).keys()].sort((a, b) => strength(b).strength - strength(a).strength).slice(0, 4);
  expect(starts).toEqual(best.sort((a, b) => a - b));
});

test('noise has a limit of its own', async () => {
  const { given } = await limited(
    upTo(30, (i) => (i % 3 === 0 ? { label: 'noise' } : {})),
    null,
    4,
  );
  expect(given.windows.filter(({ label }) => label === 'noise')).toHaveLength(4);
  expect(given.windows).toHaveLength(24);
  expect(given.skipped).toHaveLength(6);
});

test('what is annotated as noise is a sound like others', async () => {
  const annotation = { start: 0, end: 30, label: 'noise' };
  const annotated = upTo(30, () => ({ label: 'noise', annotation }));
  expect((await limited(annotated, null)).starts).toHaveLength(30);
  expect((await limited(annotated, 5)).starts).toHaveLength(5);
});

test('fewer than the limit all stay', async () => {
  expect((await limited(upTo(3), 8)).starts).toEqual([0, 1, 2]);
  expect((await limited([], 8)).starts).toEqual([]);
});
