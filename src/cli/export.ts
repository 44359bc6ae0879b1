/** lyrebird export MODEL: a trained network for other programs. */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { classifierOptions, isClassifier, type Model, readModel } from '../classify/files.js';
import { type Exported, toOnnx } from '../export/network.js';
import { exportedClassifier, exportedGenerator } from '../export/networks.js';
import { describe, UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../io/safetensors.js';
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
      "Writes a run's generator, or a classifier, in the formats of other programs. ONNX (opset 17): a generator takes noise " +
        '[N, latent], normal values, and labels [N], int64, and gives images [N, channels, size, size] from -1 to 1; a classifier takes ' +
        'such images and gives logits [N, classes]. safetensors holds the weights under the names of a PyTorch state_dict. Either ' +
        'has the classes, in the order of their numbers, and the config in its metadata.',
    )
    .argument('<model>', "a run's folder or a checkpoint file, a classifier's folder or its model.safetensors")
    .option('--onnx [file]', 'an ONNX model (default: named after the network, in the folder of the model)')
    .option('--safetensors [file]', 'its weights (default: likewise)')
    .action(async (model: string, flags: ExportFlags, command: Command) => {
      if (!flags.onnx && !flags.safetensors) {
        throw new UserError('Say in which format: --onnx, --safetensors, or both.');
      }
      const classifier = isClassifier(model);
      const others = ['checkpoint', 'weights'].filter((name) => command.getOptionValueSource(name) === 'cli');
      if (classifier && others.length > 0) {
        throw new UserError(
          `"${model}" is a classifier, which has its best weights alone: --${others.join(' and --')} are for runs.`,
        );
      }
      const {
        network,
        file: from,
        what,
      } = classifier ? classifierOf(readModel(model)) : generatorOf(await chosenCheckpoint(model, flags), flags);
      const folder = model.endsWith('.safetensors') ? path.dirname(model) : model;
      const fileOf = (target: Target, extension: string): string =>
        target === true ? path.join(folder, `${network.name}.${extension}`) : target;
      const onnx = flags.onnx && fileOf(flags.onnx, 'onnx');
      const safetensors = flags.safetensors && fileOf(flags.safetensors, 'safetensors');
      checkTargets([onnx, safetensors].filter((file) => file !== undefined));
      const write = async (file: string, bytes: Uint8Array): Promise<void> => {
        await writeAtomically(file, bytes);
        console.log(`${file}: ${what}, ${(bytes.length / 1e6).toFixed(1)} MB`);
      };
      if (onnx)
        await write(
          onnx,
          fitting(from, () => toOnnx(network)),
        );
      if (safetensors) await write(safetensors, weightsFile(network));
    });
}

/** Throws a UserError if one would take the place of the other, or, by whatever path, of a checkpoint or a model. */
function checkTargets(files: readonly string[]): void {
  const [one, other] = files.map((file) => path.resolve(file));
  if (one === other) throw new UserError(`"${files[0]}" is named for both formats: give each a file of its own.`);
  for (const file of files) {
    const format = formatOf(file);
    if (!format?.startsWith('lyrebird-')) continue;
    throw new UserError(`"${file}" holds a checkpoint or a model of this program (${format}): choose another name.`);
  }
}

/** Undefined where there is no file, or one of anything else. */
function formatOf(file: string): string | undefined {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  try {
    return readSafetensors(file).metadata.format;
  } catch {
    return undefined;
  }
}

/** What is exported, the file that it comes from, and what it is called. */
interface Found {
  readonly network: Exported;
  readonly file: string;
  readonly what: string;
}

const program = `lyrebird ${version}`;

function generatorOf(checkpoint: Checkpoint, { weights }: ExportFlags): Found {
  const { config, classes, step, synthetic, file } = checkpoint;
  const network = exportedGenerator(generatorConfig(config, classes.length), generatorState(checkpoint, weights), {
    program,
    classes: JSON.stringify(classes),
    step: String(step),
    trainedOnSynthesisedRecordings: String(synthetic),
    config: JSON.stringify(config),
  });
  return { network, file, what: `generator of step ${step}` };
}

function classifierOf({ config, info, weights, file }: Model): Found {
  const { classes, epoch, synthetic, threshold, shown } = info;
  const options = classifierOptions(config, classes.length);
  const network = exportedClassifier(config.network, options, config.size, weights, {
    program,
    classes: JSON.stringify(classes),
    epoch: String(epoch),
    trainedOnSynthesisedRecordings: String(synthetic),
    threshold: String(threshold),
    spectrograms: JSON.stringify(shown),
    config: JSON.stringify(config),
  });
  return { network, file, what: `${config.network} of epoch ${epoch}` };
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
