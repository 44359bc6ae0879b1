/**
 * What to ask of an adapter and how to name it: plain data and pure functions.
 */

/** The optional features that kernels can use, as far as the adapter has them. */
export const USEFUL_FEATURES: readonly string[] = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  'chromium-experimental-subgroup-matrix',
];

/** The limits of which compute work wants the adapter's best instead of WebGPU's default. */
export const COMPUTE_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxUniformBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxUniformBuffersPerShaderStage',
  'maxDynamicStorageBuffersPerPipelineLayout',
  'maxDynamicUniformBuffersPerPipelineLayout',
  'maxBindingsPerBindGroup',
  'minStorageBufferOffsetAlignment',
  'minUniformBufferOffsetAlignment',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** One matrix shape that `chromium-experimental-subgroup-matrix` multiplies: C[M,N] += A[M,K] B[K,N]. */
export interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What an opened device says of itself. */
export interface DeviceInfo {
  /** The adapter's own name in lower case, e.g. `nvidia-h200` or `llvmpipe-llvm-15-0-6-256-bits`: stable, so fit for cache keys. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly driver: string;
  readonly backend: string;
  /** True where the processor computes: lavapipe, SwiftShader. */
  readonly software: boolean;
  /** Bytes of memory that the process may use, where the processor computes: a driver that gets none ends the process. */
  readonly hostBytes?: number;
  readonly subgroupMin: number;
  readonly subgroupMax: number;
  /** Empty unless the device has `chromium-experimental-subgroup-matrix`. */
  readonly subgroupMatrices: readonly SubgroupMatrixConfig[];
}

/** The name in the form in which adapters are compared: lower case, every other run of characters one hyphen. */
export function plainName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  // Mesa's driver goes by two names: the Vulkan driver is lavapipe, what it runs on is llvmpipe.
  return plain.replace('lavapipe', 'llvmpipe');
}

/** Whether `wanted` is the adapter's name or a part of it, whatever the case and the punctuation. */
export function nameMatches(name: string, wanted: string): boolean {
  return plainName(name).includes(plainName(wanted));
}

/** The first of `names` that `wanted` names or is part of; an exact name goes before a part. */
export function chooseByName(names: readonly string[], wanted: string): string | undefined {
  return names.find((name) => plainName(name) === plainName(wanted)) ?? names.find((name) => nameMatches(name, wanted));
}

export function isSwiftShader(name: string): boolean {
  return nameMatches(name, 'swiftshader');
}

export function isSoftware(name: string): boolean {
  return isSwiftShader(name) || nameMatches(name, 'llvmpipe');
}

/** The adapters' names out of the message with which Dawn refuses a name that it does not know. */
export function namesInRefusal(message: string): string[] {
  return [...message.matchAll(/name: '([^']*)'/g)].map((match) => match[1] as string);
}

/** The backend that Dawn uses on a platform when it is not told. */
export function defaultBackend(platform: string): string {
  if (platform === 'darwin') return 'metal';
  return platform === 'win32' ? 'd3d12' : 'vulkan';
}

/** The adapter's value of every limit in `COMPUTE_LIMITS`, for `requiredLimits`. */
export function computeLimits(limits: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(COMPUTE_LIMITS.map((name) => [name, limits[name] as number]));
}

/** Why no adapter answers to a name, and which ones there are. */
export function unknownAdapter(wanted: string, names: readonly string[]): string {
  const known = names.length > 0 ? names.map((name) => `'${name}'`).join(', ') : 'none';
  return (
    `No adapter is named '${wanted}' (from LYREBIRD_ADAPTER or the adapter option). ` +
    `Adapters here: ${known}; 'swiftshader' stands for the software adapter that is installed with this package. ` +
    'Give a part of one of these names, or leave the name out to take the fastest.'
  );
}

/** Why there is no device at all; `fallback` says why the software adapter could not stand in either. */
export function noAdapter(platform: string, fallback: string): string {
  const driver =
    platform === 'linux'
      ? 'Install a Vulkan driver (the one of your GPU, or Mesa 24 or later for the software adapter lavapipe) and the loader libvulkan1.'
      : 'Update the graphics driver.';
  return `No GPU adapter was found, and no driver serves one in software. ${driver} ${fallback}`;
}

/** Why a device that worked has stopped. */
export function deviceLost(name: string, reason: string, message: string): string {
  const detail = message.trim().replace(/\s+/g, ' ') || reason;
  return (
    `The GPU device '${name}' was lost: ${detail}. ` +
    'The driver reset it, or it ran out of memory; resume from the last checkpoint, with a smaller batch if it happens again.'
  );
}
