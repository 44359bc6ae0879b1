/** The learning rates of a run, as functions of the step. */
import { constant, cosine, linear, type Schedule, warmUp } from '../optim/schedule.js';
import type { TrainConfig } from './config.js';

export const RATE_SCHEDULES = ['constant', 'linear', 'cosine'] as const;

export interface Rates {
  readonly g: Schedule;
  readonly d: Schedule;
}

type RateConfig = Pick<TrainConfig, 'steps' | 'rateSchedule' | 'warmUpSteps' | 'learningRateG' | 'learningRateD'>;

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
