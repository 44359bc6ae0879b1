/**
 * Lyrebird as one of several libraries that do the same work side by side: matrix products, convolutions, and a small ACGAN.
 *
 * `make(variant, spec)` gives what a harness of peers times: each task has `run` (records one run), `sync` (waits for the
 * GPU) and `read` (the last run's results, in PyTorch's layouts). The harness brings the data: the ACGAN's come from the
 * lib/data.mjs beside the script that was started. Needs `npm run build`.
 */
import { pathToFileURL } from 'node:url';
import { Gradients, Tape } from '../dist/autograd/tape.js';
import { version } from '../dist/cli/version.js';
import { openGpu } from '../dist/device/open.js';
import { Engine } from '../dist/kernel/engine.js';
import { BatchNorm, Conv2d, Embedding, Linear, UpsampleConv2d } from '../dist/nn/layers.js';
import { Module } from '../dist/nn/module.js';
import { Network } from '../dist/nn/network.js';
import { conv2d, convTranspose2d } from '../dist/ops/conv2d.js';
import { add } from '../dist/ops/elementwise.js';
import { matmul } from '../dist/ops/matmul.js';
import { concat, reshape } from '../dist/ops/shape.js';
import { createOptimizer } from '../dist/optim/optimizer.js';
import { createGanStep } from '../dist/train/ganStep.js';

export async function make(_variant, spec) {
  const gpu = await openGpu();
  const e = new Engine(gpu);
  const sync = () => e.sync();
  return {
    name: 'lyrebird',
    version,
    info: gpu.info.driver,
    matmul({ m, k, n }, a, b) {
      const product = forward(e, matmul, [e.upload(a, [m, k]), e.upload(b, [k, n])], {});
      return { run: product.run, sync, read: product.read };
    },
    conv(shape, x, w, dy) {
      const { op, attrs, inputs, y } = convolution(shape);
      const tensors = [e.upload(x, inputs[0]), e.upload(w, inputs[1])];
      const once = forward(e, op, tensors, attrs);
      const both = forwardAndGradients(e, op, tensors, attrs, e.upload(dy, y));
      return {
        fwd: { run: once.run, sync, read: async () => ({ y: await once.read() }) },
        fb: {
          run: both.run,
          sync,
          async read() {
            const [dx, dw] = await both.read();
            return { dx, dw };
          },
        },
      };
    },
    acgan: (config) => acgan(e, config, spec),
  };
}

/** Forward alone. The result of the last run lives until the next one, which gets its memory. */
function forward(e, op, inputs, attrs) {
  const shape = op.shape(
    inputs.map((input) => input.shape),
    attrs,
  );
  let y;
  return {
    run() {
      if (y) e.release(y);
      y = e.scope(() => op.forward(e, inputs, attrs, shape).y);
    },
    read: () => e.read(y),
  };
}

/** Forward, then the gradients of all inputs. */
function forwardAndGradients(e, op, inputs, attrs, gy) {
  const gradients = new Gradients(inputs);
  return {
    run() {
      gradients.clear();
      const tape = new Tape(e, gradients);
      const y = tape.apply(op, inputs, attrs);
      tape.backward(y, gy);
      e.release(y);
    },
    read: async () => [await e.read(gradients.of(inputs[0])), await e.read(gradients.of(inputs[1]))],
  };
}

/** The op, attributes and shapes of `{ type, N, C, H, W, F, k, s, p }`. */
function convolution({ type, N, C, H, W, F, k, s, p }) {
  const transposed = type === 'convT';
  const op = transposed ? convTranspose2d : conv2d;
  const attrs = { stride: [s, s], padding: [p, p] };
  const inputs = [[N, C, H, W], transposed ? [C, F, k, k] : [F, C, k, k]];
  return { op, attrs, inputs, y: op.shape(inputs, attrs) };
}

/** `step(t)` trains both networks on batch t mod 4 and gives their losses [D, G]. */
async function acgan(e, config, spec) {
  const data = await import(new URL('lib/data.mjs', pathToFileURL(process.argv[1])));
  const g = new Network(e, new Generator(config, spec), 0);
  const d = new Network(e, new Discriminator(config, spec), 0);
  await loadParameters(g, 'G', config, data);
  await loadParameters(d, 'D', config, data);
  const { lr, b1, b2, eps } = spec.adam;
  const adam = (network) => createOptimizer(e, 'adam', [network], { lr, beta1: b1, beta2: b2, eps });
  const gan = { g, d, optimizerG: adam(g), optimizerD: adam(d) };
  const { batch, latent } = config;
  const training = createGanStep(e, gan, { adversarial: 'bce', classOnFakes: true }, batch);
  const batches = [0, 1, 2, 3].map((t) => {
    const { real, y, zd, yd, zg, yg } = data.acganBatch(config, t);
    const noise = (z) => e.upload(z, [batch, latent]);
    return { images: real, labels: y, zd: noise(zd), zdLabels: yd, zg: noise(zg), zgLabels: yg };
  });
  return async (t) => {
    const losses = training.run(batches[t % 4]);
    const [sourceD, classD, sourceG, classG] = await e.read(losses);
    e.release(losses);
    return [sourceD + classD, sourceG + classG];
  };
}

