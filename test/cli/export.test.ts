/** lyrebird export: a run's generator for other programs. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-web';
import { beforeAll, expect, it } from 'vitest';
import { readSafetensors } from '../../src/io/safetensors.js';
import { latestCheckpoint } from '../../src/train/checkpointFiles.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { pictures, put, TINY } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]): string => path.join(folder, ...parts);
const run = at('run');

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  const images = await pictures(at('images'), ['blue', 'red']);
  await lyrebird('train', images, '--out', run, '--config', put(at('tiny.json'), TINY));
  await lyrebird('generate', run, '--out', at('some'), '--count', '2', '--raw');
});

it('writes an ONNX model that makes the very images that generate makes', async () => {
  const { exitCode, stdout } = await lyrebird('export', run, '--onnx');
  expect(stdout).toMatch(/generator\.onnx: generator of step 6, 0\.\d MB\n$/);
  expect(exitCode).toBe(0);
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(path.join(run, 'generator.onnx'))));
  const { tensors } = readSafetensors(at('some', 'raw.safetensors'));
  const { data: noise, shape } = tensors.get('noise')!;
  const { data: labels } = tensors.get('labels')!;
  const { images } = await session.run({
    noise: new ort.Tensor('float32', noise as Float32Array, shape),
    labels: new ort.Tensor('int64', BigInt64Array.from(labels as Int32Array, BigInt), [labels.length]),
  });
  const expected = tensors.get('images')!;
  expect(images!.dims).toEqual(expected.shape);
  const values = images!.data as Float32Array;
  expected.data.forEach((value, i) => {
    expect(Math.abs(values[i]! - value)).toBeLessThan(1e-4);
  });
});

it('writes the weights by the names of a state_dict, with what they belong to', async () => {
  const file = at('weights.safetensors');
  const checkpoint = (await latestCheckpoint(run))!;
  const options = ['--weights', 'plain', '--safetensors', file];
  expect(await lyrebird('export', checkpoint, ...options)).toMatchObject({ exitCode: 0 });
  const { tensors, metadata } = readSafetensors(file);
  const whole = readSafetensors(checkpoint).tensors;
  const names = [...whole.keys()].filter((name) => name.startsWith('g.'));
  expect([...tensors.keys()].sort()).toEqual(names.map((name) => name.slice(2)).sort());
  for (const [name, tensor] of tensors) expect(tensor).toEqual(whole.get(`g.${name}`));
  expect(JSON.parse(metadata.classes!)).toEqual(['blue', 'red']);
  expect(metadata.step).toBe('6');
});

it('wants a format, and leaves checkpoints alone, by whatever path they are named', async () => {
  expect(await lyrebird('export', run)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--onnx') });
  const checkpoint = (await latestCheckpoint(run))!;
  const before = readFileSync(checkpoint);
  const other = at('other.safetensors');
  symlinkSync(checkpoint, other);
  for (const [from, to] of [
    [run, checkpoint],
    [other, checkpoint],
    [checkpoint, other],
  ] as const) {
    const { exitCode, stderr } = await lyrebird('export', from, '--onnx', at('none.onnx'), '--safetensors', to);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/safetensors" holds a checkpoint or a model of this program \(lyrebird-gan/);
  }
  expect(readFileSync(checkpoint).equals(before)).toBe(true);
  expect(existsSync(at('none.onnx'))).toBe(false);
});

it('wants a file for each format', async () => {
  const { exitCode, stderr } = await lyrebird('export', run, '--onnx', at('both'), '--safetensors', at('both'));
  expect(stderr).toContain('is named for both formats');
  expect(exitCode).toBe(1);
});
