/** The options of verbs that read a checkpoint: which one of the run, and which weights of its generator. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Checkpoint, readCheckpoint, WEIGHTS, type Weights, weightsOf } from '../train/checkpoint.js';
import type { Which } from '../train/checkpointFiles.js';
import { positiveInteger } from './options.js';

export interface CheckpointFlags {
  readonly checkpoint: Which;
  readonly weights?: Weights;
}

export function checkpointOptions(command: Command): Command {
  return command
    .option(
      '--checkpoint <which>',
      "of the run: last, best (by the distance in its log), or a step's number",
      which,
      'last',
    )
    .addOption(
      new Option(
        '--weights <kind>',
        'of the generator: ema, averaged over steps (default, where there are such), or plain, as of that step',
      ).choices(WEIGHTS),
    );
}

function which(text: string): Which {
  if (text === 'last' || text === 'best') return text;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError('Give last, best, or the number of a step.');
  }
}

/** Reads the checkpoint that is meant. Throws a UserError if it is not there, or lacks the weights asked for. */
export async function chosenCheckpoint(run: string, flags: CheckpointFlags): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(run, flags.checkpoint);
  weightsOf(checkpoint, flags.weights);
  return checkpoint;
}
