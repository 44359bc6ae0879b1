// The spectra of analytic wavelets at u = 1 + d, a frequency over the wavelet's own; 1 at d = 0, and 0 for u <= 0.
//
//   WAVELET 0, Morlet            exp(-(a d)^2 / 2)                        a = w0
//   WAVELET 1, Morse             u^a exp(-a (u^b - 1) / b)                a = beta, b = gamma
//   WAVELET 2, bump              exp(1 - 1 / (1 - (a d)^2)), |a d| < 1    a = mu / sigma
//
// Sources: src/reference/motherWavelet.ts.

fn wavelet_spectrum(d: f32, a: f32, b: f32) -> f32 {
  if (d <= -1.0) {
    return 0.0;
  }
  let distance = a * d;
  if (WAVELET == 0u) {
    return exp(-0.5 * distance * distance);
  }
  if (WAVELET == 1u) {
    let pitch = log(1.0 + d);
    return exp(a * (pitch - (exp(b * pitch) - 1.0) / b));
  }
  let inside = 1.0 - distance * distance;
  return select(0.0, exp(1.0 - 1.0 / max(inside, 1e-6)), inside > 1e-6);
}
