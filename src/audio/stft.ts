/**
 * Short-time Fourier spectrograms on the GPU, with rows linear in frequency or on Slaney's mel scale: for comparison with
 * wavelets, and for recognisers that were trained on such images.
 *
 * A window is reflected at both ends. Frame t, centred at its sample t hop, is weighted with Hann's window and transformed
 * to X; a row is a sum of |X|^2 over the frequencies around its own (see createFilterbank), and a pixel the mean over its
 * samples, each of which has the energy of the frame whose centre is nearest.
 */
import type { Engine } from '../kernel/engine.js';
import { reshaped, type Tensor } from '../memory/tensor.js';
import { fill } from '../ops/elementwise.js';
import { frameSizes, stftRowFrequency } from '../reference/stft.js';
import { type Canvas, checkWindow, pixelEdges, reflected, usableLimit } from './canvas.js';
import { realFft, rootsOfUnity } from './fft.js';
import { createFilterbank, type Filterbank } from './filterbank.js';
import { hann } from './shortTime.js';

/** Bytes of the frames that are transformed at a time. */
const WORKING_BYTES = 2 ** 22;

export interface StftOptions extends Canvas {
  readonly transform: 'stft' | 'mel';
  /** Length of a frame, and from one to the next, seconds. */
  readonly frame: number;
  readonly frameHop: number;
}

/** What windows of one length and sample rate have in common. */
export interface StftPlan {
  /** Samples of a frame, even. */
  readonly length: number;
  /** Points of a frame's transform. */
  readonly size: number;
  readonly hop: number;
  readonly frames: number;
  /** Samples reflected at each end, so that the first and the last frame are full. */
  readonly padding: number;
  /** Rows at the top that are beyond what the sample rate can hold. */
  readonly silentRows: number;
  readonly filterbank: Filterbank;
  /** Where pixels begin and end, [width + 1], in samples of the window: half-way between two. */
  readonly edges: Float32Array;
}

/** Plans windows of `samples` samples. Throws a `UserError` for windows that are too short, or hold nothing of the band. */
export function planStft(samples: number, sampleRate: number, options: StftOptions): StftPlan {
  checkWindow(samples, sampleRate, options);
  const { length, size, hop } = frameSizes({ ...options, sampleRate });
  const limit = usableLimit(sampleRate);
  let silentRows = 0;
  while (stftRowFrequency(silentRows, options) > limit) silentRows++;
  return {
    length,
    size,
    hop,
    frames: Math.floor((samples - 0.5) / hop + 0.5) + 1,
    padding: length / 2 + Math.ceil(hop / 2),
    silentRows,
    filterbank: createFilterbank(options, sampleRate, length, size),
    edges: pixelEdges(samples, options.width),
  };
}

/** Frames from `first` on, of padded signals [signals, samples] -> [signals, count, size]: weighted, then zeros. */
export function takeFrames(
  e: Engine,
  { length, size, hop, padding }: StftPlan,
  signals: Tensor,
  window: Tensor,
  first: number,
  count: number,
): Tensor {
  const [many, samples] = signals.shape;
  const frames = e.empty([many!, count, size]);
  e.dispatch({
    file: 'stft_frames',
    tensors: [signals, window, frames],
    params: { samples: samples!, length, n: size, hop, start: padding - length / 2 + first * hop, frames: count },
    grid: [Math.ceil(size / 64), count, many!],
  });
  return frames;
}

/**
 * Energies of the pixels, a tensor [windows, rows, width], row 0 at fmax. All windows have the same length. Errors: see
 * `planStft`.
 */
export function stftEnergy(
  e: Engine,
  windows: readonly Float32Array[],
  sampleRate: number,
  options: StftOptions,
): Tensor {
  const { rows, width } = options;
  const plan = planStft(windows[0]!.length, sampleRate, options);
  const { length, size, padding, filterbank } = plan;
  const chunks = planChunks(plan, width);
  const atATime = Math.max(1, Math.floor(WORKING_BYTES / (4 * size * Math.max(...chunks.map(({ frames }) => frames)))));
  rootsOfUnity(e, size);
  return e.scope(() => {
    const energy = e.empty([windows.length, rows, width]);
    if (plan.silentRows > 0) fill(e, energy, 0);
    const tables = {
      window: e.upload(Float32Array.from(hann(length)), [length]),
      bands: e.upload(filterbank.bands, [rows, 4]),
      weights: e.upload(filterbank.weights, [filterbank.weights.length]),
      edges: e.upload(plan.edges, [width + 1]),
    };
    for (let first = 0; first < windows.length; first += atATime) {
      const part = windows.slice(first, first + atATime);
      e.scope(() => {
        const samples = part[0]!.length + 2 * padding;
        const signals = e.upload(reflected(part, padding, samples), [part.length, samples]);
        for (const chunk of chunks) e.scope(() => chunkEnergy(e, plan, chunk, signals, tables, energy, first));
        return undefined;
      });
    }
    return energy;
  });
}

/** Neighbouring columns, and the frames that they are made of. */
interface Chunk {
  readonly firstColumn: number;
  readonly columns: number;
  readonly firstFrame: number;
  readonly frames: number;
}

/** As many columns at a time as the frames of one window may take of memory; one at least. */
function planChunks({ size, hop, edges }: StftPlan, width: number): Chunk[] {
  const most = Math.floor(WORKING_BYTES / (4 * size));
  const frameAt = (edge: number) => Math.floor(edges[edge]! / hop + 0.5);
  const chunks: Chunk[] = [];
  for (let firstColumn = 0; firstColumn < width; ) {
    let end = firstColumn + 1;
    const firstFrame = frameAt(firstColumn);
    while (end < width && frameAt(end + 1) - firstFrame < most) end++;
    chunks.push({ firstColumn, columns: end - firstColumn, firstFrame, frames: frameAt(end) - firstFrame + 1 });
    firstColumn = end;
  }
  return chunks;
}

/** The energies of a chunk's columns, of the windows from `firstWindow` whose padded signals are given, into their place. */
function chunkEnergy(
  e: Engine,
  plan: StftPlan,
  chunk: Chunk,
  signals: Tensor,
  tables: Readonly<Record<'window' | 'bands' | 'weights' | 'edges', Tensor>>,
  energy: Tensor,
  firstWindow: number,
): undefined {
  const { size, hop, silentRows } = plan;
  const many = signals.shape[0]!;
  const [, rows, width] = energy.shape;
  const frames = takeFrames(e, plan, signals, tables.window, chunk.firstFrame, chunk.frames);
  const spectra = realFft(e, reshaped(frames, [many * chunk.frames, size]));
  e.dispatch({
    file: 'stft_energy',
    tensors: [spectra, tables.bands, tables.weights, tables.edges, energy],
    params: {
      frames: chunk.frames,
      bins: size / 2 + 1,
      first_frame: chunk.firstFrame,
      first_column: chunk.firstColumn,
      columns: chunk.columns,
      first_row: silentRows,
      all_rows: rows!,
      width: width!,
      first_signal: firstWindow,
      hop,
    },
    grid: [Math.ceil(chunk.columns / 32), rows! - silentRows, many],
  });
}
