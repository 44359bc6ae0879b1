import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html, trusted } from '../../src/io/html.js';

/** The inverse of escaping, as a browser does it. */
const unescaped = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
  );

describe('escapeHtml', () => {
  it('leaves nothing that could begin a tag, end an attribute or name an entity', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });

  it('keeps every printable text', () => {
    const markup = fc.string({ unit: fc.constantFrom('&', '<', '>', '"', "'", ';', 'amp', 'a', 'é', '鳥', '\n') });
    fc.assert(
      fc.property(markup, (text) => {
        expect(unescaped(escapeHtml(text))).toBe(text);
      }),
    );
  });

  it('replaces what HTML cannot hold', () => {
    expect(escapeHtml('a\0b\u0007c\uD800d\u009Fe\tf\n')).toBe('a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\tf\n');
    expect(escapeHtml('🐦')).toBe('🐦');
  });
});

describe('html', () => {
  it('escapes texts and numbers, but not HTML or the template itself', () => {
    expect(html`<b>${'<i>'}</b>${3}${html`<br>`}${trusted('a > b')}`.html).toBe('<b>&lt;i&gt;</b>3<br>a > b');
  });

  it('joins lists and leaves out what is not there', () => {
    expect(html`${['a', html`<br>`, ['&']]}|${undefined}|${false}|${[]}|${0}|${''}`.html).toBe('a<br>&amp;||||0|');
  });
});
