/** lyrebird verify: what passes, what fails, and what it says of a network that fails. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ReferenceCase, Value } from '../../src/cli/verify/cases.js';
import { diagnose } from '../../src/cli/verify/diagnose.js';
import { judge } from '../../src/cli/verify/judge.js';
import { moduleOf } from '../../src/cli/verify/modules.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { type WritableTensor, writeSafetensors } from '../../src/io/safetensors.js';
import { Engine } from '../../src/kernel/engine.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { affine } from '../../src/ops/elementwise.js';
import { normal } from '../../src/reference/random.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { put } from './fixtures.js';

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const noise = (...shape: number[]): Value => ({
  shape,
  data: Float32Array.from(
    normal(
      1,
      0,
      shape.reduce((a, b) => a * b),
    ),
  ),
});

/** A case of a narrow MobileNetV2, whose results are its own in float64. */
async function mobileNet(training: boolean, tol: number): Promise<ReferenceCase> {
  const test: ReferenceCase = {
    name: 'narrow',
    op: 'mobilenet_v2',
    attrs: { classes: 3, width: 0.25, training, state: 'sine' },
    inputs: new Map([['x', noise(2, 3, 32, 32)]]),
    outputs: new Map([['logits', { shape: [2, 3], data: new Float32Array(6) }]]),
    cotangents: new Map(),
    grads: new Map(),
    tol,
    gradTol: 1e-2,
  };
  const { data } = (await diagnose(e, test, moduleOf(test)!)).exact.get('logits')!;
  return { ...test, outputs: new Map([['logits', { shape: [2, 3], data: Float32Array.from(data) }]]) };
}

describe('a network that fails in float32', () => {
  it('passes in float64 where rounding is worth more than the tolerance, and says so', async () => {
    const { outcome, inFloat64, lines } = await judge(e, await mobileNet(true, 1e-4));
    expect({ outcome, inFloat64 }).toEqual({ outcome: 'passed', inFloat64: true });
    expect(lines[0]).toMatch(/^\d\.\de-\d+ of 0\.0001 in float64; in float32, which cannot tell, \d\.\de-[1-3]$/);
    expect(lines[1]).toMatch(/^Each operation is within \d\.\de-[67] of its float64 reference/);
  });

  it('fails if its case is of another network', async () => {
    const test = await mobileNet(false, 1e-4);
    const { data } = test.outputs.get('logits')!;
    const off = Float32Array.from(data, (value, i) => value + (i === 4 ? 0.01 : 0));
    const { outcome, lines } = await judge(e, {
      ...test,
      outputs: new Map([['logits', { shape: [2, 3], data: off }]]),
    });
    expect(outcome).toBe('failed');
    expect(lines[1]).toMatch(/^logits\[1, 1\] = /);
    expect(lines.slice(3)).toEqual([
      expect.stringMatching(/^In float64 the result is off by \d\.\de-[123]: logits\[1, 1\]/),
      'So the case is of another network, or of another state.',
    ]);
  });
});

describe('a fault that rounding does not explain', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Lets convolutions go wrong: all of them, or only those of the first of the network's passes. */
  const wrong = (factor: number, passes = Number.POSITIVE_INFINITY): void => {
    const right = conv2d.forward;
    let calls = 0;
    vi.spyOn(conv2d, 'forward').mockImplementation((engine, ...rest) => {
      const { y } = right(engine, ...rest);
      return { y: calls++ < CONVOLUTIONS * passes ? affine(engine, y, factor) : y };
    });
  };
  const CONVOLUTIONS = 52;

  it('is found where it is an operation', async () => {
    const test = await mobileNet(false, 1e-4);
    wrong(1.001);
    const { outcome, lines } = await judge(e, test);
    expect(outcome).toBe('failed');
    expect(lines.at(-1)).toMatch(
      /^One is wrong, given what it reads: operation \d+, conv2d, y\[.*; 1\.0e-3 of 0\.00002\.$/,
    );
  });

  it('does not pass for rounding, though every operation be as near as it has to be', async () => {
    const test = await mobileNet(false, 3e-6);
    wrong(1 + 1e-5);
    const { outcome, lines } = await judge(e, test);
    expect(outcome).toBe('failed');
    expect(lines.at(-1)).toMatch(/rounded to float32 in other ways would move the result by \d\.\de-[67]\.$/);
  });

  it('does not pass for rounding, though every operation be right when it is looked at', async () => {
    const test = await mobileNet(true, 1e-4);
    wrong(Number.NaN, 1);
    const { outcome, lines } = await judge(e, test);
    expect(outcome).toBe('failed');
    expect(lines[0]).toBe('Infinity of 0.0001');
    expect(lines.at(-1)).toMatch(/rounded to float32 in other ways/);
  });

  it('is not looked for where gradients are wrong', async () => {
    const test = await mobileNet(true, 1e-4);
    const x = { shape: [2, 3, 32, 32], data: new Float32Array(2 * 3 * 32 * 32) };
    const cotangent = { shape: [2, 3], data: new Float32Array(6).fill(1) };
    const { outcome, inFloat64, lines } = await judge(e, {
      ...test,
      cotangents: new Map([['logits', cotangent]]),
      grads: new Map([['x', x]]),
    });
    expect({ outcome, inFloat64 }).toEqual({ outcome: 'failed', inFloat64: undefined });
    expect(lines[0]).toMatch(/^\d\.\de-\d+ of 0\.0001, gradient \d/);
  });
});

