#!/usr/bin/env node
/**
 * lyrebird VERB ...
 *
 * Each verb is one file of this folder and one line in `VERBS`. The file exports
 *
 *   export function register(program: Command): void {
 *     program
 *       .command('gradcheck')
 *       .description('What `lyrebird gradcheck --help` says: a paragraph without line breaks, which are made to fit.')
 *       .argument('[ops...]', '...')
 *       .option('--rounds <n>', '...', positiveInteger, 5)       // parsers are in options.ts
 *       .addOption(adapterOption())                              // if it needs a GPU: engine.ts
 *       .action(async (names: string[], options: { rounds: number; adapter?: string }) => {
 *         await withEngine(options, async (engine) => { ... });  // opens the GPU, and closes it at the end
 *       });
 *   }
 *
 * and keeps to this:
 * - Results go to stdout (`console.log`), all else to stderr: notices (`console.error`), progress (io/progress.ts).
 * - It returns when all went well, and throws otherwise (outcome.ts): `UserError` with a sentence that says what to do;
 *   `Failure` if what it checked is wrong; `LeftOut` at the very end if it could not use all of its input, or find all that it was
 *   asked for; anything else is taken for a bug. It never calls `process.exit`.
 * - Work of more than some seconds is done inside `interruptible(async (signal) => ...)` (interrupt.ts), outside of
 *   `withEngine`, and looks at `signal.aborted` between its steps: then it saves what it has and returns.
 *
 * A verb's file is loaded only when the verb is called, so it may import what it likes.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { systemCode } from '../io/errors.js';
import { outputClosed } from './interrupt.js';
import { outcomeOf } from './outcome.js';
import { version } from './version.js';

interface Verb {
  /** The line in `lyrebird --help`. */
  readonly summary: string;
  load(): Promise<{ register(program: Command): void }>;
}

/** In the order in which `lyrebird --help` lists them. */
export const VERBS: Readonly<Record<string, Verb>> = {
  run: {
    summary: 'the whole way: prepare, train, generate, report',
    load: () => import('./run.js'),
  },
  prepare: {
    summary: 'turn recordings into a data set of spectrograms',
    load: () => import('./prepare.js'),
  },
  inspect: {
    summary: 'show what a data set holds, in numbers and sheets',
    load: () => import('./inspect.js'),
  },
  split: {
    summary: 'decide anew which images train, validate and test',
    load: () => import('./split.js'),
  },
  train: {
    summary: 'train a generator of labelled spectrograms on a data set',
    load: () => import('./train.js'),
  },
  'train-classifier': {
    summary: 'train a recogniser of species, on real and generated images',
    load: () => import('./trainClassifier.js'),
  },
  predict: {
    summary: 'name the species in new recordings',
    load: () => import('./predict.js'),
  },
  generate: {
    summary: 'make labelled spectrograms with a trained generator',
    load: () => import('./generate.js'),
  },
  listen: {
    summary: 'turn spectrograms back into sound',
    load: () => import('./listen.js'),
  },
  export: {
    summary: 'give a trained generator or classifier to other programs: ONNX, safetensors',
    load: () => import('./export.js'),
  },
  report: {
    summary: 'look at a run: curves, real and synthetic spectrograms, accuracy',
    load: () => import('./report.js'),
  },
  serve: {
    summary: 'watch a run in the browser while it trains',
    load: () => import('./serve.js'),
  },
  evaluate: {
    summary: 'how good a generator is, in numbers beside those of real images',
    load: () => import('./evaluate.js'),
  },
  ablate: {
    summary: 'the same training in several variants, measured and compared',
    load: () => import('./ablate.js'),
  },
  experiment: {
    summary: 'what augmentation gains: the three classifiers on many mixes, tested',
    load: () => import('./experiment.js'),
  },
  verify: {
    summary: 'check operations and networks against recorded results',
    load: () => import('./verify.js'),
  },
  doctor: {
    summary: 'show the GPU, check its results, measure its speed',
    load: () => import('./doctor.js'),
  },
  bench: {
    summary: 'time every operation, forward and backward',
    load: () => import('./bench.js'),
  },
  profile: {
    summary: 'show where the time of a training step goes, or its memory',
    load: () => import('./profile.js'),
  },
  scaling: {
    summary: 'time training steps against batch, image size and width, in one picture',
    load: () => import('./scaling.js'),
  },
  tune: {
    summary: "measure which kernels are the fastest for a step's shapes, and keep it",
    load: () => import('./tune.js'),
  },
  gradcheck: {
    summary: 'check every operation and gradient against references',
    load: () => import('./gradcheck.js'),
  },
};

/** Runs the program on its arguments (without node and the script), and returns its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const program = await commands(args);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const { exitCode, text } = outcomeOf(error);
    if (text) console.error(text);
    return exitCode;
  }
}

async function commands(args: readonly string[]): Promise<Command> {
  const program = new Command('lyrebird')
    .description(
      'Learns the songs of few recordings and sings them back, as labelled spectrograms to train classifiers on.',
    )
    .usage('VERB [options]')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain, also after a verb')
    .commandsGroup('Verbs:')
    .helpCommand('help [verb]', 'explain a verb')
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 something to mend, or a failed check; 2 wrong usage; 3 done, but recordings, images or lines of tables ' +
        'were left out, or fewer images found than asked for; 130 stopped by ^C.',
    )
    .showHelpAfterError(
      "Run 'lyrebird --help' for the verbs, or 'lyrebird VERB --help' for a verb's arguments and options.",
    )
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'lyrebird:')) })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride();
  const asked = verbIn(args);
  for (const [name, { summary, load }] of Object.entries(VERBS)) {
    if (name === asked) {
      (await load()).register(program);
      program.commands.at(-1)!.summary(summary);
    } else {
      program.command(name).summary(summary);
    }
  }
  return program;
}

/** The verb that is called or asked about: `lyrebird VERB`, `lyrebird help VERB`. */
function verbIn(args: readonly string[]): string | undefined {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  return first === 'help' ? second : first;
}

/** Whether this file is the program, called by its own name or through the link that npm makes. */
function isProgram(): boolean {
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isProgram()) {
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
    outputClosed();
  });
  process.on('uncaughtException', (error) => {
    const { exitCode, text } = outcomeOf(error);
    console.error(text);
    process.exit(exitCode);
  });
  process.exitCode = await main(process.argv.slice(2));
}
