/** What a device's features are worth: benchmarks by the base variants of all kernels, beside those that are chosen for it. */
import type { DeviceInfo } from '../device/adapter.js';
import { BASE } from '../kernel/choose.js';
import { Engine } from '../kernel/engine.js';
import type { Benchmark, Prepared } from './benchmark.js';
import { measureInTurns } from './measure.js';
import { formatTable, threeDigits } from './table.js';

export interface Comparison {
  readonly benchmark: string;
  readonly pass: string;
  /** Milliseconds by the wall clock, medians. */
  readonly base: number;
  readonly chosen: number;
}

/** Times each pass by both in turns, until all are done or `signal` is aborted, and prints the benchmarks as they come. */
export async function compareVariants(
  e: Engine,
  benchmarks: readonly Benchmark[],
  rounds: number,
  signal: AbortSignal,
): Promise<Comparison[]> {
  const base = new Engine(e.gpu, { ...BASE, software: e.capabilities.software });
  console.log(describe(e.gpu.info));
  const comparisons: Comparison[] = [];
  for (const benchmark of benchmarks) {
    if (signal.aborted) break;
    const prepared = [await benchmark.prepare(base), await benchmark.prepare(e)] as const;
    const found: Comparison[] = [];
    for (const [i, { name }] of prepared[1].passes.entries()) {
      if (signal.aborted) break;
      const run = (engine: Engine, { passes }: Prepared) => ({ e: engine, run: () => passes[i]!.run() });
      const [slow, fast] = await measureInTurns([run(base, prepared[0]), run(e, prepared[1])], { rounds });
      found.push({ benchmark: benchmark.name, pass: name, base: slow!, chosen: fast! });
    }
    for (const { release } of prepared) release();
    console.log(`\n${benchmark.name}\n${formatComparisons(found)}`);
    comparisons.push(...found);
  }
  return comparisons;
}

const describe = ({ name, driver }: DeviceInfo): string =>
  `${name}, ${driver}\nmilliseconds by the wall clock, medians of rounds in turns: the base variants, without optional features, ` +
  'and those chosen for this device';

export const formatComparisons = (comparisons: readonly Comparison[]): string =>
  formatTable(
    ['', 'base ms', 'chosen ms', 'base speed'],
    comparisons.map(({ pass, base, chosen }) => [
      pass,
      threeDigits(base),
      threeDigits(chosen),
      `${((100 * chosen) / base).toFixed(0)} %`,
    ]),
    ['left', 'right', 'right', 'right'],
  );
