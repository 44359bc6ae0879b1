/** Texts of kernels for tensors in windows: how they are rewritten, and that all of them compile, on Dawn's Null backend. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scalogramEnergy } from '../../src/audio/scalogram.js';
import { stftEnergy } from '../../src/audio/stft.js';
import { cwt } from '../../src/audio/wavelet.js';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { dryGpu } from '../../src/device/dry.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { BASE, type Capabilities } from '../../src/kernel/choose.js';
import { type Dispatch, Engine } from '../../src/kernel/engine.js';
import { type KernelSource, kernelKey, kernelText, parseLayout } from '../../src/kernel/source.js';
import { find, tokensOf } from '../../src/kernel/tokens.js';
import { windowed, windowsOf } from '../../src/kernel/windows.js';
import type { Tensor } from '../../src/memory/tensor.js';
import { inputName } from '../../src/ops/define.js';
import { accumulate, fill } from '../../src/ops/elementwise.js';
import { ops } from '../../src/ops/index.js';
import { clipGradients } from '../../src/optim/clip.js';
import { updateEma } from '../../src/optim/ema.js';
import { createOptimizer } from '../../src/optim/optimizer.js';

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu({ backend: 'null' });
});

afterAll(() => gpu?.close());

describe('windows', () => {
  it('are of one size but for the last, and begin where bindings may', () => {
    expect(windowsOf(1000, 300)).toEqual([
      { offset: 0, size: 256 },
      { offset: 256, size: 256 },
      { offset: 512, size: 256 },
      { offset: 768, size: 232 },
    ]);
    expect(windowsOf(512, 512)).toEqual([{ offset: 0, size: 512 }]);
  });

  it('show a kernel no more than the largest tensor', () => {
    const e = new Engine(dryGpu(gpu), { bindingBytes: 2 ** 20 });
    const filled = (bytes: number) =>
      e.scope(() => {
        fill(e, e.empty([bytes / 4]), 0);
        return null;
      });
    expect(e.largestTensor).toBe(gpu.limits.maxStorageBuffersPerShaderStage * 2 ** 20);
    expect(filled(e.largestTensor)).toBeNull();
    expect(() => filled(e.largestTensor + 4)).toThrow('pieces of memory of 1.0 MiB');
  });
});

it('tokens put together are the text', () => {
  const text = gpu.readKernel('reduce.wgsl');
  const tokens = tokensOf(text);
  expect(tokens.map(({ before, text: word }) => before + word).join('')).toBe(text);
  expect(tokensOf('a >>= b[1u] /* ; */ <= 2; // c').map(({ text: word }) => word)).toEqual([
    ...['a', '>>=', 'b', '[', '1u', ']', '<=', '2', ';', ''],
  ]);
  expect(find(tokensOf('a[b[c]; d]; e'), 2, ';')).toBe(6);
  expect(find(tokensOf('a[b[c] d]; e'), 2, ';')).toBe(7);
  expect(() => find(tokensOf('a[b'), 2)).toThrow('not closed');
});

const HEAD = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<u32>;`;

/** What becomes of the body of a kernel whose x comes in two windows and y in three; without blanks. */
const bodyOf = (body: string): string => {
  const text = windowed(`${HEAD}\nfn main() {\n${body}\n}`, [2, 3, 1]);
  return /fn main\(\) \{\n([\s\S]*?)\n\}\n/.exec(text)![1]!;
};

describe('a rewritten kernel', () => {
  it('declares the windows one after another, and functions that pick one', () => {
    const text = windowed(HEAD, [2, 3, 1]);
    expect(parseLayout(text).bindings).toEqual([
      'read',
      'read',
      'read_write',
      'read_write',
      'read_write',
      'read_write',
    ]);
    expect(text).toContain('@group(0) @binding(4) var<storage, read_write> y_window2: array<f32>;');
    expect(text).toContain('@group(0) @binding(5) var<storage, read_write> z: array<u32>;');
    expect(text).toContain('fn x_read(i: u32) -> vec4f {');
    expect(text).toContain('fn y_write(i: u32, value: f32) {');
    expect(text).not.toContain('fn x_write');
    expect(text).not.toContain('fn z_read');
  });

  it.each([
    ['reads', 'let a = x[i].x + x[x_of[j]][k];', 'let a = x_read(i).x + x_read(x_of[j])[k];'],
    ['reads where to read', 'let a = y[u32(y[i])];', 'let a = y_read(u32(y_read(i)));'],
    ['assigns', 'y[i + n] = 2.0 * x[i].y;', 'y_write(i + n, 2.0 * x_read(i).y);'],
    ['compares', 'if (y[i] == y[j]) { y[i] = 1.0; }', 'if (y_read(i) == y_read(j)) { y_write(i, 1.0); }'],
    ['adds to', 'y[at(i)] -= y[j];', '{ let y_at = at(i); y_write(y_at, y_read(y_at) - (y_read(j))); }'],
    ['shifts', 'y[i] <<= 1u;', '{ let y_at = i; y_write(y_at, y_read(y_at) << (1u)); }'],
    ['assigns in a loop', 'for (; i < n; y[i] = 1.0) {}', 'for (; i < n; y_write(i, 1.0)) {}'],
    ['leaves others alone', 'z[i] = a.y[i]; // x[i]', 'z[i] = a.y[i]; // x[i]'],
    [
      'sees hidden names',
      'let x = x[0]; { var y = z; y[0] = x[1]; } y[0] = 1.0;',
      'let x = x_read(0); { var y = z; y[0] = x[1]; } y_write(0, 1.0);',
    ],
  ])('%s', (_, body, expected) => {
    expect(bodyOf(body)).toBe(expected);
  });

  it('leaves parameters alone, and is not misled by members', () => {
    const functions = `
