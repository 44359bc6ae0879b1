/**
 * Phases from magnitudes alone, by integrating their gradient (Prusa, Balazs and Sondergaard 2017, "A noniterative method for
 * reconstruction of phase from short-time Fourier transform magnitude").
 *
 * Under a Gaussian window exp(-pi t^2 / gamma) the logarithm of the magnitudes, L(t, f), says how phases change:
 *
 *   d phase / dt = 2 pi (f + dL/df / (2 pi gamma)),  d phase / df = -gamma dL/dt
 *
 * and other windows and wavelets are nearly Gaussians. Phases are carried from the loudest pixel to its neighbours, and always
 * on from the loudest that is known, so that errors gather where it is quiet. A tone keeps its pitch and does not waver, which
 * iterations from random phases hardly achieve.
 */

/** Rows at frequencies, columns at times. */
export interface PhaseGrid {
  readonly width: number;
  /** From one column to the next, seconds. */
  readonly step: number;
  /** Of each row, Hz: rising or falling. */
  readonly frequencies: ArrayLike<number>;
  /** Of each row, seconds^2. */
  readonly gammas: ArrayLike<number>;
}

/** In turns, at a position between columns: of a filter for the row's frequency that delays nothing. */
export type Phases = (row: number, position: number) => number;

/** The phases that amplitudes [rows, width] have. */
export function integratePhases(amplitudes: ArrayLike<number>, grid: PhaseGrid): Phases {
  const { width } = grid;
  const { alongTime, alongRows } = phaseGradient(amplitudes, grid);
  const turns = spreadTurns(amplitudes, grid, alongTime, alongRows);
  return (row, position) => {
    const inside = Math.min(width - 1, Math.max(0, position));
    const left = row * width + Math.min(Math.max(0, width - 2), Math.floor(inside));
    const right = width > 1 ? left + 1 : left;
    // Frequency changes evenly between columns; what the phases differ from that is made up for evenly, too.
    const [from, to] = [alongTime[left]!, alongTime[right]!];
    const share = inside - (left - row * width);
    const predicted = (x: number) => from * x + ((to - from) * x ** 2) / 2;
    const missing = wrapped(turns[right]! - turns[left]! - (width > 1 ? predicted(1) : 0));
    const frequency = from + (to - from) * share;
    return turns[left]! + predicted(share) + share * missing + frequency * (position - inside);
  };
}

/** Turns from each pixel to the next one in time, and to the one of the next row, as if the gradient were that of the pixel. */
function phaseGradient(amplitudes: ArrayLike<number>, { width, step, frequencies, gammas }: PhaseGrid) {
  const logs = logarithms(amplitudes);
  const alongTime = new Float64Array(logs.length);
  const alongRows = new Float64Array(logs.length);
  const rows = frequencies.length;
  for (let row = 0; row < rows; row++) {
    const [above, below] = [Math.max(0, row - 1), Math.min(rows - 1, row + 1)];
    const hertz = frequencies[below]! - frequencies[above]!;
    for (let q = 0; q < width; q++) {
      const [before, after] = [Math.max(0, q - 1), Math.min(width - 1, q + 1)];
      const inFrequency = rows > 1 ? (logs[below * width + q]! - logs[above * width + q]!) / hertz : 0;
      const inTime =
        width > 1 ? (logs[row * width + after]! - logs[row * width + before]!) / ((after - before) * step) : 0;
      alongTime[row * width + q] = step * Math.max(0, frequencies[row]! + inFrequency / (2 * Math.PI * gammas[row]!));
      alongRows[row * width + q] = ((-gammas[row]! * inTime) / (2 * Math.PI)) * (hertz / Math.max(1, below - above));
    }
  }
  return { alongTime, alongRows };
}

/** Natural logarithms; black is as quiet as the quietest that is not. */
function logarithms(amplitudes: ArrayLike<number>): Float64Array {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < amplitudes.length; i++) if (amplitudes[i]! > 0) least = Math.min(least, amplitudes[i]!);
  if (least === Number.POSITIVE_INFINITY) return new Float64Array(amplitudes.length);
  return Float64Array.from(amplitudes, (amplitude) => Math.log(Math.max(amplitude, least)));
}

/** Levels of loudness that are told apart: a quarter of a decibel each. */
const LEVELS = 512;

/** Phases in turns, carried from loud pixels to their neighbours; 0 where a part begins that nothing audible joins to others. */
function spreadTurns(
  amplitudes: ArrayLike<number>,
  { width }: PhaseGrid,
  alongTime: Float64Array,
  alongRows: Float64Array,
): Float64Array {
  const turns = new Float64Array(amplitudes.length);
  const known = new Uint8Array(amplitudes.length);
  const byLoudness = Uint32Array.from(amplitudes, (_, i) => i)
    .filter((i) => amplitudes[i]! > 0)
    .sort((a, b) => amplitudes[b]! - amplitudes[a]! || a - b);
  const most = amplitudes[byLoudness[0] ?? 0]!;
  const levelOf = (i: number) => Math.max(0, LEVELS - 1 + Math.round(80 * Math.log10(amplitudes[i]! / most)));
  const waiting: number[][] = Array.from({ length: LEVELS }, () => []);
  let top = -1; // the loudest level at which any may wait
  const settle = (i: number, value: number) => {
    turns[i] = value;
    known[i] = 1;
    const level = levelOf(i);
    waiting[level]!.push(i);
    top = Math.max(top, level);
  };
  const carry = (from: number, to: number, gradient: Float64Array, direction: number) => {
    if (known[to] || !(amplitudes[to]! > 0)) return;
    settle(to, turns[from]! + (direction * (gradient[from]! + gradient[to]!)) / 2);
  };
  for (const loudest of byLoudness) {
    if (known[loudest]) continue;
    settle(loudest, 0);
    while (top >= 0) {
      const i = waiting[top]!.pop();
      if (i === undefined) {
        top--;
        continue;
      }
      if (i % width < width - 1) carry(i, i + 1, alongTime, 1);
      if (i % width > 0) carry(i, i - 1, alongTime, -1);
      if (i + width < amplitudes.length) carry(i, i + width, alongRows, 1);
      if (i >= width) carry(i, i - width, alongRows, -1);
    }
  }
  return turns;
}

const wrapped = (turns: number): number => turns - Math.round(turns);
