import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    // Processes, not threads: a device opens on a process's main thread only, and a driver's crash takes one file's tests.
    pool: 'forks',
    // Software adapters compute on all cores by themselves.
    maxWorkers: Math.min(2, availableParallelism()),
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
