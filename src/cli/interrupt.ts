/** Work that can be interrupted: it finishes what is in hand, saves, and only then the program ends. */
import { withFolderLock } from '../io/lock.js';
import { Interruption } from './outcome.js';

/** Exit codes are the shell's: 128 plus the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
const SIGPIPE = 141;

/** What is being done at the moment, if it can be interrupted. */
let current: AbortController | undefined;

/**
 * Runs `body` with a signal that the first ^C (or SIGTERM) aborts; a second one ends the program at once. `body` looks at
 * `signal.aborted` between its steps, saves and returns. If it was interrupted, this throws after `body` has ended, and
 * the exit code is 130 (143 after SIGTERM).
 */
export async function interruptible<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = (name: keyof typeof SIGNALS): void => {
    if (signal.aborted) process.exit(SIGNALS[name]);
    console.error('\nlyrebird: finishing what is in hand; ^C again ends at once.');
    controller.abort(new Interruption(SIGNALS[name]));
  };
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const outer = current;
  current = controller;
  for (const name of names) process.on(name, stop);
  try {
    const result = await body(signal);
    signal.throwIfAborted();
    return result;
  } finally {
    for (const name of names) process.off(name, stop);
    current = outer;
  }
}

/** Runs `body`, interruptible, while this process alone works in `folder`. Throws a UserError if another one does. */
export const alone = <T>(folder: string, body: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  interruptible((signal) =>
    withFolderLock(
      folder,
      (line) => console.error(`note: ${line}`),
      () => body(signal),
    ),
  );

/** Nobody reads our output any more (`lyrebird ... | head`): ends in silence, after what is in hand if that matters. */
export function outputClosed(): void {
  if (current) current.abort(new Interruption(SIGPIPE));
  else process.exit(SIGPIPE);
}
