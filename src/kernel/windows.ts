/**
 * Tensors larger than what the adapter shows in one binding (128 MiB on some) are bound as several windows of their buffer.
 * Kernels are not written for that: the text of one that meets such a tensor is rewritten when it is compiled, so that
 *
 *   y[i] = 2.0 * x[j];      becomes      y_write(i, 2.0 * x_read(j));
 *
 * with functions that pick the window. What is computed stays the same, in the same order. A kernel all of whose tensors
 * fit is compiled as it is written.
 */
import { DECLARATION, usesOf } from './bindings.js';
import { find, type Token, tokensOf } from './tokens.js';

/** Windows begin at multiples of this: WebGPU's greatest alignment of a binding, and a multiple of every element's size. */
const ALIGNMENT = 256;

/** A range of a tensor's bytes. */
export interface Window {
  readonly offset: number;
  readonly size: number;
}

/** Cuts a tensor into as few windows as can be: all but the last of one size, on which the kernel relies. */
export function windowsOf(bytes: number, limit: number): Window[] {
  const most = Math.floor(limit / ALIGNMENT) * ALIGNMENT;
  return Array.from({ length: Math.ceil(bytes / most) }, (_, i) => ({
    offset: i * most,
    size: Math.min(most, bytes - i * most),
  }));
}

/**
 * A kernel's text for bindings in windows: `counts` says in how many, binding by binding. Bindings are numbered anew, the
 * windows of a tensor one after another. Throws where the text does with such a tensor what cannot be rewritten: all but
 * reading and assigning whole elements.
 */
export function windowed(text: string, counts: readonly number[]): string {
  const names = new Set<string>();
  const functions: string[] = [];
  const declared = text.replace(DECLARATION, (_, index: string, access: string, name: string, element: string) => {
    const binding = Number(index);
    const count = counts[binding]!;
    const first = counts.slice(0, binding).reduce((sum, before) => sum + before, 0);
    if (count > 1) {
      names.add(name);
      functions.push(readFunction(name, element, count));
      if (access === 'read_write') functions.push(writeFunction(name, element, count));
    }
    const windows = count > 1 ? Array.from({ length: count }, (_, w) => windowName(name, w)) : [name];
    return windows
      .map((window, w) => `@group(0) @binding(${first + w}) var<storage, ${access}> ${window}: array<${element}>;`)
      .join('\n');
  });
  const tokens = tokensOf(declared);
  return [rewritten(tokens, usesOf(tokens, names), 0, tokens.length), ...functions].join('\n');
}

const windowName = (name: string, window: number): string => `${name}_window${window}`;

/** The first window's length is that of all but the last, in elements of whatever type. */
const lengthOf = (name: string): string => `let length = arrayLength(&${windowName(name, 0)});`;

function readFunction(name: string, element: string, count: number): string {
  return `
fn ${name}_read(i: u32) -> ${element} {
  ${lengthOf(name)}
${inEach(name, count, (place) => `return ${place};`)}
}`;
}

function writeFunction(name: string, element: string, count: number): string {
  return `
fn ${name}_write(i: u32, value: ${element}) {
  ${lengthOf(name)}
${inEach(name, count, (place) => `${place} = value;`, ' else ')}
}`;
}

/** A statement for the window that element i lies in, given its place there. */
function inEach(name: string, count: number, statement: (place: string) => string, otherwise = '\n'): string {
  return Array.from({ length: count }, (_, w) => {
    const condition = w < count - 1 ? `if (i < ${w + 1}u * length) ` : '';
    return `  ${condition}{ ${statement(`${windowName(name, w)}[i - ${w}u * length]`)} }`;
  }).join(otherwise);
}

/** Operators that assign; the first group is what they do before. */
const ASSIGNS = /^([-+*/%&|^]|<<|>>|)=$/;

/** The text of the tokens from `start` to before `end`, with calls in place of the uses. */
function rewritten(tokens: readonly Token[], uses: ReadonlySet<number>, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; ) {
    const { before, text: word } = tokens[i]!;
    text += before;
    if (!uses.has(i)) {
      text += word;
      i++;
      continue;
    }
    if (tokens[i + 1]!.text !== '[') throw unfit(word, 'names it without an index');
    const close = find(tokens, i + 2);
    const index = rewritten(tokens, uses, i + 2, close);
    const { operator, whole } = operatorAfter(tokens, close + 1);
    const assigns = ASSIGNS.exec(operator);
    if (operator === '++' || operator === '--' || (assigns && !whole))
      throw unfit(word, 'changes a part of an element');
    if (!assigns) {
      text += `${word}_read(${index})`;
      i = close + 1;
      continue;
    }
    const stop = find(tokens, close + 2, ';');
    const value = rewritten(tokens, uses, close + 2, stop).trim();
    if (operator === '=') {
      text += `${word}_write(${index}, ${value})`;
      i = stop;
    } else {
      if (tokens[stop]!.text !== ';') throw unfit(word, `has a loop that goes on by ${operator}`);
      text += `{ let ${word}_at = ${index}; ${word}_write(${word}_at, ${word}_read(${word}_at) ${assigns[1]} (${value})); }`;
      i = stop + 1;
    }
  }
  return text;
}

/** The token after an element and the members and components of it that are named; `whole` if none is. */
function operatorAfter(tokens: readonly Token[], start: number): { operator: string; whole: boolean } {
  let i = start;
  while (tokens[i]!.text === '.' || tokens[i]!.text === '[') {
    i = tokens[i]!.text === '.' ? i + 2 : find(tokens, i + 1) + 1;
  }
  return { operator: tokens[i]!.text, whole: i === start };
}

const unfit = (name: string, what: string): Error =>
  new Error(
    `the tensor ${name} passes the binding limit, and the kernel ${what}: it can only read and assign elements`,
  );
