/** Whole networks and training steps against what PyTorch computed, through the same code as `lyrebird verify`. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReferenceCases } from '../../src/cli/verify/cases.js';
import { judge } from '../../src/cli/verify/judge.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';

const folder = fileURLToPath(new URL('../../../shared/reference/cases/', import.meta.url));
const files = ['networks', 'classifiers']
  .map((name) => `${folder}${name}.safetensors`)
  .filter((file) => existsSync(file));
if (files.length === 0) console.log(`skipped: there are no reference cases in ${folder}`);

let gpu: Gpu;
let engine: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  engine = new Engine(gpu);
});

afterAll(() => gpu?.close());

describe.skipIf(files.length === 0)('reference cases', () => {
  it.each(files.flatMap(readReferenceCases).map((test) => [test.name, test] as const))('%s', async (_name, test) => {
    const { outcome, lines } = await judge(engine, test);
    expect(outcome, lines.join('\n')).toBe('passed');
  });
});
