/**
 * Whether a generator copies what it was trained on: its images' distances to their nearest training images, beside those of
 * held-out real images. Source: the three-sample test of Meehan et al. 2020, "A non-parametric test to detect data-copying in
 * generative models", of which this is the statistic before normalisation.
 */

/**
 * The chance that one of `distances` is smaller than one of `others`, equal ones counted half (Mann and Whitney's U over the
 * number of pairs): 0.5 where both are alike, 1 where all are smaller. NaN if either is empty.
 */
export function chanceSmaller(distances: Float64Array, others: Float64Array): number {
  const sorted = others.slice().sort();
  let pairs = 0;
  for (const distance of distances) {
    pairs += others.length - (countBelow(sorted, distance, true) + countBelow(sorted, distance, false)) / 2;
  }
  return pairs / (distances.length * others.length);
}

/** How many of the sorted values are below `limit`, or also upon it. */
function countBelow(sorted: Float64Array, limit: number, alsoEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < limit || (alsoEqual && sorted[middle] === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}
