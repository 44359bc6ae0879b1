/**
 * The cores for GPUs, which no CPU adapter chooses: computed here all the same, in tiles that a CPU's driver compiles in no time,
 * of every form that the large ones have. Subgroup matrices are emulated, but for adapters that have them.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/autograd/check.js';
import { type Gpu, openGpu } from '../../src/device/open.js';
import type { GemmPlan } from '../../src/kernel/choose/gemm.js';
import { BASE, capabilities, type MatrixUnit, type Plan } from '../../src/kernel/choose.js';
import { Engine, type Work } from '../../src/kernel/engine.js';
import { conv2d } from '../../src/ops/conv2d.js';
import type { Case, Op } from '../../src/ops/define.js';
import { linear, matmul } from '../../src/ops/matmul.js';
import { sumOver } from '../../src/ops/reduce.js';
import { checkOp, comparePlans, inputsOf, PRODUCTS, result, worksOfCases } from './plans.js';

let gpu: Gpu;

beforeAll(async () => {
  gpu = await openGpu();
});

afterAll(() => gpu?.close());

const FORMS = [
  [1, 1],
  [2, 2],
  [1, 2],
  [2, 1],
] as const;

/** Of the shared core: groups of rows and of columns in turns, with one stage and with two. */
function smallShared(plan: GemmPlan, turn: number): GemmPlan {
  const [ROW_GROUPS, COLUMN_GROUPS] = FORMS[turn % 4]!;
  const [TILE_ROWS, TILE_COLUMNS] = [16 * ROW_GROUPS, 8 * COLUMN_GROUPS];
  const STAGES = 1 + (Math.floor(turn / 4) % 2);
  const constants = { ...plan.constants, TILE_ROWS, TILE_COLUMNS, ROW_GROUPS, COLUMN_GROUPS, K_STEP: 4, STAGES };
  return { ...plan, constants, tile: [TILE_ROWS, TILE_COLUMNS] };
}

/** Of the matrix core: subgroups down and across, and matrices of each, in turns, with one stage and with two. */
function smallMatrices(plan: GemmPlan, turn: number, { M, N, K, lanes }: MatrixUnit): GemmPlan {
  const [DOWN, ACROSS] = FORMS[turn % 4]!;
  const [rows, columns] = [FORMS[0], FORMS[2], FORMS[3]][turn % 3]!;
  const [TILE_ROWS, TILE_COLUMNS] = [DOWN * rows * M, ACROSS * columns * N];
  const K_STEP = Math.min(2 * K, lanes);
  const constants = { ...plan.constants, TILE_ROWS, TILE_COLUMNS, DOWN, ACROSS, K_STEP, STAGES: 1 + (turn % 2) };
  return { ...plan, constants, tile: [TILE_ROWS, TILE_COLUMNS], splits: turn % 2 === 1 ? 2 : 1 };
}

/** Does products as a GPU does, each work always in the same form. */
class SmallTiles extends Engine {
  private readonly turns = new Map<string, number>();

  override perform<P extends Plan>(work: Work<P>): void {
    const plan: Plan & Partial<GemmPlan> = work.candidates(this.capabilities)[0]!;
    const turn = this.turns.get(work.name) ?? this.turns.size;
    this.turns.set(work.name, turn);
    const small = plan.core === 'shared' ? smallShared(plan as GemmPlan, turn) : plan;
    work.run(this, small as P, work.tensors);
  }
}

describe('tiles in workgroup memory', () => {
  it.each(PRODUCTS)('%s in small ones is what the oracle says', (_op, op) => checkOp(new SmallTiles(gpu, BASE), op));

  it.for([16384, 32768])(
    'a product in every one that a GPU with %i bytes a workgroup may choose',
    async (workgroupBytes, { skip }) => {
      if (gpu.limits.maxComputeWorkgroupStorageSize < workgroupBytes) return skip(`${gpu.info.name} has less`);
      const test = {
        shapes: [
          [150, 21],
          [21, 140],
        ],
        attrs: {},
      };
      const e = new Engine(gpu, { ...BASE, workgroupBytes });
      await comparePlans(e, matmul as unknown as Op, [test], 'f32', 2e-5);
    },
  );
});