/** The given parameters under the network's names: `fc.w` is its `fc.weight`, a batch norm's `.g` its `.weight`. */
async function loadParameters(network, net, config, data) {
  const state = new Map(await network.state());
  for (const [name, parameter] of Object.entries(data.acganParams(config))) {
    if (parameter.net !== net) continue;
    const own = name === 'emb' ? 'emb.weight' : name.replace(/\.[wg]$/, '.weight').replace(/\.b$/, '.bias');
    state.set(own, { shape: parameter.shape, data: data.paramData(config, name, parameter) });
  }
  network.load(state);
}

/** x -> x upsampled, through two convolutions and through one of 1 x 1. */
class Block extends Module {
  constructor(inputs, outputs, eps) {
    super();
    this.bn1 = this.child('bn1', new BatchNorm(inputs, { eps, activation: 'relu' }));
    this.c1 = this.child('c1', new UpsampleConv2d(inputs, outputs, 3));
    this.bn2 = this.child('bn2', new BatchNorm(outputs, { eps, activation: 'relu' }));
    this.c2 = this.child('c2', new Conv2d(outputs, outputs, 3, { padding: 1 }));
    this.sk = this.child('sk', new UpsampleConv2d(inputs, outputs, 1));
  }

  forward(tape, x) {
    const h = this.c1.forward(tape, this.bn1.forward(tape, x));
    return tape.apply(add, [this.c2.forward(tape, this.bn2.forward(tape, h)), this.sk.forward(tape, x)], {});
  }
}

/** z [N, latent] and labels [N] -> images [N, 3, S, S]. */
class Generator extends Module {
  constructor({ latent, embed, classes, gch }, { bnEps }) {
    super();
    this.config = { latent };
    this.emb = this.child('emb', new Embedding(classes, embed));
    this.fc = this.child('fc', new Linear(latent + embed, 16 * gch[0]));
    this.blocks = gch.slice(1).map((outputs, i) => this.child(`g${i}`, new Block(gch[i], outputs, bnEps)));
    this.bn = this.child('gout.bn', new BatchNorm(gch.at(-1), { eps: bnEps, activation: 'relu' }));
    this.out = this.child('gout.c', new Conv2d(gch.at(-1), 3, 3, { padding: 1, activation: 'tanh' }));
    this.channels = gch[0];
  }

  forward(tape, z, labels) {
    const input = tape.apply(concat, [z, this.emb.forward(tape, labels)], { dim: 1 });
    const n = z.shape[0];
    let x = tape.apply(reshape, [this.fc.forward(tape, input)], { shape: [n, this.channels, 4, 4] });
    for (const block of this.blocks) x = block.forward(tape, x);
    return this.out.forward(tape, this.bn.forward(tape, x));
  }
}

/** images [N, 3, S, S] -> whether they are real [N], and the logits of their classes. */
class Discriminator extends Module {
  constructor({ S, classes, dch, dk }, { leaky }) {
    super();
    this.config = { classes, channels: dch[0], size: S };
    this.convs = dch.slice(1).map((outputs, i) => {
      const options = { stride: 2, padding: 1, activation: 'leaky_relu', slope: leaky };
      return this.child(`d${i}`, new Conv2d(dch[i], outputs, dk[i], options));
    });
    this.features = dch.at(-1) * (S / 16) ** 2;
    this.adv = this.child('adv', new Linear(this.features, 1));
    this.cls = this.child('cls', new Linear(this.features, classes));
  }

  forward(tape, images) {
    let x = images;
    for (const conv of this.convs) x = conv.forward(tape, x);
    const n = x.shape[0];
    const flat = tape.apply(reshape, [x], { shape: [n, this.features] });
    const adversarial = tape.apply(reshape, [this.adv.forward(tape, flat)], { shape: [n] });
    return { adversarial, classes: this.cls.forward(tape, flat) };
  }
}
