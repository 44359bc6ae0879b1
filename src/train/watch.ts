/**
 * Looks for runs that learn nothing more, and says what to do about them. Of some thirty runs with sound losses, on real and
 * invented species, no mean over 50 steps of the discriminator's loss of judgement was below 0.85, none of the generator's
 * above 1.4, and no loss above 5: the limits lie far beyond that, so that a run that would recover is left alone.
 */
import type { LogRecord } from '../io/log.js';
import type { TrainConfig } from './config.js';

/** Steps in a row that something must last. */
const PATIENCE = { won: 100, runaway: 20 };

/** Below this, the discriminator tells real from generated images with a probability of 0.97 and more. */
const WON_D = 0.05;

/**
 * Above this, generated images are taken for real with a probability of less than 5 %; hinge: they lie beyond the margin. Spectral
 * norms bound what a discriminator says: against a generator that never moves, this loss stays between 4 and 5.
 */
const WON_G: Readonly<Record<TrainConfig['adversarial'], number>> = { bce: 3, hinge: 1 };

/** No loss of cross entropies or of a spectrally normalised network gets there while it learns. */
const RUNAWAY = 100;

/** Images of a class that vary by less than this share of how training images vary are all the same. */
const SAME = 0.02;

/** Looks at images in a row. */
const LOOKS = 3;

export interface Watch {
  /** Takes a record of the log, in order; in words what has gone wrong, if something has. */
  look(record: LogRecord): string | undefined;
  /** Whether something may be going wrong: then what was saved before is better than what is there now. */
  readonly isUneasy: boolean;
}

const ADVICE =
  'into another --out. With --no-watch a run goes on whatever happens; the newest checkpoint is of before this began.';

/** What a cross entropy with the target p cannot fall below. */
const entropy = (p: number): number => (p > 0 && p < 1 ? -p * Math.log(p) - (1 - p) * Math.log(1 - p) : 0);

/** To go on with a run, show it the records of the log so far. */
export function createWatch({
  adversarial,
  realTarget = 1,
}: Pick<TrainConfig, 'adversarial'> & Partial<Pick<TrainConfig, 'realTarget'>>): Watch {
  const lasted = { won: 0, runaway: 0, same: 0 };
  const least = entropy(realTarget);

  function lookAtLosses(record: LogRecord): string | undefined {
    const [sourceD, sourceG] = [Number(record.sourceD), Number(record.sourceG)];
    const largest = Math.max(...LOSSES.map((name) => Math.abs(Number(record[name]))));
    lasted.won = sourceD - least < WON_D && sourceG > WON_G[adversarial] ? lasted.won + 1 : 0;
    lasted.runaway = largest > RUNAWAY ? lasted.runaway + 1 : 0;
    if (lasted.runaway >= PATIENCE.runaway) {
      return (
        `Training ran away: for ${PATIENCE.runaway} steps some loss has been above ${RUNAWAY} (at step ${record.step}, ` +
        `${largest.toPrecision(3)}). Train again with a lower --learning-rate, "warmUpSteps" or another --seed, ${ADVICE}`
      );
    }
    if (lasted.won >= PATIENCE.won) {
      return (
        `Training has come to a halt: for ${PATIENCE.won} steps the discriminator has told every real from every generated image ` +
        `(at step ${record.step} its loss is ${sourceD.toPrecision(2)}, the generator's ${sourceG.toPrecision(3)}), and the generator ` +
        'learns nothing from that. Train again with a lower --discriminator-rate, --augment all, "realTarget": 0.9 or ' +
        `another --seed, ${ADVICE}`
      );
    }
    return undefined;
  }

  function lookAtImages({ step, diversity }: LogRecord): string | undefined {
    lasted.same = Number(diversity) < SAME ? lasted.same + 1 : 0;
    if (lasted.same < LOOKS) return undefined;
    return (
      `The generator makes one image of each class, whatever the noise: at the last ${LOOKS} looks, to step ${step}, its images ` +
      `varied by less than ${100 * SAME} % of how training images vary. Train again with --class-head adc, --augment all, ` +
      `a lower --learning-rate or another --seed, ${ADVICE}`
    );
  }

  return {
    look(record) {
      if ('sourceD' in record) return lookAtLosses(record);
      return 'diversity' in record ? lookAtImages(record) : undefined;
    },
    get isUneasy() {
      return lasted.won >= PATIENCE.won / 10 || lasted.runaway > 0 || lasted.same > 0;
    },
  };
}

const LOSSES = ['sourceD', 'classD', 'sourceG', 'classG'] as const;
