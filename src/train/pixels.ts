/** Images as plain vectors of levels: what can be compared without any network. */
import type { ImageSource } from '../data/store.js';
import { type Points, toPoints } from '../metrics/points.js';

/** Levels, black 0 and white 1, of images brought to `most` x `most` pixels by means of blocks where they are larger. */
export async function pixelsOf(source: ImageSource, most: number): Promise<Points> {
  const { size, channels, labels } = source;
  const side = Math.min(most, size);
  const block = size / side;
  const values = new Float64Array(labels.length * channels * side * side);
  const image = new Float32Array(channels * size * size);
  for (const n of labels.keys()) {
    await source.read(n, image);
    for (let row = 0; row < channels * size; row++) {
      const to = (n * channels * side + Math.floor(row / block)) * side;
      for (let x = 0; x < size; x++) {
        values[to + Math.floor(x / block)]! += (image[row * size + x]! + 1) / 2 / block ** 2;
      }
    }
  }
  return toPoints(values, channels * side * side);
}
