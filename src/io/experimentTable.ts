/** An experiment as tables: text and Markdown to read, CSV to compute with. */
import { armName, type Experiment, type ExperimentArm, type Gain, SCORES, shows } from './experiment.js';
import { csvText } from './table.js';

/** `41.2`, in percent. */
export const points = (share: number): string => (100 * share).toFixed(1);

/** `+1.3`, in percentage points, with a minus that is as wide as a plus. */
export const signedPoints = (share: number): string => `${share < 0 ? '−' : '+'}${points(Math.abs(share))}`;

/** `−0.4 to +3.0` */
export const rangeText = ({ interval }: Gain): string | undefined => interval?.map(signedPoints).join(' to ');

/** What can be said at once, in sentences: what helps, what harms, and of how much nothing is shown. */
export function verdictOf({ arms, mixes, seeds, complete }: Experiment): string[] {
  const tested = arms.flatMap((arm) => (arm.gain ? [{ ...arm, gain: arm.gain }] : []));
  const withGenerated = tested.filter(({ mix }) => mixes.find(({ name }) => name === mix)?.generated);
  const of = (what: 'gain' | 'loss') => withGenerated.filter(({ gain }) => shows(gain) === what);
  const [better, worse] = [of('gain'), of('loss')];
  const open = withGenerated.length - better.length - worse.length;
  const unfinished = complete ? [] : ['Not all is done: the same command goes on.'];
  const listed = (list: readonly (ExperimentArm & { gain: Gain })[]): string =>
    list
      .map((arm) => `${armName(arm.network, arm.dynamic)} with ${arm.mix} (${signedPoints(arm.gain.mean)} points)`)
      .join(', ');
  if (!mixes.some(({ generated }) => generated)) {
    return ['Of generated images nothing is said: no mix differs by them alone.', ...unfinished];
  }
  if (withGenerated.length === 0) {
    return complete
      ? ['Nothing can be compared: of every pair one failed.']
      : ['Nothing can be compared yet.', ...unfinished];
  }
  return [
    better.length > 0
      ? `Generated images help: ${listed(better)}.`
      : 'No gain of generated images over real images alone is shown.',
    ...(worse.length > 0 ? [`They harm: ${listed(worse)}.`] : []),
    ...(open > 0
      ? [`In ${open} of ${withGenerated.length} comparisons it is not shown that generated images help or harm.`]
      : []),
    ...(seeds.length < 2 ? ['With one seed, what another training would give is not known.'] : []),
    ...unfinished,
  ];
}

const mark = { gain: ' ▲', loss: ' ▼' } as const;

/** Rows of a text table, the names of its columns first: a row for each network and mix. */
export function experimentRows({ arms }: Experiment): string[][] {
  const header = ['network', 'mix', 'windows %', 'recordings %', 'gain', '95 % interval', 'p', 'failed'];
  const rows = arms.map(({ network, dynamic, mix, spread, gain, members }) => {
    const failed = members.filter((member) => member.failed !== undefined).length;
    const [windows, recordings] = (['accuracy', 'recordings'] as const).map((name) => {
      const { mean, deviation } = spread[name] ?? {};
      return mean === undefined ? '-' : `${points(mean)}${deviation === undefined ? '' : ` ± ${points(deviation)}`}`;
    });
    return [
      ...[armName(network, dynamic), mix, windows!, recordings!],
      gain ? gainText(gain) : '',
      (gain && rangeText(gain)) ?? '',
      gain?.corrected === undefined ? '' : gain.corrected.toFixed(3),
      failed > 0 ? String(failed) : '',
    ];
  });
  return [header, ...rows];
}

/** A row for each network, ordinary and dynamic, and a column for each mix; then what can be said, and what was trained on. */
export function experimentMarkdown(experiment: Experiment): string {
  const { arms, mixes, folds, seeds, images, recordings, chance, dynamicGains } = experiment;
  const names = [...new Set(arms.map(({ network, dynamic }) => armName(network, dynamic)))];
  const of = (name: string, mix: string): ExperimentArm | undefined =>
    arms.find((arm) => arm.mix === mix && armName(arm.network, arm.dynamic) === name);
  const line = (cells: readonly string[]): string => `| ${cells.map(inCell).join(' | ')} |`;
  return [
    `Windows of held-out recordings named rightly, in percent: means over ${folds.length} fold${folds.length > 1 ? 's' : ''} and ${seeds.length} seed${seeds.length > 1 ? 's' : ''} ± standard`,
    `deviation; then the gain over real images alone. ${images} windows of ${recordings} recordings; always naming the commonest class would get ${points(chance)}.`,
    '▲ a gain, ▼ a loss that is shown: a permutation of recordings, corrected for the number of comparisons (Holm), gives it less than 5 %.',
    '',
    line(['network', ...mixes.map(({ name }) => name)]),
    line(['---', ...mixes.map(() => '---')]),
    ...names.map((name) => line([name, ...mixes.map(({ name: mix }) => accuracyText(of(name, mix)))])),
    '',
    ...verdictOf(experiment),
    ...(dynamicGains.length > 0
      ? ['', `Dynamic convolutions over ordinary ones: ${dynamicGains.map(dynamicText).join(', ')}.`]
      : []),
    '',
    '| mix | trained on |',
    '| --- | --- |',
    ...mixes.map(({ name, what }) => line([name, what])),
    '',
  ].join('\n');
}

function accuracyText(arm: ExperimentArm | undefined): string {
  if (!arm) return '';
  const { mean, deviation } = arm.spread.accuracy ?? {};
  if (mean === undefined) return arm.members.length > 0 ? 'failed' : '';
  const share = `${points(mean)}${deviation === undefined ? '' : ` ± ${points(deviation)}`}`;
  return arm.gain ? `${share}; ${gainText(arm.gain)}` : share;
}

function gainText(gain: Gain): string {
  const verdict = shows(gain);
  return `${signedPoints(gain.mean)}${verdict ? mark[verdict] : ''}`;
}

const dynamicText = ({ network, gain }: Experiment['dynamicGains'][number]): string =>
  `${network} ${gainText(gain)} points${gain.interval ? ` (${rangeText(gain)})` : ''}`;

const inCell = (text: string): string => text.replaceAll('|', '\\|');

/** A line for each network and mix. */
export function experimentCsv({ arms }: Experiment): string {
  const header = [
    ...['network', 'dynamic', 'mix', 'runs', 'failed'],
    ...SCORES.flatMap((name) => [name, `${name}_deviation`]),
    ...['gain', 'gain_low', 'gain_high', 'p', 'p_corrected', 'recordings_compared', 'windows_compared'],
  ];
  const lines = arms.map(({ network, dynamic, mix, members, spread, gain }) => {
    const failed = members.filter((member) => member.failed !== undefined).length;
    const [low, high] = gain?.interval ?? [];
    return [
      ...[network, String(dynamic), mix, members.length, failed],
      ...SCORES.flatMap((name) => [spread[name]?.mean, spread[name]?.deviation]),
      ...[gain?.mean, low, high, gain?.p, gain?.corrected, gain?.recordings, gain?.windows],
    ].map((value) => value ?? '');
  });
  return csvText([header, ...lines]);
}
