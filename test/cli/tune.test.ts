/** lyrebird tune: what it measures and keeps, that it can be stopped and goes on, and what runs say of it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatGains } from '../../src/cli/tune/gains.js';
import { measureWork } from '../../src/cli/tune/measure.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { type TunedWork, tunedFor } from '../../src/io/tuning.js';
import { Engine } from '../../src/kernel/engine.js';
import { worksOf } from '../../src/kernel/works.js';
import { matmul } from '../../src/ops/matmul.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pictures, pressWhen, put, TINY } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const file = at('tuned.json');
const config = put(at('tiny.json'), TINY);
const tune = () => lyrebird('tune', '--config', config, '--rounds', '1', '--out', file);
const own = () => ({ format: 'lyrebird-tuning/1', ...tunedFor(gpu.info), works: [] });
const worksIn = (): TunedWork[] => (existsSync(file) ? json<{ works: TunedWork[] }>(file).works : []);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.close());

it('times every plan of a work and takes the fastest', async () => {
  const e = new Engine(gpu);
  const [{ work }] = worksOf(e, (dry) => {
    dry.scope(() => matmul.forward(dry, [dry.empty([30, 40]), dry.empty([40, 50])], {}, [30, 50]));
  }) as [ReturnType<typeof worksOf>[number]];
  const { plan, milliseconds } = await measureWork(e, work, 1);
  const names = work.candidates(e.capabilities).map(({ name }) => name);
  expect(Object.keys(milliseconds)).toEqual(names);
  expect(milliseconds[plan]).toBeLessThanOrEqual(milliseconds[names[0]!]!);
  expect(e.memory().inUse).toBe(0);
});

it('stops between two works, keeps what is done, and goes on from there', async () => {
  put(file, { ...own(), kernels: 'of an earlier version' });
  pressWhen(() => worksIn().length >= 2);
  const stopped = await tune();
  expect(stopped.exitCode).toBe(130);
  expect(stopped.stdout).toMatch(/^DR-ACGAN, 32 x 32, batch 4, f32: (\d+) products and convolutions, \1 to measure$/m);
  expect(stopped.stdout).toMatch(/^a step's products and convolutions: [\d.]+ ms by rule, [\d.]+ ms tuned/m);
  const done = worksIn();
  expect(done.length).toBeGreaterThanOrEqual(2);
  pressWhen(() => worksIn().length > done.length);
  const again = await tune();
  const [, all, missing] = /: (\d+) products and convolutions, (\d+) to measure/.exec(again.stdout)!.map(Number);
  expect(all! - missing!).toBe(done.length);
  expect(worksIn().slice(0, done.length)).toEqual(done);
});

it.each([
  ['no tuning', () => ({ fields: 'of my own' }), 'is no tuning of this program'],
  ['of another adapter', () => ({ ...own(), adapter: 'nvidia-h200' }), 'for another adapter or driver (nvidia-h200, '],
  ['of another driver', () => ({ ...own(), driver: 'Mesa 99' }), 'Mesa 99)'],
])('leaves a file alone that is %s', async (_what, contents, why) => {
  const theirs = put(at('theirs.json'), contents());
  const before = readFileSync(theirs);
  const { exitCode, stderr } = await lyrebird('tune', '--config', config, '--rounds', '1', '--out', theirs);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(why);
  expect(stderr).toContain('choose another --out');
  expect(readFileSync(theirs).equals(before)).toBe(true);
});

it('a run that goes on under another tuning says so', async () => {
  const images = await pictures(at('images'), ['blue', 'red']);
  const train = (steps: string, ...options: string[]) =>
    lyrebird('train', images, '--out', at('run'), '--config', config, '--steps', steps, ...options);
  expect((await train('2')).exitCode).toBe(0);
  const note = /this run began under another tuning/;
  expect((await train('3')).stderr).not.toMatch(note);
  const tuned = await train('4', '--tuned', file);
  expect(tuned).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(note) });
  expect((await train('5', '--tuned', file)).stderr).not.toMatch(note);
  expect((await train('6', '--tuned', at('missing.json'))).stderr).toMatch(/no file or folder ".*missing\.json"/);
});

it('gains are summed over the calls of a step', () => {
  const gain = { work: 'w', calls: 2, rule: 'a', ruleMs: 4, tuned: 'b', tunedMs: 3 };
  const same = { work: 'v', calls: 1, rule: 'a', ruleMs: 6, tuned: 'a', tunedMs: 6 };
  expect(formatGains([gain, same])).toBe(
    'work  calls  by rule    ms  tuned    ms\n' +
      'w         2  a        4.00  b      3.00\n\n' +
      "a step's products and convolutions: 10.0 ms by rule, 9.00 ms tuned (10.0 % less); 1 of 2 by other plans than the rule's",
  );
});
