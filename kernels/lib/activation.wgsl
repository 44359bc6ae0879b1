// Activations that other kernels end with, and their derivatives.
//
// ACTIVATION: 0 none, 1 relu, 2 leaky_relu(slope), 3 tanh, 4 sigmoid, 5 relu6, 6 scaled_hard_sigmoid, 7 softplus.
// NaN stays NaN, by comparisons that it fails (max and clamp may give 0), so that a network that has gone wrong cannot look well.
// Host guarantees: the constant ACTIVATION is one of these.
// The derivative is taken from the output y, so that the input need not be kept; softplus: y = log(1 + e^x), so
// e^x = e^y - 1 and the derivative is 1 - e^-y. At the kinks it is PyTorch's choice: zero at and beyond the corners.

/// x from 0 to 6, NaN as NaN.
fn within_6(x: f32) -> f32 {
  return select(select(x, 0.0, x < 0.0), 6.0, x > 6.0);
}

fn activate(x: f32, slope: f32) -> f32 {
  switch ACTIVATION {
    case 1u: { return select(x, 0.0, x < 0.0); }
    case 2u: { return select(slope * x, x, x > 0.0); }
    case 3u: {
      // By the even function of exp(-2|x|): no overflow, and exact signs. Near zero the series keeps the relative accuracy.
      let a = abs(x);
      let e = exp(-2.0 * a);
      let x2 = x * x;
      let series = a * (1.0 - x2 * (1.0 / 3.0 - x2 * (2.0 / 15.0)));
      return sign(x) * select((1.0 - e) / (1.0 + e), series, a < 0.05);
    }
    case 4u: {
      let e = exp(-abs(x));
      return select(e, 1.0, x >= 0.0) / (1.0 + e);
    }
    case 5u: { return within_6(x); }
    case 6u: { return within_6(x + 3.0) / 3.0; }
    case 7u: {
      let e = exp(-abs(x));
      // log(1 + e) loses e below 1e-7; there the series e - e^2/2 is exact.
      return select(x, 0.0, x < 0.0) + select(log(1.0 + e), e * (1.0 - 0.5 * e), e < 1e-3);
    }
    default: { return x; }
  }
}

fn activation_derivative(y: f32, slope: f32) -> f32 {
  switch ACTIVATION {
    case 1u: { return select(0.0, 1.0, y > 0.0); }
    case 2u: { return select(slope, 1.0, y > 0.0); }
    case 3u: { return 1.0 - y * y; }
    case 4u: { return y * (1.0 - y); }
    case 5u: { return select(0.0, 1.0, y > 0.0 && y < 6.0); }
    case 6u: { return select(0.0, 1.0 / 3.0, y > 0.0 && y < 2.0); }
    case 7u: { return select(1.0 - exp(-y), y * (1.0 - 0.5 * y), y < 1e-3); }
    default: { return 1.0; }
  }
}

fn activate4(x: vec4f, slope: f32) -> vec4f {
  return vec4f(activate(x.x, slope), activate(x.y, slope), activate(x.z, slope), activate(x.w, slope));
}

fn activation_derivative4(y: vec4f, slope: f32) -> vec4f {
  return vec4f(
    activation_derivative(y.x, slope), activation_derivative(y.y, slope),
    activation_derivative(y.z, slope), activation_derivative(y.w, slope),
  );
}
