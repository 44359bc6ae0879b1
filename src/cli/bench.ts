/** lyrebird bench: every op timed forward and backward, beside what the device reaches at its best. */
import type { Command } from 'commander';
import type { DeviceInfo } from '../device/adapter.js';
import { UserError } from '../io/errors.js';
import { checkWritable, writeAtomically } from '../io/files.js';
import type { Engine } from '../kernel/engine.js';
import type { Precision } from '../train/precision.js';
import type { Benchmark, Pass } from './benchmark.js';
import { benchmarks } from './benchmarks.js';
import { adapterOption, withEngine } from './engine.js';
import { describeHost, type Host } from './host.js';
import { interruptible } from './interrupt.js';
import { measure, type Timing } from './measure.js';
import { positiveInteger } from './options.js';
import { possiblePrecision, precisionOption } from './precision.js';
import { leastMilliseconds, measureRoof, type Roof } from './roof.js';
import { threeDigits } from './table.js';
import { compareVariants } from './variants.js';
import { version } from './version.js';

interface BenchOptions {
  readonly variants?: boolean;
  readonly adapter?: string;
  readonly json?: string;
  readonly rounds: number;
  readonly precision?: Precision;
}

export function register(program: Command): void {
  program
    .command('bench')
    .description(
      'Times every operation, forward and the gradient of each input. `roof` is the time in which the best matrix product ' +
        'and the best copy of this device would have done as many operations and moved as many bytes, as a share of the ' +
        'time that was taken. `cpu` is the time in which the processor records and submits the work.',
    )
    .argument('[filter]', 'only benchmarks whose names contain this, such as conv2d')
    .option('--rounds <n>', 'rounds that medians are taken of', positiveInteger, 7)
    .option(
      '--variants',
      'instead, times the base variants of all kernels, which need no optional features, beside those chosen for this device',
    )
    .option('--json <file>', 'also write the results there')
    .addOption(precisionOption())
    .addOption(adapterOption())
    .action(async (filter: string | undefined, { adapter, json, rounds, variants, precision }: BenchOptions) => {
      const chosen = choose(filter, benchmarks);
      if (variants && precision === 'f16') throw new UserError('--variants compares in f32: leave out --precision.');
      if (json !== undefined) await checkWritable(json);
      await interruptible(async (signal) => {
        const results = await withEngine<object>({ adapter }, (e) =>
          variants
            ? compareVariants(e, chosen, rounds, signal)
            : runAll(e, chosen, { rounds, precision: possiblePrecision(e, precision) }, signal),
        );
        if (json !== undefined) await writeAtomically(json, `${JSON.stringify(results, undefined, 2)}\n`);
      });
    });
}

/** The benchmarks whose names contain `filter`. Throws a UserError if there are none. */
export function choose(filter: string | undefined, all: readonly Benchmark[]): readonly Benchmark[] {
  const chosen = all.filter(({ name }) => name.toLowerCase().includes((filter ?? '').toLowerCase()));
  if (chosen.length > 0) return chosen;
  const names = [...new Set(all.map(({ name }) => name.split(' ', 1)[0]))];
  throw new UserError(`No benchmark's name contains ${JSON.stringify(filter)}. There are: ${names.join(', ')}.`);
}

export interface Result {
  readonly benchmark: string;
  readonly pass: string;
  readonly timing: Timing;
  readonly imagesPerSecond?: number | undefined;
  readonly gflops?: number | undefined;
  readonly gbps?: number | undefined;
  /** Of the roof: 1 is the best that this device is known to reach. */
  readonly share?: number | undefined;
}

export interface Results {
  readonly lyrebird: string;
  readonly date: string;
  readonly host: Host;
  readonly adapter: DeviceInfo;
  readonly rounds: number;
  readonly precision: Precision;
  readonly roof: Roof;
  readonly results: readonly Result[];
}

/** Times the benchmarks until all are done or `signal` is aborted, and prints each result as it comes. */
export async function runAll(
  e: Engine,
  chosen: readonly Benchmark[],
  { rounds, precision }: { readonly rounds: number; readonly precision: Precision },
  signal: AbortSignal,
): Promise<Results> {
  const date = new Date().toISOString();
  const roof = await measureRoof(e);
  console.log(formatHead(e.gpu.info, roof, precision));
  const results: Result[] = [];
  for (const benchmark of chosen) {
    if (signal.aborted) break;
    console.log(`\n${benchmark.name}`);
    const prepared = await benchmark.prepare(e, precision);
    for (const pass of prepared.passes) {
      if (signal.aborted) break;
      const result = await time(e, benchmark.name, pass, rounds, roof);
      console.log(formatResult(result));
      results.push(result);
    }
    prepared.release();
  }
  return { lyrebird: version, date, host: describeHost(), adapter: e.gpu.info, rounds, precision, roof, results };
}

async function time(e: Engine, benchmark: string, pass: Pass, rounds: number, roof: Roof): Promise<Result> {
  const timing = await measure(e, () => pass.run(), { rounds, gpuClock: roof.gpuClock });
  const { flops = 0, bytes = 0, images } = pass;
  // Each dispatch that is timed by itself costs a few microseconds more: of the shortest, the wall clock knows better.
  const taken = Math.min(timing.wall.median, timing.gpu?.median ?? Number.POSITIVE_INFINITY);
  return {
    benchmark,
    pass: pass.name,
    timing,
    ...(images !== undefined && { imagesPerSecond: (1000 * images) / timing.wall.median }),
    gflops: flops > 0 ? flops / taken / 1e6 : undefined,
    gbps: bytes > 0 ? bytes / taken / 1e6 : undefined,
    share: bytes > 0 ? leastMilliseconds(roof, flops, bytes) / taken : undefined,
  };
}

/** Widths of the columns after the name. */
const NAME = 22;
const COLUMN = 10;

const line = (name: string, cells: readonly string[]): string =>
  `  ${name.padEnd(NAME)}${cells.map((cell) => cell.padStart(COLUMN)).join('')}`;

function formatHead(info: DeviceInfo, roof: Roof, precision: Precision): string {
  const clock = roof.gpuClock
    ? "by the GPU's clock (timestamp queries), or by the wall clock where that says less"
    : "by the wall clock (this adapter's timestamps are missing or wrong)";
  return [
    `${info.name}, ${info.driver}`,
    ...(precision === 'f16' ? ['f16: tensors that an operation can have so; the roof is that of f32'] : []),
    `roof: ${threeDigits(roof.gflops)} GFLOP/s (matrix product of ${roof.size}), ${threeDigits(roof.gbps)} GB/s (copy)`,
    `milliseconds are medians; GFLOP/s, GB/s and the share of the roof are ${clock}`,
    '',
    line('', ['wall ms', 'best', 'cpu ms', 'gpu ms', 'GFLOP/s', 'GB/s', 'roof']),
  ].join('\n');
}

export function formatResult({ pass, timing, imagesPerSecond, gflops, gbps, share }: Result): string {
  const { wall, recording, gpu } = timing;
  return line(pass, [
    ...[wall.median, wall.min, recording.median, gpu?.median, gflops, gbps].map(threeDigits),
    share === undefined ? '-' : `${(100 * share).toFixed(0)} %`,
    ...(imagesPerSecond === undefined ? [] : [`  ${threeDigits(imagesPerSecond)} images/s`]),
  ]);
}
