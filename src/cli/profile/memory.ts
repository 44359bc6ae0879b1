/** The memory that training steps take, batch by batch, with and without checkpoints, as a table. */
import type { Engine } from '../../kernel/engine.js';
import type { TrainConfig } from '../../train/config.js';
import { type LargestBatch, largestBatch, type StepMemory, stepMemory } from '../../train/memory.js';
import { formatTable } from '../table.js';

/** What one way of training takes. */
interface Way {
  /** In the order of the batches. */
  readonly steps: readonly StepMemory[];
  readonly largest?: LargestBatch;
  /** Where the adapter refuses a larger one: the largest that an adapter would hold whose bindings have no end. */
  readonly unbound?: number;
}

/** Above every buffer. */
const NO_END = 2 ** 53;

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
  e: Engine,
  config: TrainConfig,
  classes: number,
  batches: readonly number[],
  within?: number,
): MemoryProfile {
  const way = (checkpointActivations: boolean): Way => {
    const chosen = { ...config, checkpointActivations };
    const memoryOf = stepMemory(e, chosen, classes);
    const steps = batches.map(memoryOf);
    if (within === undefined) return { steps };
    const largest = largestBatch(memoryOf, within);
    if (largest.refusal === undefined) return { steps, largest };
    const freely = stepMemory(e, chosen, classes, { bindingBytes: NO_END });
    return { steps, largest, unbound: largestBatch(freely, within).batch };
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
    ...(within === undefined ? [] : largestLines(within, keeping, checkpointing)),
  ].join('\n');
}

function largestLines(within: number, keeping: Way, checkpointing: Way): string[] {
  const [kept, computed] = [keeping.largest!, checkpointing.largest!];
  const refusal = kept.refusal ?? computed.refusal;
  const freely = [keeping.unbound ?? kept.batch, checkpointing.unbound ?? computed.batch] as const;
  return [
    `largest batch in buffers of ${mebibytes(within)} MiB: ${kept.batch}, with checkpoints ${computed.batch}`,
    ...(refusal === undefined ? [] : [`  more is refused: ${refusal}`]),
    ...(freely[0] > kept.batch || freely[1] > computed.batch
      ? [`  where an adapter binds all of a tensor at once: ${freely[0]}, with checkpoints ${freely[1]}`]
      : []),
  ];
}
