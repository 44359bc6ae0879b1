/**
 * Synthetic recordings, so that everything can be tried without a recording at hand: birds of invented species, whose
 * voices are a physical model (vocalTract), recorded in the field. Every label says that it is synthetic.
 */

import path from 'node:path';
import { UserError } from '../io/errors.js';
import { writeAtomically } from '../io/files.js';
import { addDistant, addPinkNoise, addWind } from './background.js';
import { createRandom, type Random } from './random.js';
import { allSpecies, type Bird, composeSong, createBird, type Species } from './species.js';
import { sing } from './vocalTract.js';
import { encodeWav } from './wav.js';

export interface SynthesisOptions {
  /** Species, 1 to 8. Default 6. */
  species?: number;
  /** Default 10. Every bird is recorded twice. */
  recordingsPerSpecies?: number;
  /** Length of a recording, 1 to 600. Default 4. */
  seconds?: number;
  /** 16 000 to 192 000 Hz. Default 24 000. */
  sampleRate?: number;
  /** Fixes every sample. */
  seed: number;
}

/** A recording in memory. */
export interface SynthesisedRecording {
  /** `synthetic <species>` */
  label: string;
  recording: string;
  /** The individual that sings: it takes the recordist's place when recordings are split. */
  recordist: string;
  /** Mono, in [-1, 1]. */
  samples: Float32Array;
  /** Hz */
  sampleRate: number;
}

/** Labels of what is synthesised begin so. */
const LABELLED = 'synthetic ';

/** Whether any of these classes was synthesised by this program. */
export const areSynthesised = (classes: readonly string[]): boolean =>
  classes.some((label) => label.startsWith(LABELLED));

const defaults = { species: 6, recordingsPerSpecies: 10, seconds: 4, sampleRate: 24000 };
const RECORDINGS_PER_BIRD = 2;

/**
 * Synthesises recordings, one at a time as they are asked for. The same options and seed give the same samples, and a
 * recording does not depend on how many others there are. Throws a UserError that names an option out of its range.
 */
export function* synthesiseEach(options: SynthesisOptions): Generator<SynthesisedRecording, void> {
  const { species: count, recordingsPerSpecies, seconds, sampleRate, seed } = { ...defaults, ...options };
  checkRange('species', count, 1, allSpecies.length);
  checkRange('recordingsPerSpecies', recordingsPerSpecies, 1, 10_000);
  checkRange('seconds', seconds, 1, 600, false);
  checkRange('sampleRate', sampleRate, 16_000, 192_000);
  for (const species of allSpecies.slice(0, count)) {
    for (let i = 0; i < recordingsPerSpecies; i++) {
      const number = Math.floor(i / RECORDINGS_PER_BIRD) + 1;
      const bird = birdOf(species, number, seed);
      const random = createRandom(seed, species.name, 'recording', i);
      const samples = record(species, bird, { seconds, sampleRate, random, seed });
      const recording = `${species.name}-${String(i + 1).padStart(2, '0')}`.replaceAll(' ', '-');
      yield { label: `${LABELLED}${species.name}`, recording, recordist: bird.name, samples, sampleRate };
    }
  }
}

/** All recordings of `synthesiseEach` at once: by default 60 of 4 s, 23 MB. */
export function synthesiseRecordings(options: SynthesisOptions): SynthesisedRecording[] {
  return [...synthesiseEach(options)];
}

/**
 * Writes the recordings below `dir` as `<label>/<recording>.wav`, 16 bits, with a MANIFEST.tsv that names the individual
 * as recordist. Gives their number. Throws a UserError if a file cannot be written.
 */
export async function writeSyntheticRecordings(dir: string, options: SynthesisOptions): Promise<number> {
  const rows = ['file\tlabel\trecording\trecordist\tsample_rate\tchannels\tseconds'];
  for (const { label, recording, recordist, samples, sampleRate } of synthesiseEach(options)) {
    const file = `${label}/${recording}.wav`;
    await writeAtomically(path.join(dir, file), encodeWav(samples, sampleRate));
    const seconds = (samples.length / sampleRate).toFixed(3);
    rows.push([file, label, recording, recordist, sampleRate, 1, seconds].join('\t'));
  }
  await writeAtomically(path.join(dir, 'MANIFEST.tsv'), rows.join('\n') + '\n');
  return rows.length - 1;
}

function birdOf(species: Species, number: number, seed: number): Bird {
  return createBird(
    species,
    `synthetic ${species.name}, bird ${number}`,
    createRandom(seed, species.name, 'bird', number),
  );
}

interface Take {
  seconds: number;
  sampleRate: number;
  random: Random;
  seed: number;
}

/** A bird's song in its surroundings: noise and wind 20 to 45 dB below it, and in half of the recordings another bird. */
function record(species: Species, bird: Bird, { seconds, sampleRate, random, seed }: Take): Float32Array {
  const sound = sing(composeSong(species, bird, seconds, random), bird, seconds, sampleRate);
  if (random.next() < 0.5) {
    const other = random.pick(allSpecies.filter((candidate) => candidate !== species));
    const stranger = birdOf(other, 1 + random.integer(5), seed);
    const song = sing(composeSong(other, stranger, seconds, random), stranger, seconds, sampleRate);
    addDistant(sound, song, 10 ** (random.between(-30, -20) / 20), sampleRate, random);
  }
  addPinkNoise(sound, 10 ** (random.between(-45, -28) / 20), random);
  addWind(sound, 10 ** (random.between(-40, -20) / 20), sampleRate, random);
  return scaleToPeak(sound, random.between(0.25, 0.9));
}

function scaleToPeak(sound: Float32Array, peak: number): Float32Array {
  const loudest = sound.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return sound.map((sample) => (sample * peak) / loudest);
}

function checkRange(name: string, value: number, low: number, high: number, whole = true): void {
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return;
  const kind = whole ? 'a whole number' : 'a number';
  throw new UserError(`"${name}" (${value}) must be ${kind} from ${low} to ${high}.`);
}
