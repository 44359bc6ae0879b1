import { describe, expect, it } from 'vitest';
import { subgroupMatrices } from '../../src/cli/doctor.js';
import { hintsWithoutDevice, whatWouldBeFaster } from '../../src/cli/hints.js';
import type { DeviceInfo } from '../../src/device/adapter.js';
import { BASE } from '../../src/kernel/choose.js';
import { lyrebird } from './console.js';

describe('doctor', () => {
  it('describes the adapter, checks its results and measures it', async () => {
    const { exitCode, stdout } = await lyrebird('doctor', '--json');
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ node: process.version, adapter: { name: expect.any(String) } });
    // In pieces: lavapipe binds 128 MiB at a time.
    expect(report.largestTensor).toBeGreaterThan(2 ** 27);
    expect(report.selfCheck.length).toBeGreaterThan(3);
    for (const check of report.selfCheck) expect(check, check.case).toMatchObject({ passed: true });
    const inHalf = report.selfCheck.filter((check: { case: string }) => check.case.endsWith(' in f16'));
    expect(inHalf.length > 0).toBe(report.capabilities.f16);
    expect(report.roof.gflops).toBeGreaterThan(0.01);
    expect(report.roof.gbps).toBeGreaterThan(0.01);
    expect(['broadcast', 'registers', 'shared']).toContain(report.gemm.core);
  });

  it('says the same in words', async () => {
    const { exitCode, stdout } = await lyrebird('doctor');
    expect(exitCode).toBe(0);
    for (const title of ['Machine', 'Adapter', 'Limits', 'Kernels', 'Results against float64', 'Speed, by']) {
      expect(stdout).toContain(title);
    }
    expect(stdout).not.toMatch(/undefined|NaN|\[object/);
  });

  it('says whether there are subgroup matrices', () => {
    const f16 = { componentType: 'f16', resultComponentType: 'f16', M: 8, N: 8, K: 8 };
    const adapter = { software: false, subgroupMatrices: [f16] } as unknown as DeviceInfo;
    const matrix = { M: 16, N: 8, K: 16, lanes: 32 };
    expect(subgroupMatrices({ adapter, capabilities: { ...BASE, matrix } })).toBe(
      '16 x 8 x 16, f16 in, f32 out, by 32 invocations: for products in mixed precision',
    );
    expect(subgroupMatrices({ adapter, capabilities: BASE })).toBe(
      'none that kernels can use, only f16 to f16 8 x 8 x 8',
    );
    const without = { ...adapter, subgroupMatrices: [] };
    expect(subgroupMatrices({ adapter: without, capabilities: BASE })).toBe('none');
  });

  it('gives advice and exit code 1 where no adapter serves', async () => {
    const { exitCode, stdout, stderr } = await lyrebird('doctor', '--adapter', 'no such thing');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Machine');
    expect(stderr).toMatch(/^lyrebird: No adapter is named 'no such thing'/m);
    expect(stderr).not.toContain('    at ');
    const json = await lyrebird('doctor', '--adapter', 'no such thing', '--json');
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: expect.stringContaining('no such thing'),
      hints: expect.any(Array),
    });
  });
});

const none = { platform: 'linux', nvidia: false, renderNode: false };

describe('its advice', () => {
  it('names the settings that hide a driver', () => {
    const hints = hintsWithoutDevice({ LYREBIRD_ADAPTER: 'amd', VK_DRIVER_FILES: '/x.json' }, none).join('\n');
    expect(hints).toContain('LYREBIRD_ADAPTER is set to "amd"');
    expect(hints).toContain('VK_DRIVER_FILES is set to "/x.json"');
    expect(hints).toContain('vulkaninfo');
    expect(hintsWithoutDevice({}, { ...none, platform: 'darwin' })).toEqual([]);
  });

  it('sees a GPU that has no Vulkan driver', () => {
    expect(hintsWithoutDevice({}, { ...none, nvidia: true })[0]).toContain('NVIDIA_DRIVER_CAPABILITIES');
    expect(hintsWithoutDevice({}, { ...none, renderNode: true })[0]).toContain('mesa-vulkan-drivers');
  });

  it('tells what is faster than a software adapter, and leaves GPUs alone', () => {
    const faster = (name: string, software: boolean) =>
      whatWouldBeFaster({ name, software } as DeviceInfo, none).join('\n');
    expect(faster('nvidia-h200', false)).toBe('');
    expect(faster('llvmpipe-llvm-15', true)).not.toContain('lavapipe');
    expect(faster('swiftshader-device-subzero', true)).toContain('lavapipe');
  });
});