const EMULATION = new URL('emulated_subgroup_matrix.wgsl', import.meta.url);

/** Smaller than those of GPUs, and such that no two sides can be mistaken for one another. */
const EMULATED = [
  { M: 8, N: 8, K: 8 },
  { M: 4, N: 8, K: 4 },
  { M: 8, N: 4, K: 8 },
];

/** A case that is strided and padded, and one that fills several tiles, both with bias; and in which turn each begins. */
const SAMPLE = [
  ['conv2d', conv2d as unknown as Op, conv2d.cases[1]!, 0],
  ['linear', linear as unknown as Op, linear.cases[1]!, 3],
] as const;

describe('subgroup matrices', () => {
  it.for(SAMPLE)('%s of f16, emulated', async ([, op, test, first], { skip }) => {
    const { name, subgroupMin, subgroupMax } = gpu.info;
    if (!gpu.features.has('shader-f16')) return skip(`${name} has no shader-f16`);
    if (subgroupMin !== subgroupMax) return skip(`${name} has subgroups of several sizes`);
    const readKernel = (file: string): string => {
      if (file === 'lib/subgroup_matrix.wgsl') return readFileSync(EMULATION, 'utf8');
      const text = gpu.readKernel(file);
      // main begins by telling the emulation its lane.
      return file === 'lib/gemm_matrix.wgsl' ? text.replace('\n) {', '\n) {\n  own_lane = lane;') : text;
    };
    const units = EMULATED.map((unit) => ({ ...unit, lanes: subgroupMin }));
    await compareMatrices(new Engine({ ...gpu, readKernel }), units, op, test, first);
  });

  it.for(SAMPLE)('%s of f16, by the adapter', async ([, op, test, first], { skip }) => {
    const { matrix } = capabilities(gpu);
    if (!matrix) return skip(`${gpu.info.name} has none`);
    await compareMatrices(new Engine(gpu), [matrix], op, test, first);
  });
});

/** Does every product of a case by subgroup matrices, of the units in turns, and compares with the same in f32. */
async function compareMatrices(
  e: Engine,
  units: readonly MatrixUnit[],
  op: Op,
  test: Case<object>,
  first: number,
): Promise<void> {
  for (const [i, work] of worksOfCases(e, op, [test], 'f16').entries()) {
    const turn = first + i;
    const unit = units[turn % units.length]!;
    const plans = work.candidates({ ...BASE, f16: true, matrix: unit }) as GemmPlan[];
    const planBy = (core: GemmPlan['core']) => plans.find((plan) => plan.core === core)!;
    const inputs = inputsOf(e, work);
    const expected = await result(e, work, inputs, smallShared(planBy('shared'), 0));
    const plan = smallMatrices(planBy('matrix'), turn, unit);
    const values = await result(e, work, inputs, plan);
    const { error, where } = compare(`${work.name}, turn ${turn}`, values, expected, [expected.length]);
    expect(error, where).toBeLessThan(2e-3);
    expect(await result(e, work, inputs, plan), work.name).toEqual(values);
  }
}

it('long sums, which more invocations share there, lose nothing', async () => {
  const e = new Engine(gpu, BASE);
  // Large numbers that cancel, and ones that would be lost beside them.
  const values = Float32Array.from({ length: 2 * 9000 }, (_, i) => (i % 3 === 0 ? 1 : i % 3 === 1 ? 3e7 : -3e7));
  const sums = await e.read(e.scope(() => sumOver(e, e.upload(values, [2, 9000]), { dims: [1] }, 1)));
  expect([...sums]).toEqual([3000, 3000]);
});
