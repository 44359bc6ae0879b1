/** Runs a kernel that is built on a GEMM core: picks the core, splits the sum where that keeps the device busy, adds the parts. */
import { type GemmPlan, gemmCandidates } from '../kernel/choose/gemm.js';
import type { GemmShape } from '../kernel/choose/tiling.js';
import { type Engine, gridFor, type Work } from '../kernel/engine.js';
import { elements } from '../kernel/source.js';
import { SCRATCH_WIDTH_LOG2 } from '../memory/scratch.js';
import { sizeOf, type Tensor } from '../memory/tensor.js';
import { type ActivationAttrs, activationCode, slopeOf } from './activation.js';

export interface GemmRun {
  /** The operand file: kernels/<file>.wgsl. */
  readonly file: string;
  /** Library files that it uses besides those of the core. */
  readonly uses?: readonly string[];
  /** Says what is computed, with all that the speed depends on: the file's name and every size. */
  readonly name: string;
  readonly shape: GemmShape;
  /** The same product on packed operands, where there is such a form. */
  readonly packed?: PackedForm | undefined;
  /** Two: bindings before the bias, if the kernel has one, and the output. The kernel calls their types FIRST and SECOND. */
  readonly operands: readonly Tensor[];
  readonly output: Tensor;
  /** What the operand file needs beyond rows, columns, splits, row_tiles, split_size and slope. */
  readonly params: Readonly<Record<string, number>>;
  /** Undefined for kernels that end without bias and activation. */
  readonly epilogue?: Epilogue;
}

/** A product on operands in the scratch texture (src/memory/scratch.ts): its rows and items are those of the product. */
export interface PackedForm {
  /** The operand file, whose first binding is the bias, if it has one. */
  readonly file: string;
  readonly uses?: readonly string[];
  readonly constants: Readonly<Record<string, boolean>>;
  /** Columns with those that fill up texels, and steps of four terms each. */
  readonly columns: number;
  readonly steps: number;
  /** Texels that the packed operands take. */
  readonly texels: number;
  readonly params: Readonly<Record<string, number>>;
  /** Packs the product's operands. `kept`: the scratch texture still holds what was packed before. */
  pack(e: Engine, operands: readonly Tensor[], kept: boolean): void;
}

/** What a product ends with. */
export interface Epilogue extends ActivationAttrs {
  readonly bias?: Tensor | undefined;
  /** Element i of the output gets bias[(i / biasStride) mod channels]. Default 1. */
  readonly biasStride?: number;
}

/** A core's files. */
const CORES: Readonly<Record<GemmPlan['core'], readonly string[]>> = {
  broadcast: ['lib/terms_1', 'lib/gemm_broadcast'],
  packed: ['lib/terms_4', 'lib/gemm_broadcast'],
  packed_alone: ['lib/terms_4', 'lib/gemm_packed_alone'],
  registers: ['lib/gemm_registers'],
  strip: ['lib/workgroup_sum', 'lib/gemm_strip'],
  shared: ['lib/gemm_staging', 'lib/gemm_shared'],
  matrix: ['lib/gemm_staging', 'lib/gemm_matrix', 'lib/subgroup_matrix'],
};

/** A product as a work, to be performed by one of the plans for its shape. */
export function gemmWork(run: GemmRun): Work<GemmPlan> {
  const tensors = [...run.operands, ...(run.epilogue?.bias ? [run.epilogue.bias] : []), run.output];
  const types = tensors.map(({ dtype }) => dtype);
  const shape = { ...run.shape, halves: run.operands.every(({ dtype }) => dtype === 'f16') };
  return {
    name: types.includes('f16') ? `${run.name}, ${types.join(' ')}` : run.name,
    tensors,
    candidates: (device, most) => gemmCandidates(device, shape, run.packed, most),
    run: (e, plan, given) => runGemm(e, plan, rebound(run, given)),
  };
}

/** The same product of other tensors: those of `gemmWork`, in its order. */
function rebound(run: GemmRun, tensors: readonly Tensor[]): GemmRun {
  const operands = tensors.slice(0, run.operands.length);
  const epilogue = run.epilogue?.bias ? { ...run.epilogue, bias: tensors.at(-2)! } : run.epilogue;
  return { ...run, operands, output: tensors.at(-1)!, ...(epilogue && { epilogue }) };
}

function runGemm(e: Engine, plan: GemmPlan, run: GemmRun): void {
  const { rows, items, terms } = run.shape;
  const { epilogue } = run;
  const packed = plan.core.startsWith('packed') ? run.packed : undefined;
  const columns = packed?.columns ?? run.shape.columns;
  const split = plan.splits > 1;
  const size = sizeOf(run.output.shape);
  const target = split ? e.empty([plan.splits, size]) : run.output;
  const [first, second] = run.operands as [Tensor, Tensor];
  // A kernel with an epilogue binds a bias always; the weight, in its place, takes the fewest bindings (kernel/windows.ts).
  const third = epilogue?.bias ?? second;
  const rowTiles = Math.ceil(rows / plan.tile[0]);
  // One row of tiles may pass WebGPU's limit of workgroups a dimension: then it goes on in further folds of y.
  const [columnTiles, folds] = gridFor(Math.ceil(columns / plan.tile[1]), 1);
  if (packed) {
    const kept = e.reserveScratch(packed.texels);
    packed.pack(e, run.operands, kept);
  }
  e.dispatch({
    file: packed?.file ?? run.file,
    uses: [
      'lib/gemm_index',
      ...CORES[plan.core],
      ...((packed ?? run).uses ?? []),
      ...(packed ? ['lib/packed'] : []),
      ...(epilogue ? ['lib/activation'] : []),
    ],
    constants: {
      ...elements({ FIRST: first, SECOND: second, THIRD: third, RESULT: target }),
      ...plan.constants,
      ...(packed && { ...packed.constants, SCRATCH_WIDTH: 2 ** SCRATCH_WIDTH_LOG2 }),
      ...(epilogue && {
        BIAS: !split && epilogue.bias !== undefined,
        ACTIVATION: split ? 0 : activationCode(epilogue),
      }),
    },
    tensors: [...(packed ? [] : run.operands), ...(epilogue ? [third] : []), target],
    params: {
      ...(packed?.params ?? run.params),
      rows,
      columns,
      splits: plan.splits,
      row_tiles: rowTiles,
      split_size: size,
      slope: slopeOf(epilogue ?? {}),
    },
    grid: [columnTiles, rowTiles * folds, items * plan.splits],
    flops: 2 * rows * run.shape.columns * items * terms,
  });
  if (!split) return;
  addParts(e, target, run.output, epilogue);
  e.release(target);
}

/** y = the sum of parts [splits, size of y] in fixed order, with what a product ends with. */
function addParts(e: Engine, parts: Tensor, y: Tensor, epilogue: Epilogue = {}): void {
  const { bias, biasStride = 1 } = epilogue;
  const size = sizeOf(y.shape);
  e.dispatch({
    file: 'split_sum',
    uses: ['lib/activation'],
    constants: {
      ...elements({ Y: y, BIASES: bias ?? parts }),
      BIAS: bias !== undefined,
      ACTIVATION: activationCode(epilogue),
    },
    tensors: [parts, bias ?? parts, y],
    params: {
      size,
      splits: parts.shape[0]!,
      channels: bias ? sizeOf(bias.shape) : 1,
      bias_stride: biasStride,
      slope: slopeOf(epilogue),
    },
    grid: gridFor(size, 64),
  });
}
