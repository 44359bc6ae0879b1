/** Whether the engine gives a reference case's results, in words. */
import { compare, largest, type Worst, worse } from '../../autograd/check.js';
import type { StepError } from '../../autograd/steps.js';
import type { Engine } from '../../kernel/engine.js';
import type { Shape } from '../../memory/tensor.js';
import type { ReferenceCase } from './cases.js';
import { type Diagnosis, diagnose, type Precision } from './diagnose.js';
import { moduleOf } from './modules.js';
import { runCase } from './run.js';

export interface Verdict {
  readonly outcome: 'passed' | 'failed' | 'unsupported';
  /** Whether it passed in float64 only, where no float32 could. */
  readonly inFloat64?: boolean;
  /** The errors and their tolerances, and further lines on what they come from. */
  readonly lines: readonly string[];
}

/** Runs a case and compares. Throws what the engine throws, and an error about a case that lacks something. */
export async function judge(e: Engine, test: ReferenceCase): Promise<Verdict> {
  const results = await runCase(e, test);
  if (!results) return { outcome: 'unsupported', lines: [`lyrebird has no '${test.op}'`] };
  const output = worst(test.outputs, results.outputs);
  const gradient = worst(test.grads, results.grads);
  const grads = test.grads.size > 0 ? `, gradient ${figure(gradient.error)} of ${test.gradTol}` : '';
  const line = `${figure(output.error)} of ${test.tol}${grads}`;
  if (output.error <= test.tol && gradient.error <= test.gradTol) return { outcome: 'passed', lines: [line] };
  if (output.error <= test.tol) return { outcome: 'failed', lines: [line, gradient.where] };
  const wanted = moduleOf(test);
  if (!wanted) return { outcome: 'failed', lines: [line, output.where] };
  const cause = causeOf(await diagnose(e, test, wanted), test, output.error);
  // Gradients cannot be told from their rounding like this.
  if (cause.inFloat64 === undefined || test.grads.size > 0)
    return { outcome: 'failed', lines: [line, output.where, ...cause.lines] };
  const head = `${figure(cause.inFloat64)} of ${test.tol} in float64; in float32, which cannot tell, ${figure(output.error)}`;
  return { outcome: 'passed', inFloat64: true, lines: [head, ...cause.lines] };
}

interface Cause {
  /** If nothing but float32 keeps the module from the case's results: its error in float64. */
  readonly inFloat64?: number;
  readonly lines: readonly string[];
}

/**
 * So many times what rounding of stored numbers is worth may be lost, for sums round within an operation as well. A NaN, or the
 * result of a tape that frees memory too early, is more.
 */
const AMPLIFIED = 10;

/** Why a module's error in float32 is as large as it is. */
function causeOf({ steps, exact, rounded }: Diagnosis, test: ReferenceCase, inFloat32: number): Cause {
  const share = ({ worst: { error }, tolerance }: StepError): number => error / tolerance;
  const furthest = steps.reduce((a, b) => (share(b) > share(a) ? b : a));
  const { error, where } = furthest.worst;
  if (share(furthest) > 1) {
    return { lines: [`One is wrong, given what it reads: ${where}; ${figure(error)} of ${furthest.tolerance}.`] };
  }
  // Each draw costs a pass on the CPU, so none is made for an error that rounding is seen to explain.
  const worth = (precision: Precision, explained: number): number => {
    let most = 0;
    for (const others of rounded(precision)) {
      most = Math.max(most, worst(exact, dataOf(others)).error);
      if (most > test.tol && AMPLIFIED * most >= explained) break;
    }
    return most;
  };
  const right = `Each operation is within ${figure(error)} of its float64 reference, given what it reads.`;
  const inFloat64 = worst(test.outputs, dataOf(exact));
  if (inFloat64.error <= test.tol) {
    const rounding = worth('float32', inFloat32);
    const lines = [
      right,
      `Inputs, weights and results of operations rounded to float32 in other ways would move the result by ${figure(rounding)}.`,
    ];
    // What rounding does not explain may be a fault, however small.
    const isRounding = rounding > test.tol && inFloat32 <= AMPLIFIED * rounding;
    return isRounding ? { inFloat64: inFloat64.error, lines } : { lines };
  }
  const rounding = worth('float64', 0);
  return {
    lines: [
      right,
      `In float64 the result is off by ${figure(inFloat64.error)}: ${inFloat64.where}.`,
      rounding > test.tol
        ? `But rounded to float64 in other ways it would move by ${figure(rounding)}: the case decides nothing.`
        : 'So the case is of another network, or of another state.',
    ],
  };
}

const dataOf = (outputs: Diagnosis['exact']): Map<string, Float64Array> =>
  new Map([...outputs].map(([name, { data }]) => [name, data]));

const figure = (error: number): string => error.toExponential(1);

/** The worst error over all expected tensors; the floor is a thousandth of the largest value among them. */
function worst(
  expected: ReadonlyMap<string, { readonly shape: Shape; readonly data: ArrayLike<number> }>,
  actual: ReadonlyMap<string, ArrayLike<number>>,
): Worst {
  const floor = 1e-3 * Math.max(0, ...[...expected.values()].map(({ data }) => largest(data)));
  let result: Worst = { error: 0, where: '' };
  for (const [name, { data, shape }] of expected) {
    const found = actual.get(name);
    const error = found
      ? compare(name, found, data, shape, floor)
      : { error: Number.POSITIVE_INFINITY, where: `${name} is missing` };
    result = worse(result, error);
  }
  return result;
}
