import { openGpu } from '../src/device/open.js';

/** Says once which adapter the tests run on, and unpacks SwiftShader before several processes want it. */
export default async function setup(): Promise<void> {
  const gpu = await openGpu();
  console.log(`Tests run on ${gpu.info.name} (${gpu.info.driver}).`);
  gpu.close();
  // By the rules, whatever has been tuned on this machine.
  process.env.LYREBIRD_TUNED = 'none';
  // Where it stands in for a missing driver, each test process asks for it by name, which needs no notice of its own.
  if (gpu.info.name.startsWith('swiftshader')) process.env.LYREBIRD_ADAPTER = 'swiftshader';
}
