/** lyrebird profile: where the time of a training step goes, dispatch by dispatch, or what memory steps take. */
import { type Command, Option } from 'commander';
import { readDataset } from '../data/read.js';
import { UserError } from '../io/errors.js';
import { checkWritable, writeAtomically } from '../io/files.js';
import { DEFAULT_SIZE, PRESETS, type Preset, type TrainConfig } from '../train/config.js';
import type { Precision } from '../train/precision.js';
import { adapterOption, type DeviceFlags, tunedOption, withFastEngine } from './engine.js';
import { describeHost } from './host.js';
import { interruptible } from './interrupt.js';
import { byteCount, positiveInteger, positiveIntegers } from './options.js';
import { possiblePrecision, precisionOption } from './precision.js';
import { sizeOption } from './prepare.js';
import { type Profile, profileStep } from './profile/collect.js';
import { formatProfile, GROUPINGS, type Grouping } from './profile/format.js';
import { total } from './profile/group.js';
import { type LoaderWait, measureLoader } from './profile/loader.js';
import { formatMemory, profileMemory } from './profile/memory.js';
import { dispatchTrace, phaseTrace, type Trace } from './profile/trace.js';
import { CLASSES, prepareStep } from './stepBenchmark.js';
import { threeDigits } from './table.js';
import { checkpointOption, configFrom } from './train.js';
import { version } from './version.js';

interface ProfileFlags extends DeviceFlags {
  readonly preset: Preset;
  readonly size?: TrainConfig['size'];
  readonly batch: readonly number[];
  readonly precision?: Precision;
  readonly checkpointActivations?: boolean;
  readonly memory?: boolean;
  readonly within?: number;
  readonly steps: number;
  readonly by: Grouping;
  readonly data?: string;
  readonly trace?: string;
  readonly json?: string;
}

export function register(program: Command): void {
  program
    .command('profile')
    .description(
      'Times one training step of DR-ACGAN, both updates, on random images: each dispatch by itself, by the clock of the ' +
        'GPU. GFLOP/s are those of matrix products and convolutions, GB/s the memory that a dispatch binds, each beside the ' +
        "best that a large product and a large copy reach; what lies in the processor's cache may pass that. An adapter " +
        'without timestamps gets the times of the phases instead. With --memory nothing is run: a table says what memory steps ' +
        'of several batches would take.',
    )
    .addOption(
      new Option(
        '--preset <name>',
        'the networks: small, reference, medium: 128 x 128, or paper: 256 x 256 at full width',
      )
        .choices(PRESETS)
        .default('reference'),
    )
    .addOption(sizeOption(`${DEFAULT_SIZE}`))
    .option('--batch <n>', 'real images a step; with --memory several, such as 1,8,16,32', positiveIntegers, [16])
    .addOption(precisionOption())
    .addOption(checkpointOption())
    .addOption(
      new Option(
        '--memory',
        'a table of the memory that steps take, with and without --checkpoint-activations; not with --steps, --by, --data, --trace',
      ).conflicts(['steps', 'by', 'data', 'trace']),
    )
    .option('--within <size>', 'with --memory: also find the largest batch that this holds, such as 8GiB', byteCount)
    .option('--steps <n>', 'steps that medians are taken of', positiveInteger, 5)
    .addOption(
      new Option(
        '--by <what>',
        'a line for each kernel, dispatch, or op (then transposed convolutions count as conv2d and linear layers as ' +
          'matmul, whose kernels they run)',
      )
        .choices(GROUPINGS)
        .default('kernel'),
    )
    .option('--data <dataset>', 'also say how long steps wait for images of this data set')
    .option('--trace <file>', 'also write one step as a Chrome trace, for ui.perfetto.dev')
    .option('--json <file>', 'also write everything that was measured')
    .addOption(adapterOption())
    .addOption(tunedOption())
    .action(async (flags: ProfileFlags) => {
      for (const file of [flags.json, flags.trace]) if (file !== undefined) await checkWritable(file);
      if (flags.memory) await showMemory(flags);
      else await interruptible((signal) => profile(flags, signal));
    });
}

