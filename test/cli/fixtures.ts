/** Small things to prepare and to train on, and a network that trains on them within a second. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { encodeWav } from '../../src/audio/wav.js';
import { readLog } from '../../src/io/log.js';
import { uniform } from '../../src/reference/random.js';

/** What `--config` names: settings of the smallest networks that work. */
export const TINY = {
  latent: 8,
  base: 8,
  generatorWidths: [8, 6, 4],
  discriminatorWidths: [4, 4, 6, 6],
  batch: 4,
  steps: 6,
  sampleEvery: 3,
  checkpointEvery: 2,
};

/** Writes a file with its folders; objects as JSON. Returns its path. */
export function put(file: string, contents: string | Uint8Array | object): string {
  mkdirSync(path.dirname(file), { recursive: true });
  const isData = typeof contents === 'string' || contents instanceof Uint8Array;
  writeFileSync(file, isData ? contents : JSON.stringify(contents));
  return file;
}

/** A trembling tone in a little noise. */
export function tone(hertz: number, { seconds = 3, rate = 24000, seed = 1 } = {}): Float32Array {
  const noise = uniform(seed, 1, Math.round(seconds * rate));
  return Float32Array.from(noise, (u, i) => {
    const swell = 0.5 + 0.4 * Math.sin(i / 2000);
    return 0.5 * swell * Math.sin((2 * Math.PI * hertz * i) / rate) + 0.02 * (u - 0.5);
  });
}

/** `<dir>/<label>/<n>.wav`: tones of a pitch for each label. */
export function recordings(dir: string, labels: readonly string[], each = 3, seconds = 3): string {
  for (const [k, label] of labels.entries()) {
    for (let i = 1; i <= each; i++) {
      put(path.join(dir, label, `${i}.wav`), encodeWav(tone(2000 + 1500 * k, { seconds, seed: i }), 24000));
    }
  }
  return dir;
}

/** `<dir>/<label>/<n>.png`: plain colours of any size. */
export async function pictures(dir: string, labels: readonly string[], each = 4): Promise<string> {
  for (const [k, label] of labels.entries()) {
    for (let i = 0; i < each; i++) {
      const background = { r: 200 * (k % 2), g: 20 * i, b: 100 };
      const image = sharp({ create: { width: 20 + 13 * i, height: 50 - 7 * i, channels: 3, background } });
      put(
        path.join(dir, label, `${i}.${i === 1 ? 'jpg' : 'png'}`),
        await image.toFormat(i === 1 ? 'jpeg' : 'png').toBuffer(),
      );
    }
  }
  return dir;
}

export const json = <T>(...parts: string[]): T => JSON.parse(readFileSync(path.join(...parts), 'utf8')) as T;

/** The steps whose losses a run's log has, in order. */
export function loggedSteps(run: string): (number | undefined)[] {
  return readLog(path.join(run, 'log.jsonl'))
    .filter(({ lossD }) => lossD !== undefined)
    .map(({ step }) => step);
}

/** 1, 2, ..., n */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/**
 * Presses ^C as soon as `ready` holds. It reaches only the handler that was installed last, which is the program's: the test
 * runner has its own.
 */
export function pressWhen(ready: () => boolean): void {
  const timer = setInterval(() => {
    if (!ready()) return;
    clearInterval(timer);
    process.listeners('SIGINT').at(-1)!('SIGINT');
  }, 2);
}
