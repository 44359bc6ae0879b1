/** The GPU for a verb. */
import { Option } from 'commander';
import { DeviceError } from '../device/errors.js';
import type { OpenOptions } from '../device/open.js';
import { loadTuning } from '../io/tuning.js';
import type { Engine } from '../kernel/engine.js';

/** `--adapter`, for every verb that computes. Its value goes to `withEngine`. */
export const adapterOption = (): Option =>
  new Option('--adapter <name>', "part of a GPU's name, or lavapipe, swiftshader (default: the fastest there is)").env(
    'LYREBIRD_ADAPTER',
  );

/** `--tuned`, for verbs whose work is long. Its value goes to `withFastEngine`. */
export const tunedOption = (): Option =>
  new Option(
    '--tuned <file>',
    "plans of kernels, as 'lyrebird tune' measured them; none: choose by rule (default: this adapter's own, if there are)",
  ).env('LYREBIRD_TUNED');

/** What the two options give. */
export interface DeviceFlags {
  readonly adapter?: string;
  readonly tuned?: string;
}

interface EngineOptions extends Pick<OpenOptions, 'adapter' | 'toggles' | 'quiet'> {
  /** A file that `lyrebird tune` has written, or 'own': where it writes that of this adapter. Default 'none'. */
  readonly tuned?: string | undefined;
}

/**
 * Opens a GPU, runs `body` with an engine on it, and closes it however `body` ends, so that the process can end too.
 * Throws a `DeviceError` that says what to do where no adapter serves.
 */
export async function withEngine<T>(
  { adapter, toggles, quiet, tuned = 'none' }: EngineOptions,
  body: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { openGpu } = await loadDevice();
  const { Engine } = await import('../kernel/engine.js');
  const gpu = await openGpu({ adapter, toggles, quiet });
  try {
    const note = (line: string): void => console.error(`lyrebird: ${line}`);
    const file = tuned === 'own' ? undefined : tuned;
    const tuning = tuned === 'none' ? undefined : await loadTuning(gpu.info, file, note);
    return await body(new Engine(gpu, {}, tuning));
  } finally {
    gpu.close();
  }
}

/**
 * The same for long work: by the adapter's own tuning, unless another is asked for, and without the bounds checks that Dawn
 * adds to every access in a kernel. The kernels keep within bounds by themselves, and the tests run with the checks; without
 * them SwiftShader is about a quarter faster. Verbs without networks ask for 'none': of their kernels none can be chosen.
 */
export const withFastEngine: typeof withEngine = ({ toggles = [], tuned, ...options }, body) =>
  withEngine({ ...options, tuned: tuned || 'own', toggles: [...toggles, 'disable_robustness'] }, body);

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