/** The settings of a step of so many images, checked as those of training are. */
const configOf = ({ preset, size, checkpointActivations }: ProfileFlags, batch: number): Promise<TrainConfig> =>
  configFrom({ preset, size, checkpointActivations, batch });

async function showMemory(flags: ProfileFlags) {
  const { preset, batch, within, json, adapter, tuned } = flags;
  const [given] = await Promise.all(batch.map((each) => configOf(flags, each)));
  await withFastEngine({ adapter, tuned }, async (e) => {
    const { info } = e.gpu;
    const config = { ...given!, precision: possiblePrecision(e, flags.precision) };
    const half = config.precision === 'f16' ? ', f16' : '';
    const what = `DR-ACGAN, preset ${preset}, ${config.size} x ${config.size}${half}, ${CLASSES} classes`;
    console.log(`${what}, as on ${info.name}`);
    const measured = profileMemory(e, config, CLASSES, batch, within);
    console.log(formatMemory(measured));
    if (json !== undefined) await writeJson(json, { lyrebird: version, adapter: info, step: what, ...measured });
  });
}

async function profile(flags: ProfileFlags, signal: AbortSignal) {
  const { preset, steps, by, data, trace, json, adapter, tuned } = flags;
  const [batch, ...others] = flags.batch as [number, ...number[]];
  if (others.length > 0) throw new UserError('Several batches go with --memory only: give one --batch.');
  if (flags.within !== undefined) throw new UserError('--within goes with --memory: add it.');
  const given = await configOf(flags, batch);
  const dataset = data === undefined ? undefined : await readDataset(data);
  await withFastEngine({ adapter, tuned }, async (e) => {
    const precision = possiblePrecision(e, flags.precision);
    const config = { ...given, precision };
    const options = `${precision === 'f16' ? ', f16' : ''}${config.checkpointActivations ? ', checkpoints' : ''}`;
    const what = `DR-ACGAN, preset ${preset}, ${config.size} x ${config.size}, batch ${batch}${options}, ${CLASSES} classes`;
    const { info } = e.gpu;
    console.log(`${info.name}, ${info.driver}\n${what}; median of ${steps}`);
    const { run } = prepareStep(e, config);
    const measured = await profileStep(e, () => run(), steps, signal);
    const loader = dataset && (await measureLoader(e, dataset, config, run, steps, signal));
    const { roof } = measured;
    console.log(`roof: ${threeDigits(roof.gflops)} GFLOP/s, ${threeDigits(roof.gbps)} GB/s\n`);
    console.log(formatProfile(measured, by));
    if (loader) console.log(describeLoader(loader));
    const about = {
      lyrebird: version,
      date: new Date().toISOString(),
      host: describeHost(),
      adapter: info,
      step: what,
    };
    if (trace !== undefined) await writeJson(trace, traceOf(measured, about));
    if (json !== undefined) await writeJson(json, { ...about, config, ...results(measured), loader });
  });
}

const describeLoader = ({ images, median, longest }: LoaderWait): string =>
  `loader wait  ${threeDigits(median)} ms  a step, ${threeDigits(longest)} ms at most, for its share of ${images} images`;

const traceOf = ({ passes, phases }: Profile, about: Trace['otherData']): Trace =>
  passes ? dispatchTrace(passes.traced, about) : phaseTrace(phases, about);

/** What was measured, milliseconds and bytes. */
function results({ passes, ...rest }: Profile) {
  if (!passes) return rest;
  const { milliseconds, bytes, flops } = total(passes.typical);
  return { ...rest, gpu: milliseconds, bytes, flops, dispatches: passes.typical };
}

const writeJson = (file: string, value: object): Promise<void> => writeAtomically(file, `${JSON.stringify(value)}\n`);
