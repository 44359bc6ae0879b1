/** Losses and their gradients against the float64 oracle, of every objective. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gradients, Tape } from '../../src/autograd/tape.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import { Engine } from '../../src/kernel/engine.js';
import { type Array64, discriminatorLoss, generatorLoss, gradient, make } from '../../src/reference/index.js';
import { normal } from '../../src/reference/random.js';
import { ADVERSARIAL, CLASS_HEADS, createObjective, type GanObjective, type Loss } from '../../src/train/objective.js';

const N = 5;
const K = 3;
const REAL = Int32Array.of(0, 2, 1, 1, 0);
const GENERATED = Int32Array.of(2, 1, 0, 2, 1);

const OBJECTIVES: readonly GanObjective[] = [
  ...ADVERSARIAL.flatMap((adversarial) =>
    CLASS_HEADS.map((classHead) => ({ adversarial, classHead, classOnFakes: true })),
  ),
  { adversarial: 'bce', realTarget: 0.9, classOnFakes: true },
  { adversarial: 'hinge', classOnFakes: false },
];

let gpu: Gpu;
let e: Engine;

beforeAll(async () => {
  gpu = await openGpu();
  e = new Engine(gpu);
});

afterAll(() => gpu?.close());

const values = (stream: number, shape: number[]): Array64 =>
  make(
    shape,
    normal(
      1,
      stream,
      shape.reduce((a, b) => a * b),
    ).map(Math.fround),
  );

/** Rows of a matrix or vector. */
const rows = ({ data, shape }: Array64, first: number, count: number): Array64 => {
  const width = data.length / shape[0]!;
  return make([count, ...shape.slice(1)], data.slice(first * width, (first + count) * width));
};

const labels = (of: Int32Array): Array64 => make([of.length], Float64Array.from(of));

/** The losses' weighted sum and its gradients by the logits, as a step takes them. */
async function onGpu(
  logits: Array64,
  classes: Array64,
  lossesOf: (tape: Tape, logits: ReturnType<Engine['upload']>, classes: ReturnType<Engine['upload']>) => Loss[],
) {
  const [a, b] = [logits, classes].map(({ data, shape }) => e.upload(Float32Array.from(data), shape));
  const gradients = new Gradients([a!, b!]);
  const tape = new Tape(e, gradients);
  const losses = lossesOf(tape, a!, b!);
  tape.backwardAll(losses.map(({ value, weight }) => [value, e.upload(Float32Array.of(weight), [])]));
  let total = 0;
  for (const { value, weight } of losses) total += weight * (await e.read(value))[0]!;
  return { total, gradients: [await e.read(gradients.of(a!)!), await e.read(gradients.of(b!)!)] };
}

function expectGradients(actual: Float32Array[], inputs: Array64[], loss: () => number): void {
  inputs.forEach((input, i) => {
    const { data } = input;
    const expected = gradient((moved) => {
      input.data = moved;
      const value = loss();
      input.data = data;
      return value;
    }, data);
    actual[i]!.forEach((value, j) => {
      expect(value, `${i}[${j}]`).toBeCloseTo(expected[j]!, 5);
    });
  });
}

describe.each(OBJECTIVES.map((objective) => [JSON.stringify(objective), objective] as const))('%s', (_, objective) => {
  const outputs = objective.classHead === 'adc' ? 2 * K : K;

  it("has the oracle's loss of D, and its gradients", async () => {
    const { source, classes } = createObjective(e, objective, N, K);
    const [judged, named] = [values(0, [2 * N]), values(1, [2 * N, outputs])];
    const targets = classes.targets(REAL, GENERATED);
    const { total, gradients } = await onGpu(judged, named, (tape, a, b) => [
      source.discriminator(tape, a),
      classes.discriminator(tape, b, e.upload(targets, [targets.length])),
    ]);
    const oracle = (): number => {
      const halves = [0, N].map((first, i) => [
        rows(judged, first, N),
        rows(named, first, N),
        labels(i === 0 ? REAL : GENERATED),
      ]);
      return discriminatorLoss(halves.flat(), objective).loss.data[0]!;
    };
    expect(total).toBeCloseTo(oracle(), 5);
    expectGradients(gradients, [judged, named], oracle);
    source.destroy();
  });

  it("has the oracle's loss of G, and its gradients", async () => {
    const { source, classes } = createObjective(e, objective, N, K);
    const [judged, named] = [values(2, [N]), values(3, [N, outputs])];
    const foils = classes.foils?.(GENERATED);
    const { total, gradients } = await onGpu(judged, named, (tape, a, b) => [
      source.generator(tape, a),
      classes.generator(tape, b, e.upload(GENERATED, [N]), foils && e.upload(foils, [N])),
    ]);
    const oracle = () => generatorLoss([judged, named, labels(GENERATED)], objective).loss.data[0]!;
    expect(total).toBeCloseTo(oracle(), 5);
    expectGradients(gradients, [judged, named], oracle);
    source.destroy();
  });
});
