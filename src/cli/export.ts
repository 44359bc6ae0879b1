/** lyrebird export MODEL: a trained network for other programs. */
import path from 'node:path';
import type { Command } from 'commander';
import { type Exported, toOnnx } from '../export/network.js';
import { exportedGenerator } from '../export/networks.js';
import { describe, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { type WritableTensor, writeSafetensors } from '../io/safetensors.js';
import { type Checkpoint, generatorState } from '../train/checkpoint.js';
import { generatorConfig } from '../train/config.js';
import { type CheckpointFlags, checkpointOptions, chosenCheckpoint } from './checkpoint.js';
import { version } from './version.js';

/** A file's name; true: the default one. */
type Target = string | true;

interface ExportFlags extends CheckpointFlags {
  readonly onnx?: Target;
  readonly safetensors?: Target;
}

export function register(program: Command): void {
  checkpointOptions(program.command('export'))
    .usage('<model> --onnx [file] [options]')
    .description(
      "Writes a run's generator in the formats of other programs. ONNX (opset 17) takes noise [N, latent], normal values, and " +
        'labels [N], int64, and gives images [N, channels, size, size] from -1 to 1. safetensors holds the weights under the ' +
        "names of a PyTorch state_dict. Either has the classes, in the order of their numbers, and the run's config in its metadata.",
    )
    .argument('<model>', "a run's folder, or a checkpoint file")
    .option('--onnx [file]', 'an ONNX model (default: generator.onnx in the folder of the model)')
    .option('--safetensors [file]', 'its weights (default: generator.safetensors in the folder of the model)')
    .action(async (model: string, flags: ExportFlags) => {
      if (!flags.onnx && !flags.safetensors) {
        throw new UserError('Say in which format: --onnx, --safetensors, or both.');
      }
      const checkpoint = await chosenCheckpoint(model, flags);
      const network = generatorOf(checkpoint, flags);
      const folder = model.endsWith('.safetensors') ? path.dirname(model) : model;
      const write = async (target: Target | undefined, extension: string, data: () => Uint8Array): Promise<void> => {
        if (!target) return;
        const file = target === true ? path.join(folder, `${network.name}.${extension}`) : target;
        if (path.resolve(file) === path.resolve(checkpoint.file)) {
          throw new UserError(`"${file}" is the checkpoint itself: choose another name.`);
        }
        const bytes = data();
        await writeAtomically(file, bytes);
        console.log(`${file}: ${network.name} of step ${checkpoint.step}, ${(bytes.length / 1e6).toFixed(1)} MB`);
      };
      await write(flags.onnx, 'onnx', () => fitting(checkpoint.file, () => toOnnx(network)));
      await write(flags.safetensors, 'safetensors', () => weightsFile(network));
    });
}

function generatorOf(checkpoint: Checkpoint, { weights }: ExportFlags): Exported {
  const { config, classes, step, synthetic } = checkpoint;
  return exportedGenerator(generatorConfig(config, classes.length), generatorState(checkpoint, weights), {
    program: `lyrebird ${version}`,
    classes: JSON.stringify(classes),
    step: String(step),
    trainedOnSynthesisedRecordings: String(synthetic),
    config: JSON.stringify(config),
  });
}

const weightsFile = ({ state, metadata }: Exported): Uint8Array =>
  writeSafetensors(
    new Map<string, WritableTensor>([...state].map(([name, values]) => [name, { dtype: 'F32', ...values }])),
    metadata,
  );

/** What goes wrong with a network that a file describes is the file's fault. */
function fitting<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new UserError(`"${file}" cannot be exported: ${describe(error)}.`, { cause: error });
  }
}
