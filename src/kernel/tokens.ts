/** WGSL text as tokens: as much of the language as rewriting accesses takes (see windows.ts). */

export interface Token {
  /** White space and comments in front of it. */
  readonly before: string;
  readonly text: string;
}

/** Blanks and comments; then a name, a number, an operator that assigns or compares, or any one character. */
const TOKEN = /((?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*)([A-Za-z_]\w*|\d[\w.]*|<<=|>>=|[-+*/%&|^=!<>]=|\+\+|--|[\s\S]|$)/y;

/** Texts and what stands between them, put one after another, are `text` again. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [, before, word] = TOKEN.exec(text) as unknown as [string, string, string];
    tokens.push({ before, text: word });
  }
  return tokens;
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const CLOSES = new Set(Object.values(CLOSING));

/**
 * The first token from `start` on, outside of all brackets opened since, whose text is in `wanted`; or the bracket that
 * closes what was open at `start`, whichever comes first.
 */
export function find(tokens: readonly Token[], start: number, wanted = ''): number {
  let depth = 0;
  for (let i = start; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    if (depth === 0 && (text === wanted || CLOSES.has(text))) return i;
    if (text in CLOSING) depth++;
    else if (CLOSES.has(text)) depth--;
  }
  throw new Error('a bracket of the kernel is not closed');
}
