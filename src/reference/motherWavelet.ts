/**
 * Analytic wavelets as what their spectra are over u, a frequency over the wavelet's own: largest at u = 1, where they are
 * 1, and 0 for u <= 0.
 *
 * - morlet: exp(-(w0 (u - 1))^2 / 2), a Gaussian. w0 is u's ratio to its standard deviation.
 * - morse: u^beta exp(-beta (u^gamma - 1) / gamma), the generalised Morse wavelets (Olhede and Walden 2002, Lilly and Olhede
 *   2009) of order 0 over their peak frequency (beta / gamma)^(1 / gamma). Unlike Morlet's they are analytic whatever
 *   their width; gamma 3 is the most symmetric.
 * - bump: exp(1 - 1 / (1 - (mu (u - 1) / sigma)^2)) where mu |u - 1| < sigma, else 0 (Daubechies, Lu and Wu 2011, and
 *   MATLAB's `bump`): nothing at all outside of a band, at the price of long tails in time.
 */
export type MotherWavelet =
  | { readonly transform: 'morlet'; readonly w0: number }
  | { readonly transform: 'morse'; readonly beta: number; readonly gamma: number }
  | { readonly transform: 'bump'; readonly mu: number; readonly sigma: number };

/** The wavelet's spectrum at u. */
export function waveletSpectrum(wavelet: MotherWavelet, u: number): number {
  if (u <= 0) return 0;
  switch (wavelet.transform) {
    case 'morlet':
      return Math.exp(-((wavelet.w0 * (u - 1)) ** 2) / 2);
    case 'morse':
      // By the logarithm: u^beta alone may be beyond all numbers.
      return Math.exp(wavelet.beta * (Math.log(u) - (u ** wavelet.gamma - 1) / wavelet.gamma));
    case 'bump': {
      const distance = (wavelet.mu * (u - 1)) / wavelet.sigma;
      return Math.abs(distance) < 1 ? Math.exp(1 - 1 / (1 - distance ** 2)) : 0;
    }
  }
}

/**
 * The w0 of the Morlet wavelet whose spectrum has the same curvature at its peak: 2 pi times the periods that fit into one
 * standard deviation of the wavelet in time. sqrt(beta gamma) for morse, sqrt(2) mu / sigma for bump.
 */
export function sharpness(wavelet: MotherWavelet): number {
  switch (wavelet.transform) {
    case 'morlet':
      return wavelet.w0;
    case 'morse':
      return Math.sqrt(wavelet.beta * wavelet.gamma);
    case 'bump':
      return (Math.SQRT2 * wavelet.mu) / wavelet.sigma;
  }
}

/** From where to where in u the spectrum is above exp(-4.5^2 / 2), 4e-5: Morlet's 4.5 standard deviations. */
export function waveletSupport(wavelet: MotherWavelet): [number, number] {
  const least = Math.exp(-(4.5 ** 2) / 2);
  const edge = (inside: number, outside: number): number => {
    for (let i = 0; i < 60; i++) {
      const middle = (inside + outside) / 2;
      if (waveletSpectrum(wavelet, middle) > least) inside = middle;
      else outside = middle;
    }
    return outside;
  };
  let beyond = 2;
  while (waveletSpectrum(wavelet, beyond) > least) beyond *= 2;
  return [edge(1, 0), edge(1, beyond)];
}
