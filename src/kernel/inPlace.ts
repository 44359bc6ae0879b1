/**
 * One tensor as an operand and as the result of a kernel, where it reads each element before it writes it: WebGPU does not
 * let one dispatch bind a buffer twice if it writes to it, so the operand's binding is dropped, and what the kernel reads
 * from it is read from the result's.
 */
import { DECLARATION, usesOf } from './bindings.js';
import { tokensOf } from './tokens.js';

/** A kernel's text with the binding `read` dropped, those after it numbered anew, and `written` in its place. */
export function inPlace(text: string, [read, written]: readonly [number, number]): string {
  const names = [...text.matchAll(DECLARATION)].map(([, index, , name]) => [Number(index), name!] as const);
  const nameOf = new Map(names);
  const [operand, result] = [nameOf.get(read)!, nameOf.get(written)!];
  // A name of its own, so that no local variable hides it.
  const both = `${operand}_${result}`;
  const declared = text.replace(DECLARATION, (_, index: string, access: string, name: string, element: string) => {
    const binding = Number(index);
    if (binding === read) return '';
    const at = binding > read ? binding - 1 : binding;
    return `@group(0) @binding(${at}) var<storage, ${access}> ${binding === written ? both : name}: array<${element}>;`;
  });
  const tokens = tokensOf(declared);
  const uses = usesOf(tokens, new Set([operand, result]));
  return tokens.map(({ before, text: word }, i) => before + (uses.has(i) ? both : word)).join('');
}
