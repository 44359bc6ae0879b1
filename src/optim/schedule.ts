/** Learning rates as pure functions of the step, so that a resumed run needs no more than its step. */

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

/** The same at every step. */
export const constant =
  (rate: number): Schedule =>
  () =>
    rate;

/** From `start` at step 0 in a straight line to `end` at step `steps`, and `end` from there on. */
export const linear = (start: number, end: number, steps: number): Schedule =>
  between(start, end, steps, (progress) => progress);

/** From `start` to `end` along half a cosine: slowly, faster, slowly; `end` from step `steps` on. */
export const cosine = (start: number, end: number, steps: number): Schedule =>
  between(start, end, steps, (progress) => (1 - Math.cos(Math.PI * progress)) / 2);

/** Rises in a straight line for `steps` steps, none of them at 0, to where `schedule` begins; then follows it. */
export function warmUp(steps: number, schedule: Schedule): Schedule {
  checkSteps(steps);
  return (step) => (step < steps ? (schedule(0) * (step + 1)) / (steps + 1) : schedule(step - steps));
}

function between(start: number, end: number, steps: number, shape: (progress: number) => number): Schedule {
  checkSteps(steps);
  return (step) => {
    if (step >= steps) return end;
    const share = shape(step / steps);
    return (1 - share) * start + share * end;
  };
}

function checkSteps(steps: number): void {
  if (!Number.isInteger(steps) || steps < 0) throw new Error(`${steps} is no number of steps`);
}
