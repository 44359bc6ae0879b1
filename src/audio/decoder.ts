/**
 * The decoders in a thread of their own. They are compiled C libraries which print to the console, throw what they
 * like, and can spin for ever on a damaged file; a thread can be silenced and ended, and leaves this one free meanwhile.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** What the decoders give: one array per channel. */
export interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
}

/** The thread's program, as text: it must start equally from the sources and from the build, and needs no build step. */
const program = `
  const { parentPort, workerData } = require('node:worker_threads');
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = () => {};
  const decoders = import(workerData);
  decoders.catch(() => {});
  parentPort.on('message', async (bytes) => {
    try {
      const { default: decode } = await decoders;
      const decoded = await decode(bytes);
      const channelData = decoded.channelData.map((channel) => channel.slice());
      parentPort.postMessage({ channelData, sampleRate: decoded.sampleRate }, channelData.map((c) => c.buffer));
    } catch (error) {
      parentPort.postMessage({ fault: String(error?.message ?? error) });
    }
  });
`;

let thread: Worker | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Decodes a whole file, one after another. `bytes` is handed over and empty afterwards. Rejects with the decoder's own
 * words, or when it takes longer than `timeLimit` seconds or runs out of memory.
 */
export function decodeBytes(bytes: Uint8Array<ArrayBuffer>, timeLimit: number): Promise<Decoded> {
  const job = queue.then(() => runJob(bytes, timeLimit));
  queue = job.catch(() => undefined);
  return job;
}

function runJob(bytes: Uint8Array<ArrayBuffer>, timeLimit: number): Promise<Decoded> {
  thread ??= startThread();
  const worker = thread;
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      worker.removeListener('message', onMessage).removeListener('error', onError).removeListener('exit', onExit);
      worker.unref(); // an idle decoder must not keep the program alive
      outcome();
    };
    const giveUp = (why: string) => {
      if (thread === worker) thread = undefined;
      void worker.terminate();
      settle(() => reject(new Error(why)));
    };
    const onMessage = (answer: Decoded | { fault: string }) =>
      settle(() => ('fault' in answer ? reject(new Error(answer.fault)) : resolve(answer)));
    const onError = (error: Error) => giveUp(`the decoder failed (${error.message})`);
    const onExit = () => giveUp('the decoder ended without an answer');
    const timer = setTimeout(() => giveUp(`the decoder did not finish within ${timeLimit} s`), timeLimit * 1000);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.ref();
    worker.postMessage(bytes, [bytes.buffer]);
  });
}

function startThread(): Worker {
  const decoders = pathToFileURL(createRequire(import.meta.url).resolve('audio-decode')).href;
  const resourceLimits = { maxOldGenerationSizeMb: 512 }; // samples lie outside this heap
  const worker = new Worker(program, { eval: true, workerData: decoders, stdout: true, stderr: true, resourceLimits });
  const forget = () => {
    if (thread === worker) thread = undefined;
  };
  return worker.on('error', forget).on('exit', forget);
}
