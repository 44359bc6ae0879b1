/** Invented species: what each sings, and how its individuals differ. */

import type { Random } from './random.js';
import type { Note, Voice } from './vocalTract.js';

/** One bird: factors that make its song its own. */
export interface Bird extends Voice {
  name: string;
  /** Multiplies every pitch. */
  pitch: number;
  /** Divides every duration. */
  tempo: number;
  /** How many notes it likes in a phrase, relative to its species. */
  length: number;
  /** Which variant of the song it prefers, 0 to 1. */
  variant: number;
}

/** A phrase before the bird's own tempo and pitch: notes and the pause that follows. */
interface Phrase {
  notes: Note[];
  /** To the start of the next phrase, seconds. */
  seconds: number;
}

export interface Species extends Voice {
  name: string;
  phrase: (bird: Bird, random: Random) => Phrase;
}

const glide = (from: number, to: number) => (_: number, u: number) => from * (to / from) ** u;
const steady = (pitch: number) => () => pitch;

/** `count` equal notes, one each `period` seconds, sounding for the share `duty` of it. */
function repeat(count: number, period: number, duty: number, pitch: Note['pitch'], from = 0): Note[] {
  return Array.from({ length: count }, (_, i) => ({ at: from + i * period, seconds: period * duty, pitch }));
}

const about = (count: number, bird: Bird) => Math.max(1, Math.round(count * bird.length));

/** Distinct in band, duration and rhythm even on a picture of 32 * 32 pixels over 2 s and 500 to 12 000 Hz. */
export const allSpecies: readonly Species[] = [
  {
    name: 'trill',
    middlePitch: 4500,
    trachea: 0.019,
    phrase(bird) {
      const count = about(12, bird);
      const period = 0.09;
      return { notes: repeat(count, period, 0.6, glide(6200, 4000)), seconds: count * period + 0.35 };
    },
  },
  {
    name: 'whistle',
    middlePitch: 2600,
    trachea: 0.032,
    phrase(bird, random) {
      const pitch = random.next() < bird.variant ? 3000 : 2500;
      const vibrato = (t: number) => pitch * (1 + 0.01 * Math.sin(2 * Math.PI * 7 * t));
      return { notes: [{ at: 0, seconds: 0.7, pitch: vibrato }], seconds: 1 };
    },
  },
  {
    name: 'down-sweep',
    middlePitch: 3800,
    trachea: 0.024,
    phrase(bird) {
      const end = 2200 + 500 * bird.variant;
      return { notes: [{ at: 0, seconds: 0.45, pitch: glide(8200, end) }], seconds: 0.7 };
    },
  },
  {
    name: 'up-sweep',
    middlePitch: 3200,
    trachea: 0.026,
    phrase(bird) {
      const end = 6200 + 1000 * bird.variant;
      return { notes: [{ at: 0, seconds: 0.45, pitch: glide(1700, end) }], seconds: 0.7 };
    },
  },
  {
    name: 'two-part song',
    middlePitch: 3000,
    trachea: 0.027,
    phrase(bird) {
      const opening: Note = { at: 0, seconds: 0.42, pitch: steady(1700 + 200 * bird.variant) };
      const count = about(8, bird);
      const trill = repeat(count, 0.07, 0.65, glide(7800, 6200), 0.5);
      return { notes: [opening, ...trill], seconds: 0.5 + count * 0.07 + 0.3 };
    },
  },
  {
    name: 'buzz',
    middlePitch: 4200,
    trachea: 0.021,
    phrase(bird) {
      const centre = 4300 + 300 * bird.variant;
      const flutter = (t: number) => centre * (1 + 0.3 * Math.sin(2 * Math.PI * 95 * t));
      return { notes: [{ at: 0, seconds: 0.75, pitch: flutter }], seconds: 1.15 };
    },
  },
  {
    name: 'chirp pairs',
    middlePitch: 5000,
    trachea: 0.017,
    phrase() {
      const high: Note = { at: 0, seconds: 0.07, pitch: glide(9000, 8000) };
      const low: Note = { at: 0.16, seconds: 0.09, pitch: glide(3600, 3000) };
      return { notes: [high, low], seconds: 0.5 };
    },
  },
  {
    name: 'warble',
    middlePitch: 2700,
    trachea: 0.03,
    phrase(bird) {
      const rate = 4 + bird.variant;
      const wave = (t: number) => 2700 * 1.7 ** Math.sin(2 * Math.PI * rate * t);
      return { notes: [{ at: 0, seconds: 1.2, pitch: wave }], seconds: 1.5 };
    },
  },
];

/** An individual of a species. */
export function createBird(species: Species, name: string, random: Random): Bird {
  return {
    name,
    middlePitch: species.middlePitch,
    trachea: species.trachea * random.between(0.9, 1.1),
    pitch: 2 ** random.between(-0.14, 0.14), // up to 10 %
    tempo: 2 ** random.between(-0.22, 0.22), // up to 16 %
    length: random.between(0.75, 1.25),
    variant: random.next(),
  };
}

/** Phrase after phrase, each a little unlike the last, so that a recording begins and ends in the midst of the song. */
export function composeSong(species: Species, bird: Bird, seconds: number, random: Random): Note[] {
  const song: Note[] = [];
  for (let at = -random.between(0, 1.5); at < seconds; ) {
    const tempo = bird.tempo * random.between(0.97, 1.03);
    const pitch = bird.pitch * random.between(0.985, 1.015);
    const phrase = species.phrase(bird, random);
    for (const note of phrase.notes) {
      song.push({
        at: at + note.at / tempo,
        seconds: note.seconds / tempo,
        pitch: (t, u) => pitch * note.pitch(t, u),
      });
    }
    at += (phrase.seconds / tempo) * random.between(0.95, 1.15);
  }
  return song;
}
