/** The two forms of a dynamic convolution in evaluation: features, and a kernel for each image. */
import { Tape } from '../autograd/tape.js';
import { formatShape, type Shape, sizeOf } from '../memory/tensor.js';
import { DynamicConv2d } from '../nn/dynamicConv2d.js';
import { Network } from '../nn/network.js';
import { normal } from '../reference/random.js';
import type { Benchmark } from './benchmark.js';

/** A 3 x 3 convolution of x with as many channels after as before. */
export const dynamicBenchmark = (shape: Shape): Benchmark => ({
  name: `dynamic_conv2d x ${formatShape(shape)}`,
  prepare(e) {
    const channels = shape[1]!;
    const network = new Network(e, new DynamicConv2d(channels, channels, 3, { padding: 1 }), 1);
    const layer = network.module.eval();
    const x = e.upload(Float32Array.from(normal(1, 0, sizeOf(shape))), shape);
    return {
      passes: [
        { name: 'forward', run: () => e.scope(() => void layer.forward(new Tape(e), x)) },
        { name: 'forward, folded', run: () => e.scope(() => void layer.forwardFolded(new Tape(e), x)) },
      ],
      release() {
        network.destroy();
        e.release(x);
      },
    };
  },
});
