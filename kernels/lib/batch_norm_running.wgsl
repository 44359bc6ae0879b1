// How a batch moves the running statistics. As in PyTorch, they keep the unbiased variance, over count - 1.
// The kernel has running_mean, running_var: array<f32>, and in its Params momentum and count.

fn update_running(channel: u32, mean: f32, squares: f32) {
  let variance = squares / (f32(p.count) - 1.0);
  running_mean[channel] = (1.0 - p.momentum) * running_mean[channel] + p.momentum * mean;
  running_var[channel] = (1.0 - p.momentum) * running_var[channel] + p.momentum * variance;
}