describe('the command', () => {
  const folder = temporaryFolder();

  /** A file with one case of relu. */
  const file = (expected: number[], op = 'relu', shape = [3], others = {}): string => {
    const x = { dtype: 'F32', shape: [3], data: Float32Array.of(-1, 2, 3) } as const;
    const y = { dtype: 'F32', shape, data: Float32Array.from(expected) } as const;
    const described = {
      name: 'three',
      op,
      attrs: {},
      inputs: { x: 'x' },
      outputs: { y: 'y' },
      tol: 1e-6,
      gradTol: 1e-6,
      ...others,
    };
    const metadata = { format: 'reference-cases/1', cases: JSON.stringify([described]) };
    return put(
      join(folder, 'cases.safetensors'),
      writeSafetensors(
        new Map<string, WritableTensor>([
          ['x', x],
          ['y', y],
        ]),
        metadata,
      ),
    );
  };

  it('passes what is right', async () => {
    const { exitCode, stdout } = await lyrebird('verify', file([0, 2, 3]));
    expect(stdout).toBe('ok    three: 0.0e+0 of 0.000001\n1 passed, 0 failed, 0 unsupported\n');
    expect(exitCode).toBe(0);
  });

  it('says where a result is wrong', async () => {
    const { exitCode, stdout } = await lyrebird('verify', file([0, 2, 4]));
    expect(stdout).toMatch(/^FAIL {2}three: 2\.5e-1 of 0\.000001\n {6}y\[2\] = 3, expected 4\n0 passed, 1 failed/);
    expect(exitCode).toBe(1);
  });

  it('counts what there is no operation for', async () => {
    const { exitCode, stdout } = await lyrebird('verify', file([0, 2, 3], 'fold'));
    expect(stdout).toBe("skip  three: lyrebird has no 'fold'\n0 passed, 0 failed, 1 unsupported\n");
    expect(exitCode).toBe(1);
  });

  it.each(['constructor', '__proto__', 'toString'])('knows no operation %s', async (op) => {
    expect((await lyrebird('verify', file([0, 2, 3], op))).stdout).toContain(`lyrebird has no '${op}'`);
  });

  it('fails a result of as many values in another shape', async () => {
    const { exitCode, stdout } = await lyrebird('verify', file([0, 2, 3], 'relu', [1, 3]));
    expect(stdout).toBe('FAIL  three: y has the shape [3], expected [1, 3]\n0 passed, 1 failed, 0 unsupported\n');
    expect(exitCode).toBe(1);
  });

  it('says which input a case lacks', async () => {
    const { stdout } = await lyrebird('verify', file([0, 2, 3], 'relu', [3], { inputs: {} }));
    expect(stdout).toContain('FAIL  three: the case has no input named x\n');
  });

  it('does not pass what expects nothing', async () => {
    const { exitCode, stderr } = await lyrebird('verify', file([0, 2, 3], 'relu', [3], { outputs: {} }));
    expect(stderr).toContain('a case must expect some output');
    expect(exitCode).toBe(1);
  });

  it('says that no case is left by a filter', async () => {
    const { exitCode, stderr } = await lyrebird('verify', file([0, 2, 3]), '--filter', 'four');
    expect(stderr).toContain('There is no case to verify');
    expect(exitCode).toBe(1);
  });
});
