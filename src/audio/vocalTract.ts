/**
 * A bird's voice as physics: the labia of the syrinx as a driven nonlinear oscillator (Mindlin and Laje 2005; in this
 * normal form Sitt, Amador, Goller and Mindlin 2008, Phys. Rev. E 78, 011905), and the trachea as a tube open at the beak.
 *
 *   x' = y
 *   y' = -alpha gamma^2 - beta gamma^2 x - gamma^2 x^3 - gamma x^2 y + gamma^2 x^2 - gamma x y
 *
 * x is the labia's displacement, alpha(t) the pressure of the air sacs, beta(t) the tension of the syringeal muscles,
 * gamma the time scale of the species' syrinx. Where alpha passes from below to above zero the resting state gives way
 * to an oscillation (a Hopf bifurcation): the note starts and stops as pressure comes and goes. Tension sets the pitch,
 * and low pitches come out rich in overtones, high ones pure, as in birds. In units of 1/gamma the equations are free
 * of gamma, so that one table, tension against pitch, serves all species.
 */

/** One note. */
export interface Note {
  /** Start, seconds; before 0 it is heard from 0 on. */
  at: number;
  seconds: number;
  /** Hz, at `t` seconds of the note, which is the fraction `u` of it. */
  pitch: (t: number, u: number) => number;
}

/** What the body sets, rather than the song. */
export interface Voice {
  /** The pitch (Hz) at which the syrinx works halfway between rich and pure; gamma follows from it. */
  middlePitch: number;
  /** Length of the trachea, metres: resonances near odd multiples of c / 4L. */
  trachea: number;
}

const FULL_PRESSURE = 0.2;
const REST_PRESSURE = -0.1;
const ATTACK_SECONDS = 0.008;
const RELEASE_SECONDS = 0.012;
/** Angular frequency, in units of gamma, of the middle pitch. */
const MIDDLE_FREQUENCY = 1.2;
/** Longest step, in units of 1/gamma: more than 10 steps a period at the highest pitch. */
const LONGEST_STEP = 0.17;
const SPEED_OF_SOUND = 350; // m/s, in warm moist air
const REFLECTION = 0.5;

/** Sings notes, in order and not overlapping, into `seconds` of sound: peaks of 0.5 to 1.2 in notes, 0 between them. */
export function sing(notes: readonly Note[], voice: Voice, seconds: number, sampleRate: number): Float32Array {
  const sound = new Float32Array(Math.round(seconds * sampleRate));
  const gamma = (2 * Math.PI * voice.middlePitch) / MIDDLE_FREQUENCY;
  const oversampling = Math.ceil(gamma / sampleRate / LONGEST_STEP);
  for (const note of notes) {
    const source = oscillate(note, gamma, sampleRate, oversampling);
    passTrachea(source, Math.round(((2 * voice.trachea) / SPEED_OF_SOUND) * sampleRate * oversampling));
    addDecimated(source, oversampling, sound, Math.round(note.at * sampleRate));
  }
  return sound;
}

/** The flow through the labia during one note and its dying away, `oversampling` values for each sample. */
function oscillate(note: Note, gamma: number, sampleRate: number, oversampling: number): Float32Array {
  const samples = Math.ceil((note.seconds + RELEASE_SECONDS) * sampleRate);
  const flow = new Float32Array(samples * oversampling);
  const step = gamma / (sampleRate * oversampling);
  const state: State = { x: -0.02, y: 0 };
  for (let n = 0; n < samples; n++) {
    const t = n / sampleRate;
    const alpha = REST_PRESSURE + (FULL_PRESSURE - REST_PRESSURE) * envelope(t, note.seconds);
    const beta = tensionFor((2 * Math.PI * note.pitch(t, Math.min(1, t / note.seconds))) / gamma);
    for (let k = 0; k < oversampling; k++) {
      rungeKutta(state, alpha, beta, step);
      flow[n * oversampling + k] = state.y;
    }
  }
  return flow;
}

