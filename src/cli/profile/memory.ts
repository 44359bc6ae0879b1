/** The memory that training steps take, batch by batch, with and without checkpoints, as a table. */
import type { Gpu } from '../../device/open.js';
import type { TrainConfig } from '../../train/config.js';
import { type LargestBatch, largestBatch, type StepMemory, stepMemory } from '../../train/memory.js';
import { formatTable } from '../table.js';

/** What one way of training takes. */
interface Way {
  /** In the order of the batches. */
  readonly steps: readonly StepMemory[];
  readonly largest?: LargestBatch;
}

/** Bytes. */
export interface MemoryProfile {
  readonly batches: readonly number[];
  readonly within?: number;
  readonly keeping: Way;
  /** With --checkpoint-activations. */
  readonly checkpointing: Way;
}

/** Dry runs: of each batch, and of as many as it takes to find the largest whose buffers fit into `within` bytes. */
export function profileMemory(
  gpu: Gpu,
  config: TrainConfig,
  classes: number,
  batches: readonly number[],
  within?: number,
): MemoryProfile {
  const way = (checkpointActivations: boolean): Way => {
    const memoryOf = stepMemory(gpu, { ...config, checkpointActivations }, classes);
    return {
      steps: batches.map(memoryOf),
      ...(within !== undefined && { largest: largestBatch(memoryOf, within) }),
    };
  };
  return { batches, ...(within !== undefined && { within }), keeping: way(false), checkpointing: way(true) };
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

export function formatMemory({ batches, within, keeping, checkpointing }: MemoryProfile): string {
  const cells = ({ tensors, buffers }: StepMemory): string[] => [mebibytes(tensors), mebibytes(buffers)];
  const rows = batches.map((batch, i) => [
    String(batch),
    ...cells(keeping.steps[i]!),
    ...cells(checkpointing.steps[i]!),
  ]);
  const header = ['batch', 'tensors', 'buffers', 'tensors, checkpoints', 'buffers, checkpoints'];
  const { networks } = keeping.steps[0]!;
  return [
    `MiB of all tensors when they are most, and of the buffers that hold them; ${mebibytes(networks)} of each are networks and optimisers`,
    formatTable(header, rows, ['right', 'right', 'right', 'right', 'right']),
    ...(within === undefined
      ? []
      : [
          `largest batch in buffers of ${mebibytes(within)} MiB:`,
          `  ${describe(keeping.largest!)}`,
          `  ${describe(checkpointing.largest!)} with --checkpoint-activations`,
        ]),
  ].join('\n');
}

const describe = ({ batch, refusal }: LargestBatch): string =>
  refusal === undefined ? String(batch) : `${batch} (of ${batch + 1}: ${refusal})`;
