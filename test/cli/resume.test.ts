/** A run's config.json that was changed by hand: what contradicts the checkpoint is said, and nothing is lost. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, loggedSteps, pictures, put, TINY, upTo } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const images = at('images');
const config = put(at('tiny.json'), TINY);
const train = (out: string, ...options: string[]) =>
  lyrebird('train', images, '--out', out, '--config', config, ...options);
let fresh = 0;
/** A copy of the run, to be spoilt. */
const copy = (): string => {
  const out = at(`copy-${fresh++}`);
  cpSync(at('run'), out, { recursive: true });
  return out;
};

beforeAll(async () => {
  await pictures(images, ['blue', 'red']);
  await train(at('run'));
});

describe('a config.json that was changed', () => {
  it.each<[string, (text: string) => string, RegExp]>([
    [
      'in its size',
      (text) => text.replace('"size": 32', '"size": 64').replace('"base": 8', '"base": 16'),
      /config\.json" contradicts the run's checkpoint ".*step-000006\.safetensors": it says size 64 \(not 32\), base 16 \(not 8\)\. Change it back, or remove "/,
    ],
    ['in its batch', (text) => text.replace('"batch": 4', '"batch": 8'), /it says batch 8 \(not 4\)\. Change it back/],
    [
      'in widths that no image fits',
      (text) => text.replace('"base": 8', '"base": 9'),
      /"generatorWidths" \(\[8,6,4\]\): gives images of 36 pixels, not 32.*Change it back, or remove/,
    ],
    [
      'by a field that there is not',
      (text) => text.replace('"batch"', '"batches": 3, "batch"'),
      /config\.json": unknown field "batches"\. The fields are size, .* Change it back, or remove/,
    ],
    [
      'to what is no JSON',
      (text) => text.replace('"batch": 4,', '"batch": 4'),
      /config\.json" is not valid JSON: .* Change it back, or remove ".*": the checkpoints hold all settings/,
    ],
    ['to a list', () => '[]', /must hold a JSON object with fields of config\.json\. Change it back, or remove/],
  ])('%s is refused, and everything stays', async (_what, change, sentence) => {
    const out = copy();
    const file = path.join(out, 'config.json');
    const whole = readFileSync(file, 'utf8');
    const files = [(await latestCheckpoint(out))!, path.join(out, 'log.jsonl')];
    const before = files.map((each) => readFileSync(each));
    put(file, change(whole));
    expect(readFileSync(file, 'utf8')).not.toBe(whole);
    const { exitCode, stdout, stderr } = await train(out, '--steps', '8');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/bug in lyrebird|^ {4}at /m);
    expect(files.map((each) => readFileSync(each))).toEqual(before);

    rmSync(file);
    expect(await train(out, '--steps', '8')).toMatchObject({ exitCode: 0 });
    expect(loggedSteps(out)).toEqual(upTo(8));
    expect(json(out, 'config.json')).toMatchObject({ ...TINY, steps: 8 });
  });

  it('in what may change does not count, and it is said', async () => {
    const out = copy();
    const file = path.join(out, 'config.json');
    put(file, readFileSync(file, 'utf8').replace('"steps": 6', '"steps": 9').replace('Every": 3', 'Every": 1'));
    const { exitCode, stderr } = await train(out, '--steps', '7');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /config\.json" says steps 9, but this command 7, which counts: settings are given by options/,
    );
    expect(stderr).toMatch(/config\.json" says sampleEvery 1, but this command 3, which counts/);
    expect(loggedSteps(out)).toEqual(upTo(7));
    const again = await train(out, '--steps', '8');
    expect(again.stderr).not.toContain('which counts');
  });
});
