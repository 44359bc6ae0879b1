/** What a person can do so that lyrebird finds a GPU, or a faster one. */
import { existsSync } from 'node:fs';
import { type DeviceInfo, isSwiftShader } from '../device/adapter.js';

/** GPUs that the operating system shows, whether a Vulkan driver serves them or not. */
export interface Hardware {
  readonly platform: string;
  /** The kernel's NVIDIA driver is loaded. */
  readonly nvidia: boolean;
  /** Some kernel driver offers a GPU for computing or drawing. */
  readonly renderNode: boolean;
}

export function hardwareHere(): Hardware {
  return {
    platform: process.platform,
    nvidia: existsSync('/dev/nvidiactl'),
    renderNode: existsSync('/dev/dri/renderD128'),
  };
}

const NVIDIA_DRIVER =
  "This machine has an NVIDIA GPU (/dev/nvidiactl). Vulkan needs the graphics part of NVIDIA's driver, too: in a container, " +
  'set NVIDIA_DRIVER_CAPABILITIES=all when it is started; otherwise install the GL libraries of the very version of the driver ' +
  '(on Debian nvidia-vulkan-icd, on Ubuntu libnvidia-gl-<version>).';

const MESA_DRIVER =
  'This machine has a GPU (/dev/dri/renderD128). On Debian and Ubuntu, install mesa-vulkan-drivers for AMD and Intel; ' +
  'check that you may open it (ls -l /dev/dri; in a container, --device /dev/dri).';

function driverHints({ nvidia, renderNode }: Hardware): string[] {
  if (nvidia) return [NVIDIA_DRIVER];
  return renderNode ? [MESA_DRIVER] : [];
}

/** What to look at when no device could be opened, beyond what the error itself says. */
export function hintsWithoutDevice(
  env: Readonly<Record<string, string | undefined>>,
  hardware: Hardware,
): readonly string[] {
  const hints = driverHints(hardware);
  if (env.LYREBIRD_ADAPTER) {
    hints.push(
      `LYREBIRD_ADAPTER is set to ${JSON.stringify(env.LYREBIRD_ADAPTER)}: unset it to take the fastest adapter.`,
    );
  }
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) {
    if (env[name])
      hints.push(`${name} is set to ${JSON.stringify(env[name])}, which hides all other Vulkan drivers: unset it.`);
  }
  if (hardware.platform === 'linux') {
    hints.push("'vulkaninfo --summary' (package vulkan-tools) shows what Vulkan finds, without lyrebird.");
  }
  return hints;
}

/** What would be faster than this adapter, if it is a software adapter. */
export function whatWouldBeFaster({ software, name }: DeviceInfo, hardware: Hardware): readonly string[] {
  if (!software) return [];
  const drivers = driverHints(hardware);
  const hints =
    drivers.length > 0 ? drivers : ['A machine with a GPU: any with a driver for Vulkan, Metal or Direct3D 12.'];
  if (isSwiftShader(name)) {
    hints.push(
      'lavapipe, about four times faster than SwiftShader: mesa-vulkan-drivers 24 or later, with libvulkan1 ' +
        '(on Debian 12 from bookworm-backports).',
    );
  }
  hints.push('More processor cores: a software adapter uses them all.');
  return hints;
}
