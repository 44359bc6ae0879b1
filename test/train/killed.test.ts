/** A run that is killed at any moment goes on to the very same bits. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readLog } from '../../src/io/log.js';
import { uniform } from '../../src/reference/random.js';
import { LOSS_NAMES } from '../../src/train/ganStep.js';
import { isBuilt, program } from '../cli/built.js';
import { lyrebird } from '../cli/console.js';
import { pictures, put, TINY } from '../cli/fixtures.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();

/** Kills, and the longest time in ms that a process lives: from before the device is open to after some steps. */
const KILLS = 20;
const LONGEST = 2600;

const losses = (run: string) =>
  readLog(path.join(run, 'log.jsonl'))
    .filter(({ lossD }) => lossD !== undefined)
    .map((record) => [record.step, ...LOSS_NAMES.map((name) => record[name])]);

describe.skipIf(!isBuilt())('a run', () => {
  it(`killed at ${KILLS} random moments goes on to the very same bits`, async () => {
    const images = await pictures(path.join(folder, 'images'), ['blue', 'red']);
    const settings = { ...TINY, steps: 40, sampleEvery: 5, checkpointEvery: 2, ema: 0.9 };
    const config = put(path.join(folder, 'tiny.json'), settings);
    const command = (run: string) => ['train', images, '--out', run, '--config', config];
    const [whole, torn] = [path.join(folder, 'whole'), path.join(folder, 'torn')];
    expect(await lyrebird(...command(whole))).toMatchObject({ exitCode: 0 });

    let killed = 0;
    for (const u of uniform(1, 0, KILLS)) {
      const child = spawn(process.execPath, [program, ...command(torn)], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      await Promise.race([ended, setTimeout(u * LONGEST)]);
      child.kill('SIGKILL');
      if ((await ended)[1] === 'SIGKILL') killed++;
    }
    expect(killed).toBeGreaterThan(0);
    expect(await lyrebird(...command(torn))).toMatchObject({ exitCode: 0 });

    for (const name of ['step-000040.safetensors', 'best.safetensors']) {
      const [expected, found] = [whole, torn].map((run) => readFileSync(path.join(run, 'checkpoints', name)));
      expect(found!.equals(expected!)).toBe(true);
    }
    expect(losses(torn)).toEqual(losses(whole));
  });
});
