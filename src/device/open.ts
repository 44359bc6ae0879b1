/**
 * Opens a GPU device in Node. This file and its siblings `adapter`, `cache` and `swiftshader` are all of the engine that knows
 * that it runs in Node: the rest takes a `Gpu`.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { create, globals } from 'webgpu';
import {
  chooseByName,
  computeLimits,
  type DeviceInfo,
  defaultBackend,
  deviceLost,
  isSoftware,
  isSwiftShader,
  nameMatches,
  namesInRefusal,
  noAdapter,
  plainName,
  type SubgroupMatrixConfig,
  USEFUL_FEATURES,
  unknownAdapter,
} from './adapter.js';
import { DeviceError } from './errors.js';
import { FALLBACK_NOTICE, preloadVulkanLoader, unpackSwiftShader } from './swiftshader.js';

/** A device and what the engine needs to know of it. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly info: DeviceInfo;
  readonly features: ReadonlySet<string>;
  /** The device's limits: for all that compute work meets, the best that the adapter has. */
  readonly limits: GPUSupportedLimits;
  /** The text of `kernels/<file>`. */
  readKernel(file: string): string;
  /**
   * Awaits what the GPU will deliver. While a promise is pending, Dawn polls without a pause; on a software adapter that would
   * take a core from the driver, so there the wait sleeps in short slices. Throws a `DeviceError` when the device has been lost.
   */
  wait<T>(promise: Promise<T>): Promise<T>;
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** The first validation or out-of-memory error that no error scope caught, if there was one. */
  error(): GPUError | undefined;
  /** Destroys the device and all its buffers. */
  close(): void;
}

export interface OpenOptions {
  /** Part of an adapter's name, whatever the case: 'nvidia', 'lavapipe', 'swiftshader'. Default: LYREBIRD_ADAPTER, else the fastest. */
  adapter?: string;
  /** 'null' compiles every kernel and executes none: for compile tests. */
  backend?: 'null';
  /** Further Dawn toggles to enable. Dawn ignores unknown ones in silence. */
  toggles?: string[];
  /** Says nothing on stderr when SwiftShader stands in. */
  quiet?: boolean;
}

/**
 * Opens the adapter that is asked for; when none is, a real GPU, else lavapipe, else SwiftShader.
 * Throws a `DeviceError` that says what is missing when there is none.
 */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  Object.assign(globalThis, globals);
  const flags = dawnFlags(options.toggles ?? []);
  const adapter =
    options.backend === 'null'
      ? await requestAdapter([...flags, 'backend=null'])
      : await findAdapter(
          flags,
          (options.adapter ?? process.env.LYREBIRD_ADAPTER ?? '').trim(),
          options.quiet ?? false,
        );
  if (!adapter) throw new DeviceError('This build of Dawn has no Null backend.');

  const info = describe(adapter, options.backend ?? defaultBackend(process.platform));
  const device = await adapter
    .requestDevice({
      label: info.name,
      requiredFeatures: USEFUL_FEATURES.filter((name) => adapter.features.has(name)) as GPUFeatureName[],
      requiredLimits: computeLimits(adapter.limits),
    })
    .catch((error: Error) => {
      throw new DeviceError(`The adapter '${info.name}' (${info.driver}) gives no device: ${error.message}`);
    });
  return wrap(device, info);
}

function wrap(device: GPUDevice, info: DeviceInfo): Gpu {
  let firstError: GPUError | undefined;
  let lostInfo: GPUDeviceLostInfo | undefined;
  device.addEventListener('uncapturederror', (event) => {
    // Dawn would write it to stderr; it is thrown at the next sync instead.
    event.preventDefault();
    firstError ??= event.error;
  });
  const lost = device.lost.then((reason) => {
    lostInfo = reason;
    return reason;
  });
  const settle = info.software ? napUntilSettled : <T>(promise: Promise<T>) => promise;

  return {
    device,
    info,
    features: device.features as ReadonlySet<string>,
    limits: device.limits,
    // The same relative place from src/device and from dist/device.
    readKernel: (file) => readFileSync(new URL(`../../kernels/${file}`, import.meta.url), 'utf8'),
    async wait(promise) {
      try {
        return await settle(promise);
      } catch (error) {
        // What was pending when a device is lost is refused first; the loss is told a turn later.
        await turn();
        if (!lostInfo || lostInfo.reason === 'destroyed') throw error;
        throw new DeviceError(deviceLost(info.name, lostInfo.reason, lostInfo.message), { cause: error });
      }
    },
    lost,
    error: () => firstError,
    close: () => device.destroy(),
  };
}

