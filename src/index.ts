/**
 * Lyrebird as a library: open a device, make an engine, run ops on a tape, build networks and train them.
 *
 *   const gpu = await openGpu();
 *   const engine = new Engine(gpu);
 *   ...
 *   gpu.close();
 */
export { type ResynthesisOptions, resynthesise } from './audio/resynthesis.js';
export { createSpectrogrammer, type SpectrogramOptions } from './audio/spectrogram.js';
export { checkCase, checkHalfCase } from './autograd/check.js';
export { createDraws, type Draws } from './autograd/draws.js';
export type { HalfCopies } from './autograd/halves.js';
export { Gradients, Tape } from './autograd/tape.js';
export { createAugmenter, noiseBank } from './data/augment.js';
export { prepareDataset } from './data/dataset.js';
export { createLoader, loadSplit } from './data/loader.js';
export { type Dataset, readDataset } from './data/read.js';
export { type ImageSource, openImages } from './data/store.js';
export { DeviceError } from './device/errors.js';
export { type Gpu, openGpu } from './device/open.js';
export { toOnnx } from './export/network.js';
export { exportedClassifier, exportedGenerator } from './export/networks.js';
export { UserError } from './io/errors.js';
export { readSafetensors, writeSafetensors } from './io/safetensors.js';
export { loadWeights } from './io/weights.js';
export { type Dispatch, Engine } from './kernel/engine.js';
export type { DType, Shape, Tensor } from './memory/tensor.js';
export { frechetDistance } from './metrics/frechet.js';
export { neighbourSearch } from './metrics/gpuNeighbours.js';
export { kernelDistance } from './metrics/kid.js';
export { overlapOf } from './metrics/overlap.js';
export { toPoints } from './metrics/points.js';
export type { ClassifierOptions } from './models/classifier.js';
export { type ClassifierName, classifiers } from './models/classifiers.js';
export { Discriminator, type DiscriminatorConfig } from './models/discriminator.js';
export { Generator, type GeneratorConfig } from './models/generator.js';
export { CBAM } from './nn/cbam.js';
export { ConditionalBatchNorm } from './nn/conditionalBatchNorm.js';
export { DynamicConv2d, DynamicLinear } from './nn/dynamicConv2d.js';
export { BatchNorm, Conv2d, ConvTranspose2d, Dropout, Embedding, Linear } from './nn/layers.js';
export { Layer, Module } from './nn/module.js';
export { Network, type State } from './nn/network.js';
export { SpectralNorm } from './nn/spectralNorm.js';
export { defineOp, type Op } from './ops/define.js';
export { opByName, ops } from './ops/index.js';
export { clipGradients } from './optim/clip.js';
export { updateEma } from './optim/ema.js';
export { createLossScale, type LossScale } from './optim/lossScale.js';
export { createOptimizer, type Optimizer } from './optim/optimizer.js';
export { readCheckpoint } from './train/checkpoint.js';
export { trainClassifier } from './train/classifier.js';
export { presetConfig, type TrainConfig } from './train/config.js';
export { createGan } from './train/gan.js';
export { createGanStep, type GanBatch } from './train/ganStep.js';
export { measureQuality } from './train/quality.js';
export { generateImages } from './train/sample.js';
export { trainGan } from './train/trainer.js';