struct Place { x: u32, y: u32, }
fn f(x: array<f32, 4>) -> f32 { return x[1] + y[1]; }
fn g(place: Place) -> f32 { return f32(place.x) + x[1].x; }`;
    const text = windowed(HEAD + functions, [2, 3, 1]);
    expect(text).toContain('{ return x[1] + y_read(1); }');
    expect(text).toContain('{ return f32(place.x) + x_read(1).x; }');
  });

  it.each([
    ['let n = arrayLength(&y);', /tensor y passes the binding limit.*names it without an index/],
    ['x[i].y = 1.0;', /tensor x passes the binding limit.*changes a part of an element/],
    ['y[i]++;', /changes a part of an element/],
    ['for (; y[0] < 5; y[0] += 1.0) {}', /has a loop that goes on by \+=/],
  ])('is refused where that cannot be: %s', (body, message) => {
    expect(() => bodyOf(body)).toThrow(message);
  });
});

describe('every kernel of the repository', () => {
  const DEVICES: Record<string, Capabilities> = {
    'a GPU': { ...BASE, f16: true },
    'a GPU with subgroup matrices': { ...BASE, f16: true, matrix: { M: 16, N: 16, K: 16, lanes: 32 } },
    lavapipe: { ...BASE, software: true, lanes: 8, f16: true },
    SwiftShader: { ...BASE, software: true, lanes: 4 },
    'a CPU without subgroups': { ...BASE, software: true, f16: true },
  };

  /** All that the ops' cases, optimisers and spectrograms dispatch, once for each kernel variant. */
  function dispatched(capabilities: Capabilities): Dispatch[] {
    const e = new Engine(gpu, capabilities);
    const runs = new Map<string, Dispatch>();
    e.dispatch = (run) => void runs.set(kernelKey(run), run);
    for (const halves of capabilities.f16 ? [undefined, new Map()] : [undefined]) {
      for (const op of ops) {
        for (const test of op.cases) {
          const inputs = test.shapes.map((shape, i) => {
            const whole = typeof test.fill?.[inputName(op.inputs[i]!)] === 'object';
            return shape && e.empty(shape, whole ? 'i32' : 'f32');
          });
          const tracked = inputs.filter((input) => input?.dtype === 'f32') as Tensor[];
          const tape = new Tape(e, new Gradients(tracked), { halves });
          const y = tape.apply(op, inputs, test.attrs);
          if (op.backward) tape.backward(y, e.empty(y.shape, y.dtype));
        }
      }
    }
    const [values, gradients, odd] = [e.empty([64]), e.empty([64]), e.empty([3])];
    for (const kind of ['adam', 'sgd', 'rmsprop'] as const) {
      for (const momentum of [0, 0.9]) {
        createOptimizer(e, kind, [{ values, gradients }], { lr: 1, momentum }).update(e);
      }
    }
    createOptimizer(e, 'sgd', [{ values, gradients }], { lr: 1, momentum: 0.9, nesterov: true }).update(e);
    accumulate(e, gradients, values);
    updateEma(e, values, gradients, 0.5);
    clipGradients(e, [values, odd], 1);
    const second = new Float32Array(8000);
    const canvas = { rows: 8, width: 8, fmin: 500, fmax: 4000 };
    scalogramEnergy(e, [second], 8000, { ...canvas, transform: 'morlet', w0: 6 });
    stftEnergy(e, [second], 8000, { ...canvas, transform: 'mel', frame: 0.02, frameHop: 0.01 });
    cwt(e, second.subarray(0, 64), [500], { bandwidth: 1, centre: 1, sampleRate: 8000 });
    return [...runs.values()];
  }

  /** Two or three windows for each binding. */
  const cut = (kernel: KernelSource): string => {
    const { bindings } = parseLayout(kernelText(kernel, gpu.readKernel));
    return kernelText({ ...kernel, windows: bindings.map((_, i) => 2 + (i % 2)) }, gpu.readKernel);
  };

  async function errorsOf(code: string): Promise<string[]> {
    gpu.device.pushErrorScope('validation');
    const { messages } = await gpu.device.createShaderModule({ code }).getCompilationInfo();
    await gpu.device.popErrorScope();
    return messages.map(({ message, lineNum }) => `${lineNum}: ${message}`);
  }

  it.each(Object.entries(DEVICES))('compiles with each tensor in windows, as on %s', async (_, capabilities) => {
    const runs = dispatched(capabilities);
    expect(runs.length).toBeGreaterThan(60);
    expect(runs.some(({ uses }) => uses?.includes('lib/gemm_matrix'))).toBe(capabilities.matrix !== null);
    for (const run of runs) expect(await errorsOf(cut(run)), kernelKey(run)).toEqual([]);
  });

  it('can be rewritten, and compiles so if it compiles by itself', async () => {
    const names = readdirSync(new URL('../../kernels/', import.meta.url)).filter((name) => name.endsWith('.wgsl'));
    for (const name of names) {
      const kernel = { file: name.replace('.wgsl', '') };
      const code = cut(kernel);
      const alone = (await errorsOf(kernelText(kernel, gpu.readKernel))).length === 0;
      if (alone) expect(await errorsOf(code), name).toEqual([]);
    }
  });
});
