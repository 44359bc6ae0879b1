/** The learning rates of a run, as functions of the step. */
import { constant, cosine, linear, type Schedule, warmUp } from '../optim/schedule.js';

export const RATE_SCHEDULES = ['constant', 'linear', 'cosine'] as const;

export interface Rates {
  readonly g: Schedule;
  readonly d: Schedule;
}

/** The fields of a run's config that say so. */
interface RateConfig {
  readonly steps: number;
  readonly rateSchedule: (typeof RATE_SCHEDULES)[number];
  readonly warmUpSteps: number;
  readonly learningRateG: number;
  readonly learningRateD: number;
}

/** Both rise for `warmUpSteps`, then follow the schedule, which reaches 0 after the last step. */
export function ratesOf({ steps, rateSchedule, warmUpSteps, learningRateG, learningRateD }: RateConfig): Rates {
  const decay = steps - warmUpSteps;
  const schedules: Readonly<Record<(typeof RATE_SCHEDULES)[number], (rate: number) => Schedule>> = {
    constant,
    linear: (rate) => linear(rate, 0, decay),
    cosine: (rate) => cosine(rate, 0, decay),
  };
  const scheduled = (rate: number): Schedule => warmUp(warmUpSteps, schedules[rateSchedule](rate));
  return { g: scheduled(learningRateG), d: scheduled(learningRateD) };
}
