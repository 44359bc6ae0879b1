/** Where a kernel's text declares its storage buffers, and where it uses them. */
import type { Token } from './tokens.js';

/** A binding of group 0: its number, access, name and type of element. */
export const DECLARATION =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>\s*(\w+)\s*:\s*array<([^;]*)>\s*;/g;

const DECLARES = new Set(['let', 'var', 'const']);

/**
 * Where the text uses one of the buffers `names`: not where a parameter or a local variable hides it, nor where the name is
 * a member's.
 */
export function usesOf(tokens: readonly Token[], names: ReadonlySet<string>): ReadonlySet<number> {
  const uses = new Set<number>();
  /** What is hidden, block by block. */
  const blocks: Set<string>[] = [new Set()];
  /** To be hidden in the next block, or from the next semicolon on. */
  let parameters: string[] = [];
  let local: string | undefined;
  tokens.forEach(({ text }, i) => {
    if (text === '{') {
      blocks.push(new Set(parameters));
      parameters = [];
    } else if (text === '}') {
      blocks.pop();
      parameters = []; // what looked like parameters were a struct's members
    } else if (text === ';' && local !== undefined) {
      blocks.at(-1)!.add(local);
      local = undefined;
    } else if (names.has(text) && tokens[i - 1]!.text !== '.') {
      if (DECLARES.has(tokens[i - 1]!.text)) local = text;
      else if (tokens[i + 1]!.text === ':') parameters.push(text);
      else if (!blocks.some((hidden) => hidden.has(text))) uses.add(i);
    }
  });
  return uses;
}
