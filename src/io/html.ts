/** HTML as tagged templates that escape whatever is put into them. */

/** Text that is HTML already. Only `html` and `trusted` make it. */
export interface Html {
  readonly html: string;
}

export type Content = string | number | Html | undefined | false | readonly Content[];

/** A fragment in which texts and numbers are escaped, lists are joined, and `undefined` and `false` are nothing. */
export function html(pieces: TemplateStringsArray, ...values: readonly Content[]): Html {
  const rest = values.map((value, index) => render(value) + pieces[index + 1]!);
  return { html: pieces[0]! + rest.join('') };
}

/** Text of the program's own that goes in as it is, such as a style sheet. */
export function trusted(text: string): Html {
  return { html: text };
}

function render(value: Content): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return 'html' in value ? value.html : value.map(render).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe between tags and in quoted attributes of HTML and SVG. Characters that neither may hold become U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .replace(/(?![\t\n\r])[\p{Cc}\p{Cs}]/gu, '\uFFFD')
    .replace(/[&<>"']/g, (character) => entities[character]!);
}
