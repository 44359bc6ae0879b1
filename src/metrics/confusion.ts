/** How often a classifier names the right class. */

/** [true class][named class]: numbers of images. */
export function confusionMatrix(labels: Int32Array, named: Int32Array, classes: number): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, label] of labels.entries()) confusion[label]![named[i]!]!++;
  return confusion;
}

/** For each image 1 if it was named rightly, else 0: the accuracy is the mean. */
export const hits = (labels: Int32Array, named: Int32Array): Float64Array =>
  Float64Array.from(labels, (label, i) => (label === named[i] ? 1 : 0));

/**
 * The position of the greatest value in each row of logits [rows, columns], of equal ones the first; only the first `classes`
 * columns are looked at.
 */
export function argmaxRows(logits: ArrayLike<number>, columns: number, classes = columns): Int32Array {
  return Int32Array.from({ length: logits.length / columns }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) if (logits[row * columns + k]! > logits[row * columns + best]!) best = k;
    return best;
  });
}
