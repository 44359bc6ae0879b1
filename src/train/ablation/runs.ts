/**
 * The runs of an ablation: ordinary run folders, `runs/<variant>/seed-<n>`, of which each gets result.json and samples.png when
 * it has been measured; and all of them together as tables.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { safeNames } from '../../data/names.js';
import { type AblationRun, type AblationVariant, type MeasureName, measureNames } from '../../io/ablation.js';
import { readText, writeAtomically } from '../../io/files.js';
import { readLog } from '../../io/log.js';
import { quantile } from '../../metrics/bootstrap.js';
import { pairedDifference, spreadOf } from '../../metrics/paired.js';
import { BEST, prune } from '../checkpointFiles.js';
import { type TrainConfig, trainConfigSchema } from '../config.js';
import type { ConfiguredVariant } from './variants.js';

export interface PlannedRun {
  readonly variant: ConfiguredVariant;
  readonly seed: number;
  readonly config: TrainConfig;
  readonly folder: string;
}

/** All runs, seed by seed: so that there is something to compare before all are done. */
export function planRuns(
  folder: string,
  variants: readonly ConfiguredVariant[],
  seeds: readonly number[],
): PlannedRun[] {
  const names = safeNames(variants.map(({ name }) => name));
  return seeds.flatMap((seed) =>
    variants.map((variant) => ({
      variant,
      seed,
      config: { ...variant.config, seed },
      folder: path.join(folder, 'runs', names.get(variant.name)!, `seed-${seed}`),
    })),
  );
}

const resultSchema = z.object({
  format: z.literal('lyrebird-ablation-run/1'),
  /** What it was trained and measured by; a result of anything else is none. */
  config: trainConfigSchema,
  ruler: z.record(z.string(), z.unknown()),
  measured: z.partialRecord(z.enum(measureNames as [MeasureName, ...MeasureName[]]), z.number()).optional(),
  failed: z.string().optional(),
  /** That measuring took. */
  seconds: z.number(),
});

export type RunResult = z.infer<typeof resultSchema>;

const resultFile = ({ folder }: PlannedRun): string => path.join(folder, 'result.json');

export const samplesFile = ({ folder }: PlannedRun): string => path.join(folder, 'samples.png');

/** What is known of a run; undefined until it is done, or if it was done by other settings or another ruler. */
export async function readResult(run: PlannedRun, ruler: RunResult['ruler']): Promise<RunResult | undefined> {
  const file = resultFile(run);
  if (!existsSync(file)) return undefined;
  const result = resultSchema.safeParse(parsed(await readText(file)));
  if (!result.success) return undefined; // damaged: it is measured again
  const isOfThis = isDeepStrictEqual(result.data.config, run.config) && isDeepStrictEqual(result.data.ruler, ruler);
  return isOfThis ? result.data : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps what was found; of the run's checkpoints only the newest stays, which is what was measured. */
export async function writeResult(run: PlannedRun, result: Omit<RunResult, 'format' | 'config'>): Promise<void> {
  const known = { format: 'lyrebird-ablation-run/1', config: run.config, ...result };
  await writeAtomically(resultFile(run), `${JSON.stringify(known, null, 1)}\n`);
  const checkpoints = path.join(run.folder, 'checkpoints');
  await prune(checkpoints, null, 1);
  await rm(path.join(checkpoints, BEST), { force: true });
}

/** The median time from one step to the next, as the run's log has it, in milliseconds. */
export function stepMilliseconds({ folder }: PlannedRun): number | undefined {
  const seconds = readLog(path.join(folder, 'log.jsonl')).flatMap(({ seconds: s }) =>
    typeof s === 'number' ? [s] : [],
  );
  const rises = seconds.slice(1).map((s, i) => s - seconds[i]!);
  const forward = rises.filter((rise) => rise >= 0); // the clock begins anew where a run was resumed
  return forward.length > 0 ? 1000 * quantile(forward, 0.5) : undefined;
}

/** The tables of all runs that are done. */
export function tabulate(
  variants: readonly ConfiguredVariant[],
  done: readonly { readonly run: PlannedRun; readonly result: RunResult }[],
): AblationVariant[] {
  const runsOf = ({ name }: ConfiguredVariant): AblationRun[] =>
    done
      .filter(({ run }) => run.variant.name === name)
      .map(({ run: { seed }, result: { measured, failed } }) => ({
        seed,
        ...(measured && { measured }),
        ...(failed !== undefined && { failed }),
      }));
  const base = runsOf(variants[0]!);
  return variants.map((variant, i) => {
    const runs = runsOf(variant);
    const { name, what, overrides } = variant;
    return { name, what, overrides, runs, spread: spreads(runs), difference: i === 0 ? {} : differences(runs, base) };
  });
}

const measureOf = (run: AblationRun | undefined, name: MeasureName): number | undefined => run?.measured?.[name];

/** Of every measure that `of` has something to say of. */
function forMeasures<T>(of: (name: MeasureName) => T | undefined): { [name in MeasureName]?: T } {
  const entries = measureNames.flatMap((name) => {
    const value = of(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries) as { [name in MeasureName]?: T };
}

const spreads = (runs: readonly AblationRun[]): AblationVariant['spread'] =>
  forMeasures((name) => {
    const values = runs.flatMap((run) => measureOf(run, name) ?? []);
    return values.length > 0 ? spreadOf(values) : undefined;
  });

/** Over the seeds that both have. */
const differences = (runs: readonly AblationRun[], base: readonly AblationRun[]): AblationVariant['difference'] =>
  forMeasures((name) => {
    const pairs = runs.flatMap((run) => {
      const own = measureOf(run, name);
      const other = measureOf(
        base.find(({ seed }) => seed === run.seed),
        name,
      );
      return own === undefined || other === undefined ? [] : [[own, other] as const];
    });
    if (pairs.length === 0) return undefined;
    return pairedDifference(
      pairs.map(([own]) => own),
      pairs.map(([, other]) => other),
    );
  });
