/** lyrebird serve RUN: the run as a page that follows it while it trains. */
import { existsSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { UserError } from '../io/errors.js';
import { serveRun } from '../io/serve/server.js';
import { interruptible } from './interrupt.js';
import { wholeNumber } from './options.js';

const PORT = 8765;

function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('Give a number from 0 to 65535.');
  return value;
}

export function register(program: Command): void {
  program
    .command('serve')
    .description(
      'Shows a run as a page in the browser of this machine, which follows it while another process trains: curves, real and ' +
        'synthetic spectrograms as they grow, the evaluation, settings. The run may begin, stop and go on meanwhile. ^C ends it.',
    )
    .argument('<run>', "the run's folder, which need not be there yet")
    .option('--port <n>', 'on 127.0.0.1: this port, or the next one that is free; 0: any', port, PORT)
    .action(async (run: string, options: { port: number }) => {
      if (existsSync(run) && !statSync(run).isDirectory())
        throw new UserError(`"${run}" is a file: name a run's folder.`);
      await interruptible(async (signal) => {
        const { url, close } = await serveRun(run, options.port);
        console.log(url);
        console.error(
          `lyrebird: "${run}" is shown there until ^C.${existsSync(run) ? '' : ' There is no such folder yet.'}`,
        );
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        await close();
      });
    });
}
