/** Tables that say what recordings hold: the options of `prepare` and `run`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Columns, FIELDS, FORMATS, type FormatName } from '../data/labels/format.js';
import { defaultMinConfidence, type LabelOptions } from '../data/labels/label.js';
import { UserError } from '../io/errors.js';

export interface LabelFlags {
  readonly labels?: string;
  readonly format?: FormatName;
  readonly columns?: Columns;
  readonly minConfidence?: number;
}

export const labelOptions = (command: Command): Command =>
  command
    .option(
      '--labels <path>',
      'a table, or a folder of tables, that says what sounds where; the recordings may then lie anywhere in the folder',
    )
    .addOption(
      new Option('--format <name>', 'of these tables (default: recognised from what they hold)').choices(FORMATS),
    )
    .option(
      '--columns <names>',
      'of a table with columns of its own, such as file=clip,label=bird,start=from,end=to',
      columns,
    )
    .option(
      '--min-confidence <c>',
      `leave out what a recogniser is less sure of (default: ${defaultMinConfidence})`,
      share,
    );

/** What the flags ask for. Throws a UserError if they are about tables, but none is named. */
export function labelsFrom({ labels, format, columns, minConfidence }: LabelFlags): LabelOptions | undefined {
  if (labels !== undefined) return { path: labels, format, columns, minConfidence };
  const given = Object.entries({ format, columns, 'min-confidence': minConfidence }).find(
    ([, value]) => value !== undefined,
  );
  if (given) throw new UserError(`--${given[0]} is about tables of labels: name them by --labels, too.`);
  return undefined;
}

function columns(text: string): Columns {
  const names: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [field = '', ...name] = part.split('=');
    if (!FIELDS.some((known) => known === field.trim()) || name.join('=').trim() === '') {
      throw new InvalidArgumentError(`Give FIELD=NAME,FIELD=NAME with fields among ${FIELDS.join(', ')}.`);
    }
    names[field.trim()] = name.join('=').trim();
  }
  return names;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('Give a number from 0 to 1.');
  return value;
}
