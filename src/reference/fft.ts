/**
 * The discrete Fourier transform X[k] = sum over m of x[m] e^(-2 pi i k m / M), in place, of a complex array whose length
 * M is a power of two: the textbook's radix-2 (Cooley and Tukey 1965). Throws for another length.
 */
export function fft(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  const bits = Math.log2(size);
  if (!Number.isInteger(bits)) throw new Error(`an FFT needs a power of two, not ${size}`);
  for (let i = 0; i < size; i++) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit);
    if (i < reversed) {
      [re[i], re[reversed]] = [re[reversed], re[i]];
      [im[i], im[reversed]] = [im[reversed], im[i]];
    }
  }
  const { cosines, sines } = rootsOf(size);
  for (let half = 1; half < size; half *= 2) {
    const step = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const cosine = cosines[k * step];
        const sine = sines[k * step];
        const [even, odd] = [start + k, start + k + half];
        const oddRe = re[odd] * cosine + im[odd] * sine;
        const oddIm = im[odd] * cosine - re[odd] * sine;
        re[odd] = re[even] - oddRe;
        im[odd] = im[even] - oddIm;
        re[even] += oddRe;
        im[even] += oddIm;
      }
    }
  }
}

interface Roots {
  cosines: Float64Array;
  sines: Float64Array;
}

const tables = new Map<number, Roots>();

/** cos and sin of 2 pi k / size for k = 0 .. size / 2 - 1, computed once for each size. */
function rootsOf(size: number): Roots {
  let roots = tables.get(size);
  if (!roots) {
    const angles = Float64Array.from({ length: size / 2 }, (_, k) => (2 * Math.PI * k) / size);
    roots = { cosines: angles.map(Math.cos), sines: angles.map(Math.sin) };
    tables.set(size, roots);
  }
  return roots;
}

/** The inverse of fft, in place: x[m] = 1 / M * sum over k of X[k] e^(2 pi i k m / M). */
export function inverseFft(re: Float64Array, im: Float64Array): void {
  // With real and imaginary parts exchanged, the forward transform is the inverse one times M.
  fft(im, re);
  for (let i = 0; i < re.length; i++) {
    re[i] /= re.length;
    im[i] /= im.length;
  }
}
