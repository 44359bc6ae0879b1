/** Times every plan of a work. */
import type { TunedWork } from '../../io/tuning.js';
import type { Engine, Work } from '../../kernel/engine.js';
import type { Tensor } from '../../memory/tensor.js';
import { affine } from '../../ops/elementwise.js';
import { randomUniform } from '../../ops/random.js';
import { measureInTurns } from '../measure.js';

/** A plan must be this much faster than the rule's to be taken instead: medians are off by some percent. */
const WORTH = 0.97;

/** Of a round: many rounds are better than long ones where a neighbour disturbs now and then. */
const ROUND_MILLISECONDS = 8;

/** Plans that take this much longer than the best in their first round are not timed further. */
const HOPELESS = 1.4;

/** The median milliseconds of each plan, on random tensors of the work's shapes, and the plan to take. */
export async function measureWork(e: Engine, work: Work, rounds: number): Promise<TunedWork> {
  const tensors = work.tensors.map((tensor, i) => noise(e, tensor, i));
  try {
    const plans = work.candidates(e.capabilities);
    // What a CPU adapter computes is seen by the wall clock, as its driver's threads and recording share the cores.
    const gpuClock = !e.capabilities.software && e.gpu.features.has('timestamp-query');
    const time = (some: typeof plans, rounds: number): Promise<number[]> =>
      measureInTurns(
        some.map((plan) => ({ e, run: () => e.scope(() => void work.run(e, plan, tensors)) })),
        { rounds, milliseconds: ROUND_MILLISECONDS, gpuClock },
      );
    const first = await time(plans, 1);
    const milliseconds = Object.fromEntries(plans.map(({ name }, i) => [name, first[i]!]));
    const hopeful = plans.filter((_, i) => i === 0 || first[i]! < HOPELESS * Math.min(...first));
    for (const [i, median] of (await time(hopeful, rounds)).entries()) milliseconds[hopeful[i]!.name] = median;
    const best = hopeful.reduce((a, b) => (milliseconds[b.name]! < milliseconds[a.name]! ? b : a));
    const rule = plans[0]!;
    const plan = milliseconds[best.name]! < WORTH * milliseconds[rule.name]! ? best : rule;
    return { work: work.name, plan: plan.name, milliseconds: rounded(milliseconds) };
  } finally {
    for (const tensor of tensors) e.release(tensor);
  }
}

function noise(e: Engine, { shape, dtype }: Tensor, stream: number): Tensor {
  const values = randomUniform(e, shape, { seed: 0, stream });
  if (dtype !== 'f16') return values;
  const half = affine(e, values, 1, 0, e.empty(shape, 'f16'));
  e.release(values);
  return half;
}

/** To the microsecond. */
const rounded = (milliseconds: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(milliseconds).map(([name, ms]) => [name, Math.max(0.001, Number(ms.toFixed(3)))]));
