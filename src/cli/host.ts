/** The machine that a result was measured on. */
import { arch, cpus, platform } from 'node:os';

export interface Host {
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
}

export function describeHost(): Host {
  const processors = cpus();
  return {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
  };
}
