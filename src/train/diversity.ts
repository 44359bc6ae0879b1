/** How much the images of a class differ from each other, beside how training images do. */
import { type ImageSource, subsetOf } from '../data/store.js';
import { ofClass } from './kinds.js';

/** Images of a class that are looked at. */
export const LOOKED_AT = 10;

/**
 * The root of the variance of each pixel among the images of a class, of the mean over pixels and classes: 0 if all images of
 * a class are the same. Undefined without two images of any class.
 */
export async function imageSpread(source: ImageSource, classes: number): Promise<number | undefined> {
  const length = source.channels * source.size ** 2;
  const image = new Float32Array(length);
  let [variance, counted] = [0, 0];
  for (let label = 0; label < classes; label++) {
    const members = ofClass(source, label);
    if (members.length < 2) continue;
    const sum = new Float64Array(length);
    const squares = new Float64Array(length);
    for (const member of members) {
      await source.read(member, image);
      image.forEach((value, i) => {
        sum[i]! += value;
        squares[i]! += value * value;
      });
    }
    const count = members.length;
    variance += squares.reduce((total, square, i) => total + (square - sum[i]! ** 2 / count) / (count - 1), 0) / length;
    counted++;
  }
  return counted > 0 ? Math.sqrt(Math.max(0, variance) / counted) : undefined;
}

/** The spread of evenly chosen training images, at most so many of each class as are looked at of generated ones. */
export function imageSpreadOfSome(source: ImageSource, classes: number): Promise<number | undefined> {
  const chosen = Array.from({ length: classes }, (_, label) => {
    const members = ofClass(source, label);
    const count = Math.min(LOOKED_AT, members.length);
    return Array.from({ length: count }, (_one, i) => members[Math.floor((i * members.length) / count)]!);
  });
  return imageSpread(subsetOf(source, chosen.flat()), classes);
}
