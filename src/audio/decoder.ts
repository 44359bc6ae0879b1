/**
 * The decoders in threads of their own. They are compiled C libraries which print to the console, throw what they like,
 * and can spin for ever on a damaged file; a thread can be silenced and ended, and leaves this one free meanwhile.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Header } from './header.js';

/** A block of sound: one array per channel. */
export interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
}

/** Decodes one recording, block by block. */
export interface Decoder {
  /**
   * What the next block of the file gives, perhaps nothing yet; without a block, what is left at its end. `block` is
   * handed over and empty afterwards. Rejects with the decoder's own words, or when it takes longer than `timeLimit`
   * seconds or runs out of memory; then this decoder is of no more use.
   */
  decode(block?: Uint8Array<ArrayBuffer>): Promise<Decoded>;
  /** Gives the thread back for the next recording. */
  close(): void;
}

/** The library's names. */
const codecs: Readonly<Record<Exclude<Header['format'], 'other'>, string>> = {
  wav: 'wav',
  mp3: 'mp3',
  flac: 'flac',
  vorbis: 'oga',
  opus: 'opus',
  m4a: 'm4a',
};

/** The thread's program, as text: it must start equally from the sources and from the build, and needs no build step. */
const program = `
  const { parentPort, workerData } = require('node:worker_threads');
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = () => {};
  const library = import(workerData);
  library.catch(() => {});
  let decode;
  parentPort.on('message', async ({ codec, block }) => {
    try {
      if (codec) {
        decode?.free();
        decode = await (await library).default[codec]();
      }
      const { channelData, sampleRate } = await decode(block);
      const copies = channelData.map((channel) => channel.slice());
      parentPort.postMessage({ channelData: copies, sampleRate }, copies.map((copy) => copy.buffer));
    } catch (error) {
      parentPort.postMessage({ fault: String(error?.message ?? error) });
    }
  });
`;

/** Threads that nobody uses at the moment; two recordings at most are open at a time. */
const idle: Worker[] = [];

/** A decoder for one recording. By default a block has 30 s. */
export function openDecoder(format: Exclude<Header['format'], 'other'>, timeLimit = 30): Decoder {
  let thread: Worker | undefined = idle.pop() ?? startThread();
  let codec: string | undefined = codecs[format];
  return {
    async decode(block) {
      if (!thread) throw new Error('the decoder has ended');
      try {
        return await ask(thread, { codec, block }, timeLimit);
      } catch (error) {
        if (!(error instanceof DecodingError)) thread = undefined;
        throw error;
      } finally {
        codec = undefined;
      }
    },
    close() {
      if (thread) idle.push(thread);
      thread = undefined;
    },
  };
}

/** The library could not decode something; the thread is well. */
class DecodingError extends Error {}

interface Request {
  /** With the first block of a recording. */
  codec: string | undefined;
  block: Uint8Array<ArrayBuffer> | undefined;
}

function ask(thread: Worker, request: Request, timeLimit: number): Promise<Decoded> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      thread.removeListener('message', onMessage).removeListener('error', onError).removeListener('exit', onExit);
      thread.unref(); // an idle decoder must not keep the program alive
      outcome();
    };
    const giveUp = (why: string) => {
      void thread.terminate();
      settle(() => reject(new Error(why)));
    };
    const onMessage = (answer: Decoded | { fault: string }) =>
      settle(() => ('fault' in answer ? reject(new DecodingError(answer.fault)) : resolve(answer)));
    const onError = (error: Error) => giveUp(`the decoder failed (${error.message})`);
    const onExit = () => giveUp('the decoder ended without an answer');
    const timer = setTimeout(() => giveUp(`the decoder did not finish within ${timeLimit} s`), timeLimit * 1000);
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    thread.ref();
    thread.postMessage(request, request.block ? [request.block.buffer] : []);
  });
}

function startThread(): Worker {
  const library = pathToFileURL(createRequire(import.meta.url).resolve('audio-decode')).href;
  const resourceLimits = { maxOldGenerationSizeMb: 512 }; // samples lie outside this heap
  const thread = new Worker(program, { eval: true, workerData: library, stdout: true, stderr: true, resourceLimits });
  const forget = () => {
    if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
  };
  return thread.on('error', forget).on('exit', forget);
}
