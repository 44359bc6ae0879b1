/** What a microphone in the field hears besides the bird. All sounds are added to `sound`, in place. */

import type { Random } from './random.js';

/** Pink noise (Kellet's filter: three poles, within 0.5 dB of 1/f from 10 Hz up) of root mean square about `level`. */
export function addPinkNoise(sound: Float32Array, level: number, random: Random): void {
  let [slow, middle, fast] = [0, 0, 0];
  for (let i = 0; i < sound.length; i++) {
    const white = 2 * random.next() - 1;
    slow = 0.99765 * slow + 0.099046 * white;
    middle = 0.963 * middle + 0.2965164 * white;
    fast = 0.57 * fast + 1.0526913 * white;
    sound[i] = sound[i]! + level * 0.6 * (slow + middle + fast + 0.1848 * white);
  }
}

/** Wind: noise falling by 12 dB per octave above 150 Hz, in gusts of one to three seconds. */
export function addWind(sound: Float32Array, level: number, sampleRate: number, random: Random): void {
  const smoothing = 1 - Math.exp((-2 * Math.PI * 150) / sampleRate);
  const gust = (2 * Math.PI) / (random.between(1, 3) * sampleRate);
  const phase = random.between(0, 2 * Math.PI);
  let [once, twice] = [0, 0];
  for (let i = 0; i < sound.length; i++) {
    once += smoothing * (2 * random.next() - 1 - once);
    twice += smoothing * (once - twice);
    sound[i] = sound[i]! + level * 12 * twice * (0.6 + 0.4 * Math.sin(gust * i + phase));
  }
}

/** A song from far away: without its highest tones, and blurred by echoes from trunks and ground. */
export function addDistant(
  sound: Float32Array,
  song: Float32Array,
  level: number,
  sampleRate: number,
  random: Random,
): void {
  const echoes = Array.from({ length: 6 }, (_, k) => ({
    delay: Math.round(random.between(0.2, 1) * 0.03 * (k + 1) * sampleRate),
    gain: level * 0.6 ** (k + 1),
  }));
  const smoothing = 1 - Math.exp((-2 * Math.PI * 5000) / sampleRate);
  let dull = 0;
  for (let i = 0; i < sound.length; i++) {
    dull += smoothing * (song[i]! - dull);
    sound[i] = sound[i]! + level * dull;
    for (const { delay, gain } of echoes) {
      if (i + delay < sound.length) sound[i + delay] = sound[i + delay]! + gain * dull;
    }
  }
}