/** The adapter named `wanted`, or the fastest when the name is empty. */
async function findAdapter(flags: string[], wanted: string, quiet: boolean): Promise<GPUAdapter> {
  // This name by itself is the package's SwiftShader, the same on every machine, whatever drivers there are.
  if (plainName(wanted) === 'swiftshader') return startSwiftShader(flags);
  const fastest = await requestAdapter(flags);
  if (wanted === '') {
    if (!fastest) return fallBack(flags, quiet);
    if (!isSwiftShader(fastest.info.device)) return fastest;
    // Dawn tells real GPUs from software, but not a fast software adapter from a slow one.
    return (await requestByName(flags, await adapterNames(flags), 'llvmpipe')) ?? fastest;
  }
  if (fastest && nameMatches(fastest.info.device, wanted)) return fastest;
  const names = fastest ? await adapterNames(flags) : [];
  const named = await requestByName(flags, names, wanted);
  if (named) return named;
  throw new DeviceError(unknownAdapter(wanted, names));
}

async function requestByName(flags: string[], names: string[], wanted: string): Promise<GPUAdapter | null> {
  const name = chooseByName(names, wanted);
  return name === undefined ? null : requestAdapter([...flags, `adapter=${name}`]);
}

/** The names of all adapters. Dawn lists them only in its refusal of a name that it does not know. */
async function adapterNames(flags: string[]): Promise<string[]> {
  try {
    await requestAdapter([...flags, 'adapter=(no such adapter)']);
    return [];
  } catch (error) {
    return namesInRefusal((error as Error).message);
  }
}

/** SwiftShader in place of the driver that nobody asked for by name, with a notice on stderr. */
async function fallBack(flags: string[], quiet: boolean): Promise<GPUAdapter> {
  const adapter = await startSwiftShader(flags).catch((error: unknown) => {
    throw error instanceof DeviceError ? new DeviceError(noAdapter(process.platform, error.message)) : error;
  });
  if (!quiet) console.error(FALLBACK_NOTICE);
  return adapter;
}

async function startSwiftShader(flags: string[]): Promise<GPUAdapter> {
  const icd = unpackSwiftShader();
  preloadVulkanLoader(icd);
  const adapter = await requestAdapter(flags, icd);
  if (!adapter)
    throw new DeviceError(
      `SwiftShader does not start from ${dirname(icd)}. Delete that folder to have it unpacked again.`,
    );
  return adapter;
}

/** Asks Dawn for an adapter, the fastest first. `icd` names the only Vulkan driver to be looked at; null where none serves. */
function requestAdapter(flags: string[], icd?: string): Promise<GPUAdapter | null> {
  const before = process.env.VK_DRIVER_FILES;
  // The loader reads this variable when Dawn makes its Vulkan instance, which is before requestAdapter returns its promise.
  if (icd !== undefined) process.env.VK_DRIVER_FILES = icd;
  try {
    return dawn(flags, icd).requestAdapter({ powerPreference: 'high-performance' });
  } finally {
    if (before !== undefined) process.env.VK_DRIVER_FILES = before;
    else delete process.env.VK_DRIVER_FILES;
  }
}

/** Dawn's entry points, by their flags. One that is collected while its devices live takes the process down: hence globalThis. */
const instances = new Map<string, GPU>();
Object.assign(globalThis, { lyrebirdDawnInstances: instances });

function dawn(flags: string[], icd = ''): GPU {
  const key = [...flags, icd].join(';');
  const instance = instances.get(key) ?? create(flags);
  instances.set(key, instance);
  return instance;
}

function dawnFlags(toggles: string[]): string[] {
  const enabled = [
    'allow_unsafe_apis', // subgroup matrices, among others
    'vulkan_enable_f16_on_nvidia', // without it NVIDIA on Vulkan shows no shader-f16
    ...toggles,
  ];
  // Quantised, a timestamp is a multiple of 65 536 ns.
  return [`enable-dawn-features=${enabled.join(',')}`, 'disable-dawn-features=timestamp_quantization'];
}

function describe(adapter: GPUAdapter, backend: string): DeviceInfo {
  const info = adapter.info as GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const software = info.isFallbackAdapter || isSoftware(info.device);
  return {
    name: plainName(info.device) || plainName(info.description),
    vendor: info.vendor,
    architecture: info.architecture,
    driver: info.description.trim(),
    backend,
    software,
    ...(software && { hostBytes: hostBytes() }),
    subgroupMin: info.subgroupMinSize ?? 0,
    subgroupMax: info.subgroupMaxSize ?? 0,
    // Dawn's are objects of getters, which JSON would leave empty.
    subgroupMatrices: Array.from(
      info.subgroupMatrixConfigs ?? [],
      ({ componentType, resultComponentType, M, N, K }) => ({ componentType, resultComponentType, M, N, K }),
    ),
  };
}

/** The machine's memory, or the part of it that a container allows. */
function hostBytes(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const napCell = new Int32Array(new SharedArrayBuffer(4));

/** Lets Dawn poll now and then: the naps grow from 0.02 ms to 0.5 ms, long enough to free the core and short beside any kernel. */
async function napUntilSettled<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  for (let turns = 0, nap = 0.02; !settled; turns++) {
    if (turns > 2) {
      Atomics.wait(napCell, 0, 0, nap);
      nap = Math.min(0.5, nap * 1.5);
    }
    await turn();
  }
  return promise;
}
