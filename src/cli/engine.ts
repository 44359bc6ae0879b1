/** The GPU for a verb. */
import { Option } from 'commander';
import { DeviceError } from '../device/errors.js';
import type { OpenOptions } from '../device/open.js';
import type { Engine } from '../kernel/engine.js';

/** `--adapter`, for every verb that computes. Its value goes to `withEngine`. */
export const adapterOption = (): Option =>
  new Option('--adapter <name>', "part of a GPU's name, or lavapipe, swiftshader (default: the fastest there is)").env(
    'LYREBIRD_ADAPTER',
  );

/**
 * Opens a GPU, runs `body` with an engine on it, and closes it however `body` ends, so that the process can end too.
 * Throws a `DeviceError` that says what to do where no adapter serves.
 */
export async function withEngine<T>(
  { adapter, toggles, quiet }: Pick<OpenOptions, 'adapter' | 'toggles' | 'quiet'>,
  body: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { openGpu } = await loadDevice();
  const { Engine } = await import('../kernel/engine.js');
  const gpu = await openGpu({ adapter, toggles, quiet });
  try {
    return await body(new Engine(gpu));
  } finally {
    gpu.close();
  }
}

/**
 * The same for long work: without the bounds checks that Dawn adds to every access in a kernel. The kernels keep within
 * bounds by themselves, and the tests run with the checks; without them SwiftShader is about a quarter faster.
 */
export const withFastEngine: typeof withEngine = ({ toggles = [], ...options }, body) =>
  withEngine({ ...options, toggles: [...toggles, 'disable_robustness'] }, body);

/** Loads the WebGPU library; its binary is what fails on a platform that it does not know. */
async function loadDevice() {
  try {
    return await import('../device/open.js');
  } catch (error) {
    const { message } = error as Error;
    throw new DeviceError(
      `The WebGPU library does not load on this machine (${process.platform} ${process.arch}): ${message.split('\n', 1)[0]}. ` +
        "Run 'npm install' again on this machine itself. There are binaries for Linux with glibc (not musl), macOS and Windows.",
      { cause: error },
    );
  }
}