/** Rises and falls as a half cosine. */
function envelope(t: number, seconds: number): number {
  const rise = Math.min(1, t / ATTACK_SECONDS, Math.max(0, (seconds - t) / RELEASE_SECONDS));
  return 0.5 - 0.5 * Math.cos(Math.PI * rise);
}

interface State {
  x: number;
  y: number;
}

/** y' in units of gamma. */
function acceleration(x: number, y: number, alpha: number, beta: number): number {
  return -alpha - x * (beta + x * (x - 1)) - x * y * (x + 1);
}

/** One step of the classical fourth-order method. */
function rungeKutta(state: State, alpha: number, beta: number, h: number): void {
  const { x, y } = state;
  const a1 = acceleration(x, y, alpha, beta);
  const y2 = y + (h / 2) * a1;
  const a2 = acceleration(x + (h / 2) * y, y2, alpha, beta);
  const y3 = y + (h / 2) * a2;
  const a3 = acceleration(x + (h / 2) * y2, y3, alpha, beta);
  const y4 = y + h * a3;
  const a4 = acceleration(x + h * y3, y4, alpha, beta);
  state.x = x + (h / 6) * (y + 2 * y2 + 2 * y3 + y4);
  state.y = y + (h / 6) * (a1 + 2 * a2 + 2 * a3 + a4);
}

/** p(t) = s(t) - r p(t - 2L/c), in place: the wave that the open beak throws back, with its sign turned. */
function passTrachea(wave: Float32Array, delay: number): void {
  for (let i = delay; i < wave.length; i++) wave[i] = wave[i]! - REFLECTION * wave[i - delay]!;
}

/** Every `factor`th value of the low-passed source (cut off at the new Nyquist frequency), added from `first` on. */
function addDecimated(source: Float32Array, factor: number, sound: Float32Array, first: number): void {
  const filter = lowPass(factor);
  const middle = (filter.length - 1) / 2;
  for (let n = Math.max(0, -first); n * factor < source.length && first + n < sound.length; n++) {
    let sum = 0;
    const start = n * factor - middle;
    const from = Math.max(0, -start);
    const to = Math.min(filter.length, source.length - start);
    for (let k = from; k < to; k++) sum += filter[k]! * source[start + k]!;
    sound[first + n] = sound[first + n]! + sum;
  }
}

/** A Hann-windowed sinc of 8 output samples on either side, summing to 1. */
function lowPass(factor: number): Float32Array {
  const middle = 8 * factor;
  const taps = Float32Array.from({ length: 2 * middle + 1 }, (_, i) => {
    const x = (i - middle) / factor;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * (i - middle)) / (middle + 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** Tension against angular frequency (in units of gamma) at full pressure, both rising; measured once. */
let calibration: { frequency: number; tension: number }[] | undefined;

/** The tension that gives an angular frequency, by linear interpolation; the nearest one outside of the table. */
function tensionFor(frequency: number): number {
  calibration ??= Array.from({ length: 40 }, (_, i) => {
    const tension = 0.03 * 1.17 ** i; // to 13.6
    return { tension, frequency: measureFrequency(tension) };
  });
  let [low, high] = [0, calibration.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (calibration[middle]!.frequency <= frequency) low = middle;
    else high = middle;
  }
  const [below, above] = [calibration[low]!, calibration[high]!];
  const share = (frequency - below.frequency) / (above.frequency - below.frequency);
  return below.tension + (above.tension - below.tension) * Math.min(1, Math.max(0, share));
}

/** Over the upward crossings of y = 0 after the oscillation has settled, located between steps. */
function measureFrequency(tension: number): number {
  const step = 0.05;
  const state: State = { x: -0.02, y: 0 };
  const crossings: number[] = [];
  for (let t = 0; t < 300; t += step) {
    const before = state.y;
    rungeKutta(state, FULL_PRESSURE, tension, step);
    if (t > 150 && before < 0 && state.y >= 0) crossings.push(t + (step * before) / (before - state.y));
  }
  return (2 * Math.PI * (crossings.length - 1)) / (crossings.at(-1)! - crossings[0]!);
}
