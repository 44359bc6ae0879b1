/** All members of an experiment as tables: means over folds and seeds, and gains on the same recordings. */
import { createRandom } from '../../audio/random.js';
import { type ExperimentArm, type ExperimentMember, type Gain, SCORES, type ScoreName } from '../../io/experiment.js';
import { spreadOf } from '../../metrics/paired.js';
import { holm, type Pair, type PairedTest, pairedTest } from '../../metrics/pairedBootstrap.js';
import type { ExperimentConfig } from './config.js';
import type { MemberRecord, MemberResult } from './member.js';
import type { Arm, Round } from './plan.js';
import type { Done } from './run.js';

interface Cell {
  readonly round: Round;
  readonly record: MemberRecord;
}

/** An arm and what is done of it. */
interface Row {
  readonly arm: Arm;
  readonly cells: readonly Cell[];
}

/** Of the draws of all tests. */
const SEED = 1;

/** Lines in the order of the plan: network by network, mix by mix. */
export function tabulate(
  config: ExperimentConfig,
  rounds: readonly Round[],
  done: Done,
): { readonly arms: ExperimentArm[]; readonly dynamicGains: { network: string; gain: Gain }[] } {
  const rows = (rounds[0]?.classifiers ?? []).map(({ arm }, i): Row => {
    const cells = rounds.flatMap((round) => {
      const record = done.get(round.classifiers[i]!.folder);
      return record ? [{ round, record }] : [];
    });
    return { arm, cells };
  });
  const rowOf = ({ network, dynamic, mix }: Arm): Row =>
    rows.find(({ arm }) => arm.network === network && arm.dynamic === dynamic && arm.mix === mix)!;
  const gains = rows.map((row): PairedTest | undefined =>
    row.arm.mix === config.mixes[0] ? undefined : compare([[row, rowOf({ ...row.arm, mix: config.mixes[0]! })]]),
  );
  const corrected = correct(gains);
  const dynamicTests = (config.dynamic.length < 2 ? [] : config.networks).flatMap((network) => {
    const pairs = config.mixes.map((mix) => [true, false].map((dynamic) => rowOf({ network, dynamic, mix })));
    const test = compare(pairs as [Row, Row][]);
    return test ? [{ network: network.name, test }] : [];
  });
  const dynamicCorrected = correct(dynamicTests.map(({ test }) => test));
  return {
    arms: rows.map(({ arm: { network, dynamic, mix }, cells }, i) => {
      const gain = corrected[i];
      const members = cells.map(memberOf);
      return {
        network: network.name,
        dynamic,
        mix: mix.name,
        members,
        spread: spreadsOf(members),
        ...(gain && { gain }),
      };
    }),
    dynamicGains: dynamicTests.map(({ network }, i) => ({ network, gain: dynamicCorrected[i]! })),
  };
}

function memberOf({ round: { fold, seed }, record: { result, failed } }: Cell): ExperimentMember {
  if (!result) return { fold, seed, failed: failed ?? 'unknown' };
  const { accuracy, recordings, f1 } = result;
  return { fold, seed, accuracy, recordings, f1 };
}

function spreadsOf(members: readonly ExperimentMember[]): ExperimentArm['spread'] {
  const entries = SCORES.flatMap((name) => {
    const values = members.flatMap((member) => member[name] ?? []);
    return values.length > 0 ? [[name, spreadOf(values)] as const] : [];
  });
  return Object.fromEntries(entries) as { [name in ScoreName]?: ReturnType<typeof spreadOf> };
}

/** The first of each pair of rows against the second, recording by recording, where both are done. */
function compare(pairs: readonly (readonly [Row, Row])[]): PairedTest | undefined {
  const recordings = new Map<string, Pair>();
  for (const [own, other] of pairs) {
    for (const { round, record } of own.cells) {
      const base = other.cells.find((cell) => cell.round === round)?.record.result;
      if (record.result && base) addPairs(recordings, round.fold, record.result, base);
    }
  }
  return pairedTest([...recordings.values()], createRandom(SEED, 'gains'));
}

/** A recording tests in one fold only; what it says with other seeds, or of other mixes, is added up. */
function addPairs(recordings: Map<string, Pair>, fold: number, own: MemberResult, base: MemberResult): void {
  for (const [i, { windows, right }] of own.tally.entries()) {
    const key = `${fold} ${i}`;
    const { points = 0, difference = 0 } = recordings.get(key) ?? {};
    recordings.set(key, { points: points + windows, difference: difference + right - base.tally[i]!.right });
  }
}

/** With chances corrected for how many there are. */
function correct(tests: readonly (PairedTest | undefined)[]): (Gain | undefined)[] {
  const chances = tests.flatMap((test) => test?.p ?? []);
  const corrected = holm(chances);
  let next = 0;
  return tests.map((test) => (test?.p === undefined ? test : { ...test, corrected: corrected[next++]! }));
}
