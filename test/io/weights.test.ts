/** Initial weights from files: torchvision's, of other channels and classes, into static and dynamic networks. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { type WritableTensor, writeSafetensors } from '../../src/io/safetensors.js';
import { loadWeights } from '../../src/io/weights.js';
import { Engine } from '../../src/kernel/engine.js';
import type { ClassifierOptions } from '../../src/models/classifier.js';
import { ResNet18 } from '../../src/models/resnet18.js';
import { VGG16 } from '../../src/models/vgg16.js';
import { Network, type State } from '../../src/nn/network.js';
import { normal } from '../../src/reference/random.js';
import { temporaryFolder } from '../temporary.js';

let gpu: Gpu;
let e: Engine;
const folder = temporaryFolder();
const file = path.join(folder, 'resnet18.safetensors');
const options: ClassifierOptions = { classes: 10, width: 1 / 16 };
let original: Network<ResNet18>;

const write = (state: State, more: [string, WritableTensor][] = [], to = file): void => {
  const tensors = [...state].map(([name, values]) => [name, { dtype: 'F32', ...values }] as [string, WritableTensor]);
  writeFileSync(to, writeSafetensors(new Map([...tensors, ...more])));
};

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
  original = new Network(e, new ResNet18(options), 1);
  // A state_dict counts batches, too.
  const batches: WritableTensor = { dtype: 'I64', shape: [], data: Float64Array.of(3) };
  write(await original.state(), [['bn1.num_batches_tracked', batches]]);
});
afterAll(() => gpu?.close());

const network = (other: Partial<ClassifierOptions>) => new Network(e, new ResNet18({ ...options, ...other }), 2);

const logits = async (of: Network<ResNet18>, channels: number): Promise<Float32Array> => {
  const grey = Float32Array.from(normal(1, 1, 20 * 20));
  const images = Float32Array.from({ length: channels * 400 }, (_, i) => grey[i % 400]!);
  return e.read(of.module.eval().forward(new Tape(e), e.upload(images, [1, channels, 20, 20])));
};

it('loads a state_dict as it is', async () => {
  const same = network({});
  expect(await loadWeights(file, same)).toEqual([]);
  expect(await same.state()).toEqual(await original.state());
});

it('makes the first convolution fit other channels: grey images give the same', async () => {
  const grey = network({ channels: 1 });
  expect(await loadWeights(file, grey)).toEqual(['The first convolution, for 3 channels, was made to fit 1.']);
  const [expected, actual] = [await logits(original, 3), await logits(grey, 1)];
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  const back = path.join(folder, 'grey.safetensors');
  write(await grey.state(), [], back);
  const coloured = network({});
  expect(await loadWeights(back, coloured)).toHaveLength(1);
  for (const [i, value] of (await logits(coloured, 3)).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
});

it('leaves the last layer for other classes as it begins, and says so', async () => {
  const other = network({ classes: 4 });
  const before = await other.state();
  expect(await loadWeights(file, other)).toEqual(['The last layer, for 10 classes, begins at random for 4.']);
  const after = await other.state();
  expect(after.get('fc.weight')).toEqual(before.get('fc.weight'));
  expect(after.get('layer4.1.bn2.weight')).toEqual((await original.state()).get('layer4.1.bn2.weight'));
});

it('gives dynamic layers the static weights', async () => {
  const dynamic = network({ dynamic: true, dynamicHead: true });
  const [note, ...others] = await loadWeights(file, dynamic);
  expect(others).toEqual([]);
  expect(note).toMatch(/^\d+ tensors that the file does not have begin at random\.$/);
  const [from, to] = [await original.state(), await dynamic.state()];
  expect(to.get('layer2.0.conv1.conv.weight')).toEqual(from.get('layer2.0.conv1.weight'));
  expect(to.get('fc.pixel.conv.weight')!.data).toEqual(from.get('fc.weight')!.data);
  expect(to.get('fc.pixel.p.bias')).toEqual(from.get('fc.bias'));
});

it('refuses weights of another width, or of another network, by name', async () => {
  await expect(loadWeights(file, network({ width: 1 / 8 }))).rejects.toThrow(
    /resnet18.safetensors": the tensor conv1.weight has the shape \[4, 3, 7, 7\], the network's has \[8, 3, 7, 7\]\. .*another width/,
  );
  const vgg = new Network(e, new VGG16({ classes: 10, width: 1 / 64 }), 1);
  await expect(loadWeights(file, vgg)).rejects.toThrow(
    /has conv1.weight, which this network lacks\. .*another network/,
  );
});
