import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CheckResult } from '../../src/autograd/check.js';
import type { Tape } from '../../src/autograd/tape.js';
import type { Check } from '../../src/cli/check.js';
import { checks } from '../../src/cli/checks.js';
import { checkAll, choose, inHalf, report } from '../../src/cli/gradcheck.js';
import { checkModule } from '../../src/cli/moduleChecks.js';
import { layerCall, type ModuleCall } from '../../src/cli/moduleRun.js';
import { Failure } from '../../src/cli/outcome.js';
import { openGpu } from '../../src/device/open.js';
import { UserError } from '../../src/io/errors.js';
import { Engine } from '../../src/kernel/engine.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { Conv2d } from '../../src/nn/layers.js';
import { Layer, type Module } from '../../src/nn/module.js';
import { lyrebird } from './console.js';

/** No case of these tests touches it. */
const engine = {} as Engine;

const exact: CheckResult = {
  forward: { error: 0, where: 'y[0]' },
  gradient: { error: 0, where: 'd/dx[0]' },
  deterministic: true,
};

const check = (name: string, ...results: CheckResult[]): Check => ({
  name,
  tolerance: { forward: 1e-5, gradient: 1e-3 },
  cases: results.map((result, i) => ({ title: `${name} ${i}`, run: async () => result })),
});

describe('gradcheck', () => {
  it('passes correct ops, on the GPU', async () => {
    const { exitCode, stdout } = await lyrebird('gradcheck', 'relu', 'mul');
    expect(exitCode).toBe(0);
    const rows = stdout.split('\n').filter((line) => line.includes('pass'));
    expect(rows.map((line) => line.split(/\s+/, 1)[0])).toEqual(['relu', 'mul', expect.stringMatching(/^\d+$/)]);
  });

  it.each(['mobilenet_v2', 'resnet18', 'vgg16'])('passes %s', async (name) => {
    const { exitCode, stdout } = await lyrebird('gradcheck', name);
    expect(exitCode, stdout).toBe(0);
  });

  it('says that a classifier is never computed in f16', () => {
    expect(() => inHalf(choose(['resnet18'], checks), ['resnet18'])).toThrow('resnet18 is never computed in f16');
    expect(inHalf(choose(['conv2d'], checks), ['conv2d']).map(({ name }) => name)).toEqual(['conv2d']);
    expect(inHalf(checks, []).length).toBeGreaterThan(30);
  });

  it('passes ops and networks in mixed precision, or says that there is no f16', async () => {
    const { exitCode, stdout, stderr } = await lyrebird('gradcheck', 'conv2d', 'discriminator', '--precision', 'f16');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^discriminator .* pass /m);
    const [, error] = /^conv2d +\d+ +(\S+)/m.exec(stdout)!;
    const half = !stderr.includes('has no f16');
    expect(Number(error) > 1e-5).toBe(half);
  });

  it('suggests names for one that there is not', async () => {
    const { exitCode, stderr } = await lyrebird('gradcheck', 'conv2');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /There is no operation or module "conv2"\. Did you mean conv2d( or .*)?\? There are: conv2d, /,
    );
  });

  it('checks every op once', () => {
    const names = checks.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(choose([], checks)).toBe(checks);
    expect(() => choose(['sum', 'no such op'], checks)).toThrow(UserError);
  });
});

describe('its verdicts', () => {
  beforeEach(() => {
    vi.spyOn(console, 'log').mockReturnValue();
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => vi.restoreAllMocks());

  const run = async (...tests: Check[]) => report(await checkAll(engine, tests, new AbortController().signal));

  it('pass what is within the tolerances', async () => {
    await run(check('a', exact, { ...exact, forward: { error: 9e-6, where: '' } }), check('b', exact));
    await run(check('no gradient', { ...exact, gradient: undefined }));
  });

  it.each([
    ['a forward error', { ...exact, forward: { error: 2e-5, where: 'y[3] = 1' } }, 'forward 2.0e-5 at y[3] = 1'],
    ['a gradient error', { ...exact, gradient: { error: 0.5, where: 'd/dw[1]' } }, 'gradient 0.500 at d/dw[1]'],
    ['a NaN', { ...exact, gradient: { error: Number.NaN, where: 'd/dw[1]' } }, 'gradient NaN at d/dw[1]'],
    ['other bits', { ...exact, deterministic: false }, 'other bits when run again'],
  ])('fail %s, and name the case', async (_what, result, fault) => {
    const failure = run(check('a', exact), check('b', exact, result));
    await expect(failure).rejects.toThrow(Failure);
    await expect(failure).rejects.toThrow(`1 of 3 cases failed:\n  b 1: ${fault}`);
  });

  it('are given for what was done when interrupted', async () => {
    const controller = new AbortController();
    const stopping: Check = {
      ...check('a'),
      cases: [
        {
          title: 'a',
          run: async () => {
            controller.abort();
            return exact;
          },
        },
      ],
    };
    const verdicts = await checkAll(engine, [stopping, check('b', exact)], controller.signal);
    expect(verdicts.map(({ name }) => name)).toEqual(['a']);
  });
});

it('fails a module of which a parameter gets no gradient', async () => {
  const gpu = await openGpu();
  /** Forgets its second convolution. */
  class Forgetful extends Layer {
    private readonly conv = this.child('conv', new Conv2d(1, 1, 1));
    readonly forgotten = this.child('forgotten', new Conv2d(1, 1, 1, { bias: false }));

    forward(tape: Tape, x: Tensor): Tensor {
      return this.conv.forward(tape, x);
    }
  }
  const test = {
    name: 'forgetful',
    title: '',
    make: () => new Forgetful() as Module,
    call: layerCall('y') as unknown as ModuleCall<Module>,
    inputs: [{ shape: [2, 1, 3, 3] }],
  };
  const { forward, gradient } = await checkModule(new Engine(gpu), test, false);
  gpu.close();
  expect(forward.error).toBeLessThan(1e-6);
  expect(gradient).toEqual({ error: Number.POSITIVE_INFINITY, where: 'd/dforgotten.weight is missing' });
});
