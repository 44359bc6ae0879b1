/** Numbers and small tables as the report writes them. */

import { type Content, type Html, html } from '../html.js';
import type { Settings } from './data.js';

/** Narrow, and no place to break a line. */
const narrowSpace = '\u202F';

/** `27.3 %` */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}${narrowSpace}%`;
}

/** `19.5 to 36.8 %` */
export function percentRange([low, high]: readonly [number, number]): string {
  return `${(low * 100).toFixed(1)} to ${percent(high)}`;
}

/** `12 345` */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, narrowSpace);
}

/** `1 image`, `2 images`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `1.4 GiB` */
export function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return power === 0 ? plural(value, 'byte') : `${(value / 1024 ** power).toPrecision(3)} ${units[power]}`;
}

export function settingText(value: Settings[string]): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? String(Number(value.toPrecision(5))) : value;
}

/**
 * A label or path of the user's: kept apart, so that its writing direction does not leak out, and with places to break
 * `genus_species` and `folder/file`.
 */
export function label(text: string): Html {
  return html`<bdi>${text.split(/(?<=[_/])/).map((part, index) => html`${index > 0 && html`<wbr>`}${part}`)}</bdi>`;
}

/** Two columns: what, and how much. */
export function factsTable(caption: string, facts: readonly (readonly [name: Content, value: Content])[]): Html {
  return html`<table class="facts"><caption>${caption}</caption><tbody>
${facts.map(
  ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>
`,
)}</tbody></table>`;
}
