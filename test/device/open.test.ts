import { describe, expect, test } from 'vitest';
import { type Gpu, openGpu } from '../../src/device/open.js';

const SQUARES = `
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&values)) { values[id.x] = id.x * id.x; }
}`;

/** The squares of 0 to n - 1, by a kernel. */
async function squares(gpu: Gpu, n: number): Promise<number[]> {
  const { device } = gpu;
  const size = n * Uint32Array.BYTES_PER_ELEMENT;
  const values = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const readable = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: SQUARES }) },
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const layout = pipeline.getBindGroupLayout(0);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: values } }] }));
  pass.dispatchWorkgroups(Math.ceil(n / 64));
  pass.end();
  encoder.copyBufferToBuffer(values, 0, readable, 0, size);
  device.queue.submit([encoder.finish()]);
  await gpu.wait(readable.mapAsync(GPUMapMode.READ));
  return [...new Uint32Array(readable.getMappedRange())];
}

/** The errors of compiling `code`, without running it. */
async function compileErrors(gpu: Gpu, code: string): Promise<string[]> {
  gpu.device.pushErrorScope('validation');
  const { messages } = await gpu.device.createShaderModule({ code }).getCompilationInfo();
  await gpu.device.popErrorScope();
  return messages.filter(({ type }) => type === 'error').map(({ message }) => message);
}

const expected = Array.from({ length: 1001 }, (_, i) => i * i);

describe('openGpu', () => {
  test('opens the adapter of this machine, which computes', async () => {
    const gpu = await openGpu();
    expect(await squares(gpu, 1001)).toEqual(expected);
    expect(gpu.info.name).toMatch(/^[a-z0-9-]+$/);
    expect(gpu.info.driver).not.toBe('');
    expect(gpu.features.has('core-features-and-limits')).toBe(true);
    expect(gpu.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 << 20);
    expect(gpu.error()).toBeUndefined();
    gpu.close();
    expect((await gpu.lost).reason).toBe('destroyed');
  });

  test.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
    'opens SwiftShader by name, whatever else there is',
    async () => {
      const drivers = process.env.VK_DRIVER_FILES;
      const gpu = await openGpu({ adapter: 'SwiftShader' });
      expect(gpu.info).toMatchObject({ vendor: 'google', software: true, subgroupMin: 4, subgroupMax: 4 });
      expect(await squares(gpu, 1001)).toEqual(expected);
      gpu.close();
      expect(process.env.VK_DRIVER_FILES).toBe(drivers);
    },
  );

  test('asks for every feature and limit of compute work that the adapter has', async () => {
    const gpu = await openGpu({ backend: 'null' });
    expect([...gpu.features]).toEqual(
      expect.arrayContaining(['timestamp-query', 'shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix']),
    );
    expect(gpu.info).toMatchObject({ backend: 'null', software: false });
    gpu.close();
  });

  test('opens two devices side by side', async () => {
    const [a, b] = [await openGpu(), await openGpu()];
    a.close();
    expect(await squares(b, 65)).toEqual(expected.slice(0, 65));
    b.close();
  });

  test('refuses a name that no adapter has, and lists the names there are', async () => {
    await expect(openGpu({ adapter: 'abacus' })).rejects.toThrow(/No adapter is named 'abacus'.*Adapters here: /);
  });
});

describe('the Null backend', () => {
  test('compiles a kernel and finds the faults of a wrong one', async () => {
    const gpu = await openGpu({ backend: 'null' });
    expect(await compileErrors(gpu, SQUARES)).toEqual([]);
    expect((await compileErrors(gpu, SQUARES.replace('id.x * id.x', 'id.x * 1.5'))).join()).toContain(
      'no matching overload',
    );
    gpu.close();
  });
});

describe('a device', () => {
  test('keeps the first error that nobody caught', async () => {
    const gpu = await openGpu();
    for (const size of [4, 8]) gpu.device.createBuffer({ label: `of ${size} bytes`, size, usage: 0 });
    await gpu.wait(gpu.device.queue.onSubmittedWorkDone());
    expect(gpu.error()).toBeInstanceOf(GPUValidationError);
    expect(gpu.error()?.message).toContain('of 4 bytes');
    gpu.close();
  });

  test('passes on why a wait failed', async () => {
    const gpu = await openGpu();
    await expect(gpu.wait(Promise.reject(new Error('out of reach')))).rejects.toThrow('out of reach');
    gpu.close();
  });

  test('reads kernels, and names the file that is missing', async () => {
    const gpu = await openGpu({ backend: 'null' });
    expect(() => gpu.readKernel('no-such-kernel.wgsl')).toThrow('no-such-kernel.wgsl');
    gpu.close();
  });
});
