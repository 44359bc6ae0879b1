/** Tunings on disk: what is read of good and of bad files, and that no file can make a result wrong. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase, runCase, sameBits } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { loadTuning, readTuning, type TunedWork, tunedFor, tuningFile, writeTuning } from '../../src/io/tuning.js';
import { Engine } from '../../src/kernel/engine.js';
import { worksOf } from '../../src/kernel/works.js';
import type { Op } from '../../src/ops/define.js';
import { matmul } from '../../src/ops/matmul.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();
const file = path.join(folder, 'tuned.json');
const op = matmul as unknown as Op;
const test = {
  shapes: [
    [9, 200],
    [200, 33],
  ],
  attrs: {},
};

let gpu: Gpu;
/** The product's work and its plans on this device, the rule's first. */
let name: string;
let plans: string[];

beforeAll(async () => {
  gpu = await openGpu();
  const e = new Engine(gpu);
  const [found] = worksOf(e, (dry) => {
    const [a, b] = test.shapes.map((shape) => dry.empty(shape));
    dry.scope(() => matmul.forward(dry, [a!, b!], {}, [9, 33]));
  });
  name = found!.work.name;
  plans = found!.work.candidates(e.capabilities).map((plan) => plan.name);
});

afterAll(() => gpu?.close());

const work = (plan: string, milliseconds: Record<string, number> = { [plan]: 1 }): TunedWork => ({
  work: name,
  plan,
  milliseconds,
});

/** The engine that uses the file, and what was said of it. */
async function engineBy(tuned: string | undefined = file): Promise<{ e: Engine; notes: string[] }> {
  const notes: string[] = [];
  const e = new Engine(gpu, {}, await loadTuning(gpu.info, tuned, (line) => notes.push(line)));
  return { e, notes };
}

const good = () => ({ format: 'lyrebird-tuning/1', ...tunedFor(gpu.info), works: [work(plans[1]!)] });

it('is read as it was written, and chooses', async () => {
  expect(plans.length).toBeGreaterThan(1);
  await writeTuning(file, tunedFor(gpu.info), [work(plans[1]!)]);
  expect(await readTuning(file, tunedFor(gpu.info))).toEqual({ works: [work(plans[1]!)] });
  const { e, notes } = await engineBy();
  const rule = new Engine(gpu);
  const { forward, deterministic } = await checkCase(e, op, test);
  expect(forward.error).toBeLessThan(op.tolerance.forward);
  expect(deterministic).toBe(true);
  await checkCase(rule, op, test);
  expect(e.compiledKernels()).not.toEqual(rule.compiledKernels());
  expect(notes).toEqual([]);
});

it('has an id that depends on plans alone', async () => {
  const idOf = async (works: TunedWork[]): Promise<string> => {
    await writeTuning(file, tunedFor(gpu.info), works);
    return (await loadTuning(gpu.info, file, () => undefined))!.id;
  };
  const first = await idOf([work(plans[1]!)]);
  expect(await idOf([work(plans[1]!, { [plans[1]!]: 7 })])).toBe(first);
  expect(await idOf([work(plans[0]!)])).not.toBe(first);
});

describe('cannot make a result wrong', () => {
  it.each([
    ['no JSON', () => '{"format": "lyrebird-tuning/1", "wor', /is no tuning of this program/],
    ['nothing', () => '', /is no tuning of this program/],
    ['JSON of something else', () => '[1, 2]', /is no tuning of this program/],
    ['another adapter', () => ({ ...good(), adapter: 'nvidia-h200' }), /for another adapter or driver \(nvidia-h200, /],
    ['another driver', () => ({ ...good(), driver: 'Mesa 99' }), /for another adapter or driver \(.*, Mesa 99\)/],
    ['other kernels', () => ({ ...good(), kernels: 'abc' }), /measured with other kernels/],
    ['a damaged work', () => ({ ...good(), works: [{ work: name, plan: 3 }] }), /^1 of 1 works in .* are damaged/],
    ['a plan that is made up', () => ({ ...good(), works: [work('by magic')] }), /such as 'by magic' for 'matmul /],
    ['a tile too large', () => ({ ...good(), works: [work('broadcast 4096x4096')] }), /such as 'broadcast 4096x4096'/],
  ])('%s', async (_what, contents, note) => {
    const value = contents();
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    const { e, notes } = await engineBy();
    expect(sameBits(await runCase(e, op, test), await runCase(new Engine(gpu), op, test))).toBe(true);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(note);
  });
});

it('uses what is whole beside what is damaged', async () => {
  writeFileSync(file, JSON.stringify({ ...good(), works: [{ work: name }, work(plans[1]!)] }));
  const { e, notes } = await engineBy();
  expect(e.tuning.plans.get(name)).toBe(plans[1]);
  expect(notes).toEqual([`1 of 2 works in "${file}" are damaged and not used.`]);
});

it('lies in a place of its own for each adapter and driver, and need not be there', async () => {
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = path.join(folder, 'cache');
  try {
    const own = tuningFile({ name: 'a-gpu', driver: 'Driver 1.2 (x)' });
    expect(own).toBe(path.join(folder, 'cache', 'lyrebird', 'tuned-a-gpu-driver-1-2-x.json'));
    expect(existsSync(tuningFile(gpu.info))).toBe(false);
    const notes: string[] = [];
    expect(await loadTuning(gpu.info, undefined, (line) => notes.push(line))).toBeUndefined();
    await writeTuning(tuningFile(gpu.info), tunedFor(gpu.info), [work(plans[1]!)]);
    expect((await loadTuning(gpu.info, undefined, (line) => notes.push(line)))!.plans.get(name)).toBe(plans[1]);
    expect(notes).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});

it('must be there if it is named', async () => {
  await expect(engineBy(path.join(folder, 'missing.json'))).rejects.toThrow(/no file or folder ".*missing\.json"/);
});
