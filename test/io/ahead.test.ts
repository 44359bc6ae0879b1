import { expect, test } from 'vitest';
import { ahead } from '../../src/io/ahead.js';

/** Says when each item is begun. */
async function* counted(to: number, log: string[]) {
  try {
    for (let i = 0; i < to; i++) {
      log.push(`make ${i}`);
      yield i;
    }
  } finally {
    log.push('end');
  }
}

test('the next item is made while one is worked on', async () => {
  const log: string[] = [];
  for await (const item of ahead(counted(3, log))) {
    await Promise.resolve();
    log.push(`use ${item}`);
  }
  expect(log).toEqual(['make 0', 'make 1', 'use 0', 'make 2', 'use 1', 'end', 'use 2']);
});

test('begins at once', () => {
  const log: string[] = [];
  ahead(counted(3, log));
  expect(log).toEqual(['make 0']);
});

test('what nobody wants any more is discarded', async () => {
  const log: string[] = [];
  const discard = async (item: number) => void log.push(`discard ${item}`);
  for await (const item of ahead(counted(9, log), discard)) if (item === 1) break;
  expect(log.slice(-2)).toEqual(['discard 2', 'end']);
});

test('a failure is thrown when its turn comes', async () => {
  async function* failing() {
    yield 1;
    throw new Error('no more');
  }
  const items = ahead(failing());
  expect((await items.next()).value).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 5)); // an unhandled rejection would end the test here
  await expect(items.next()).rejects.toThrow('no more');
});
