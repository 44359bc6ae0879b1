import { describe, expect, test } from 'vitest';
import {
  chooseByName,
  computeLimits,
  defaultBackend,
  deviceLost,
  isSoftware,
  nameMatches,
  namesInRefusal,
  noAdapter,
  plainName,
  unknownAdapter,
} from '../../src/device/adapter.js';

const LLVMPIPE = 'llvmpipe (LLVM 15.0.6, 256 bits)';
const SWIFTSHADER = 'SwiftShader Device (Subzero)';

describe('names of adapters', () => {
  test.each([
    ['llvmpipe', LLVMPIPE, true],
    ['LavaPipe', LLVMPIPE, true],
    ['llvm 15', 'llvmpipe-llvm-15-0-6-256-bits-', true],
    ['llvm-15', 'llvmpipe (LLVM 15.0.6)', true],
    ['nvidia', 'NVIDIA H200', true],
    ['NVIDIA', 'nvidia-h200', true],
    ['h200', 'NVIDIA A100', false],
    ['swiftshader', SWIFTSHADER, true],
    ['swiftshader', LLVMPIPE, false],
  ])("'%s' asks for '%s': %s", (wanted, name, matches) => {
    expect(nameMatches(name, wanted)).toBe(matches);
  });

  test('are compared in one plain form', () => {
    expect(plainName(LLVMPIPE)).toBe('llvmpipe-llvm-15-0-6-256-bits');
    expect(plainName('llvmpipe-llvm-15-0-6-256-bits-')).toBe(plainName(LLVMPIPE));
  });

  test('an exact name goes before one that contains it', () => {
    expect(chooseByName(['NVIDIA A100', 'NVIDIA A10'], 'nvidia a10')).toBe('NVIDIA A10');
    expect(chooseByName(['NVIDIA A100', LLVMPIPE], 'nvidia')).toBe('NVIDIA A100');
    expect(chooseByName([LLVMPIPE], 'nvidia')).toBeUndefined();
  });

  test('software adapters are known', () => {
    expect([LLVMPIPE, SWIFTSHADER, 'NVIDIA H200', 'Intel(R) UHD Graphics'].map(isSoftware)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("are read from Dawn's refusal", () => {
    const refusal =
      "no suitable backends found\nAvailable adapters:\n * backend: 'vulkan', name: 'NVIDIA H200'\n" +
      ` * backend: 'vulkan', name: '${LLVMPIPE}'\n`;
    expect(namesInRefusal(refusal)).toEqual(['NVIDIA H200', LLVMPIPE]);
    expect(namesInRefusal('no suitable backends found')).toEqual([]);
  });
});

test('each platform has its backend', () => {
  expect(['linux', 'darwin', 'win32'].map(defaultBackend)).toEqual(['vulkan', 'metal', 'd3d12']);
});

test('limits are the adapter’s own, and only those of compute work', () => {
  const limits = { maxBufferSize: 1 << 30, maxComputeInvocationsPerWorkgroup: 1024, maxVertexBuffers: 8 };
  const asked = computeLimits(limits as GPUSupportedLimits);
  expect(asked).toMatchObject({ maxBufferSize: 1 << 30, maxComputeInvocationsPerWorkgroup: 1024 });
  expect(asked).not.toHaveProperty('maxVertexBuffers');
});

describe('sentences', () => {
  test('an unknown name is answered with the known ones', () => {
    const text = unknownAdapter('nvidia', [LLVMPIPE]);
    expect(text).toContain("'nvidia'");
    expect(text).toContain(`'${LLVMPIPE}'`);
    expect(unknownAdapter('nvidia', [])).toContain('Adapters here: none');
  });

  test('no adapter: what to install, and why software does not serve', () => {
    expect(noAdapter('linux', 'SwiftShader is not installed.')).toMatch(
      /Vulkan driver.*libvulkan1.*SwiftShader is not/,
    );
    expect(noAdapter('win32', '')).not.toContain('Vulkan');
  });

  test('a lost device: whose, why, and how to go on', () => {
    expect(deviceLost('nvidia-h200', 'unknown', 'hung\n  at QueueSubmit')).toMatch(
      /'nvidia-h200' was lost: hung at QueueSubmit\. .*checkpoint/,
    );
    expect(deviceLost('nvidia-h200', 'unknown', ' ')).toContain('lost: unknown.');
  });
});
