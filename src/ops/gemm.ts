/** Runs a kernel that is built on a GEMM core: picks the core, splits the sum where that keeps the device busy, adds the parts. */
import { type GemmShape, gemmPlan } from '../kernel/choose.js';
import { type Engine, gridFor } from '../kernel/engine.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { type ActivationAttrs, activationCode, slopeOf } from './activation.js';

export interface GemmRun {
  /** The operand file: kernels/<file>.wgsl. */
  readonly file: string;
  readonly shape: GemmShape;
  /** Bindings before the output; the bias is among them if the kernel has one. */
  readonly operands: readonly Tensor[];
  readonly output: Tensor;
  /** What the operand file needs beyond rows, columns, splits, split_size and slope. */
  readonly params: Readonly<Record<string, number>>;
  /** Added per channel: element i of the output gets bias[(i / stride) mod channels]. */
  readonly bias?: { readonly tensor: Tensor; readonly stride: number } | undefined;
  /** Undefined for kernels that end without bias and activation. */
  readonly epilogue?: ActivationAttrs;
}

export function runGemm(e: Engine, run: GemmRun): void {
  const { rows, columns, items, terms } = run.shape;
  const plan = gemmPlan(e.capabilities, run.shape);
  const split = plan.splits > 1;
  const size = sizeOf(run.output.shape);
  const target = split ? e.empty([plan.splits, size]) : run.output;
  const epilogue = run.epilogue && {
    BIAS: !split && run.bias !== undefined,
    ACTIVATION: split ? 0 : activationCode(run.epilogue),
  };
  const rowTiles = Math.ceil(rows / plan.tile[0]);
  // One row of tiles may pass WebGPU's limit of workgroups a dimension: then it goes on in further folds of y.
  const [columnTiles, folds] = gridFor(Math.ceil(columns / plan.tile[1]), 1);
  e.dispatch({
    file: run.file,
    uses: ['lib/gemm_index', plan.core, ...(run.epilogue ? ['lib/activation'] : [])],
    enable: plan.enable,
    constants: { ...plan.constants, ...epilogue },
    tensors: [...run.operands, target],
    params: {
      ...run.params,
      rows,
      columns,
      splits: plan.splits,
      row_tiles: rowTiles,
      split_size: size,
      slope: run.epilogue ? slopeOf(run.epilogue) : 0,
    },
    grid: [columnTiles, rowTiles * folds, items * plan.splits],
    flops: 2 * rows * columns * items * terms,
  });
  if (!split) return;
  const bias = run.bias;
  e.dispatch({
    file: 'split_sum',
    uses: ['lib/activation'],
    constants: { BIAS: bias !== undefined, ACTIVATION: activationCode(run.epilogue ?? {}) },
    tensors: [target, bias?.tensor ?? target, run.output],
    params: {
      size,
      splits: plan.splits,
      channels: bias ? sizeOf(bias.tensor.shape) : 1,
      bias_stride: bias?.stride ?? 1,
      slope: slopeOf(run.epilogue ?? {}),
    },
    grid: gridFor(size, 64),
  });
  e.release(target);
}
