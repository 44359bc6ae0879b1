/** New recordings through a classifier, window by window, as its training images were made. */
import { openRecording } from '../audio/decode.js';
import { createSpectrogrammer } from '../audio/spectrogram.js';
import { cutWindows, type SoundWindow, type Spectrogrammer } from '../audio/windows.js';
import type { Parameters } from '../data/schema.js';
import { reasonOf } from '../data/source.js';
import { sourceOf } from '../data/store.js';
import { ahead } from '../io/ahead.js';
import { onlyUserErrors, UserError } from '../io/errors.js';
import { resizeLevels } from '../io/pixels.js';
import type { Engine } from '../kernel/engine.js';
import type { Classifier } from '../models/classifier.js';
import type { Network } from '../nn/network.js';
import type { NamedWindow } from './detections.js';
import { type Model, openModel } from './files.js';
import { probabilitiesOf } from './judge.js';

export interface Predictor {
  /** How the windows are cut and made into images. */
  readonly parameters: Parameters;
  /**
   * Names the windows of a recording, in order of time. Silent windows have no name. `onWindows` is told how far it is, seconds.
   * What the user can mend (a bad file) comes back as a reason, in words that follow the file's name.
   */
  predict(
    path: string,
    onWindows?: (at: number) => void,
    signal?: AbortSignal,
  ): Promise<Prediction | { fault: string }>;
  destroy(): void;
}

export interface Prediction {
  readonly windows: readonly NamedWindow[];
  /** Of the recording. */
  readonly seconds: number;
  readonly sampleRate: number;
  /** Damage that it was used in spite of. */
  readonly note?: string | undefined;
}

/** Windows at a time. */
const BATCH = 32;

/**
 * Opens a model to be used. `hop`: seconds from one window to the next, instead of that of its training images. Throws a
 * UserError if the model was trained on pictures that do not say how they were made.
 */
export function createPredictor(e: Engine, model: Model, hop?: number): Predictor {
  const { shown } = model.info;
  if (!shown) {
    throw new UserError(
      `"${model.file}" was trained on pictures that do not say how they were made of sound, so it cannot be used on recordings.`,
    );
  }
  const every = hop ?? shown.parameters.hop;
  if (every > shown.parameters.window) {
    throw new UserError(
      `Windows are ${shown.parameters.window} s long: with --hop ${every} some sound would be passed over.`,
    );
  }
  // A grid, and of all that sounds: what is no event, or too loud to learn from, must be heard, too.
  const parameters: Parameters = {
    ...shown.parameters,
    windows: 'grid',
    noiseWindows: 0,
    maxWindows: null,
    dropClipped: false,
    hop: every,
  };
  const network = openModel(e, model);
  const use = { e, network, model, parameters, spectrogrammer: createSpectrogrammer(e, parameters) };
  return {
    parameters,
    predict: (path, onWindows, signal) => predict(use, path, onWindows, signal),
    destroy: () => network.destroy(),
  };
}

interface Use {
  readonly e: Engine;
  readonly network: Network<Classifier>;
  readonly model: Model;
  readonly parameters: Parameters;
  readonly spectrogrammer: Spectrogrammer;
}

async function predict(
  use: Use,
  path: string,
  onWindows?: (at: number) => void,
  signal?: AbortSignal,
): Promise<Prediction | { fault: string }> {
  const { parameters } = use;
  const sound = await openRecording(path, parameters).catch(onlyUserErrors);
  if (sound instanceof UserError) return { fault: reasonOf(sound) };
  const { sampleRate } = sound;
  try {
    if (sampleRate / 2 <= parameters.fmin) {
      return {
        fault: `holds nothing above ${sampleRate / 2} Hz, but what it is to be told by begins at ${parameters.fmin} Hz`,
      };
    }
    const windows: NamedWindow[] = [];
    let short: string | undefined;
    for await (const stretch of ahead(sound.stretches)) {
      const cut = cutWindows(stretch, { ...parameters, toEnd: true });
      if (cut.windows.length === 0 && windows.length === 0) short = cut.skipped[0]?.reason;
      for (let first = 0; first < cut.windows.length; first += BATCH) {
        signal?.throwIfAborted();
        windows.push(...(await named(use, cut.windows.slice(first, first + BATCH))));
        onWindows?.(windows.at(-1)!.end);
      }
    }
    const { seconds, note } = sound.ending();
    if (windows.length === 0 && short !== undefined) return { fault: short };
    return {
      windows: windows.map((each) => ({ ...each, end: Math.min(each.end, seconds) })),
      seconds,
      sampleRate,
      note,
    };
  } catch (error) {
    if (error instanceof UserError) return { fault: reasonOf(error) };
    throw error;
  } finally {
    await sound.close();
  }
}

async function named(
  { e, network, model, parameters, spectrogrammer }: Use,
  windows: SoundWindow[],
): Promise<NamedWindow[]> {
  const { size, channels } = model.config;
  const classes = model.info.classes.length;
  const spectrograms = await spectrogrammer(windows);
  const length = size ** 2;
  const images = new Float32Array(windows.length * channels * length);
  for (const [n, values] of spectrograms.entries()) {
    // As the pictures that it was trained on: 256 levels, then the size of training.
    const levels = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
    const resized = await resizeLevels(levels, parameters.size, size);
    const image = Float32Array.from(resized, (level) => level / 127.5 - 1);
    for (let c = 0; c < channels; c++) images.set(image, (n * channels + c) * length);
  }
  const source = sourceOf(images, new Int32Array(windows.length), size);
  const probabilities = await probabilitiesOf(e, network, source, classes);
  return windows.map(({ start }, n) => ({
    start,
    end: start + parameters.window,
    probabilities: [...probabilities.subarray(n * classes, (n + 1) * classes)],
  }));
}
