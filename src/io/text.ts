/**
 * Short texts as pictures, for labels on image sheets. With the system's fonts where it has any, otherwise (bare
 * servers and containers often have none) with the small bitmap font below.
 */

import sharp from 'sharp';

/** Pixels with straight alpha: `data[(y * width + x) * 4 + channel]`. */
export interface RgbaImage {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A text of about `px` pixels' height in `colour` (`#rrggbb`), or undefined when there is nothing to see in it. */
export async function textImage(text: string, px: number, colour: string): Promise<RgbaImage | undefined> {
  const visible = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  if (visible === '') return undefined;
  return (await hasSystemFonts()) ? withSystemFont(visible, px, colour) : withBitmapFont(visible, px, colour);
}

/** Cuts a text to at most `length` characters, the last one an ellipsis. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

let systemFonts: Promise<boolean> | undefined;

/** Whether texts can be drawn with fonts of the system. Without, every character is drawn as the same empty box. */
export function hasSystemFonts(): Promise<boolean> {
  systemFonts ??= Promise.all(['A', 'B'].map((letter) => withSystemFont(letter, 24, '#000000'))).then(
    ([a, b]) => Buffer.compare(a!.data, b!.data) !== 0,
    () => false,
  );
  return systemFonts;
}

async function withSystemFont(text: string, px: number, colour: string): Promise<RgbaImage> {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const markup = `<span foreground="${colour}">${escaped}</span>`;
  // At 72 dots per inch, a point is a pixel.
  const picture = sharp({ text: { text: markup, font: `sans ${px}`, dpi: 72, rgba: true } });
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Draws with the bitmap font, each dot a square of whole pixels. Accents are dropped, other scripts become boxes. */
export function withBitmapFont(text: string, px: number, colour: string): RgbaImage {
  const dot = Math.max(1, Math.round(px / 10));
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('…', '...');
  const columns = [...plain].flatMap((character) => [...(glyphs.get(character) ?? box), 0]).slice(0, -1);
  const [width, height] = [columns.length * dot, 8 * dot];
  const ink = [...Buffer.from(colour.slice(1), 'hex'), 255];
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = columns[Math.floor(x / dot)]!;
      if ((column >> Math.floor(y / dot)) & 1) data.set(ink, (y * width + x) * 4);
    }
  }
  return { data, width, height };
}

/** Characters ' ' to '~': a byte a column, the lowest bit on top, the eighth row for descenders. */
const glyphColumns = [
  '000000 5f 070007 147f147f14 242a7f2a12 2313086462 3649562050 07 1c2241 41221c 2a1c7f1c2a 08083e0808', //  !"#$%&'()*+
  '8060 08080808 6060 2010080402 3e5149453e 427f40 6251494946 2241494936 1814127f10 2745454539 3c4a494930', // ,-./0123456
  '0171090503 3649494936 064949291e 3636 8076 08142241 14141414 41221408 0201590906 3e415d551e 7e0909097e', // 789:;<=>?@A
  '7f49494936 3e41414122 7f4141413e 7f49494941 7f09090901 3e4149497a 7f0808087f 417f41 2040413f01 7f08142241', // BCDEFGHIJK
  '7f40404040 7f020c027f 7f0408107f 3e4141413e 7f09090906 3e4151215e 7f09192946 2649494932 01017f0101', // LMNOPQRST
  '3f4040403f 1f2040201f 3f4038403f 6314081463 0304780403 6151494543 7f4141 0204081020 41417f 0402010204', // UVWXYZ[\]^
  '8080808080 0102 2054545478 7f48444438 3844444428 384444487f 3854545418 087e0902 18a4a4a47c 7f08040478', // _`abcdefgh
  '447d40 40803d 7f10284400 417f40 7c04180478 7c08040478 3844444438 fc24242418 18242424fc 7c08040408', // ijklmnopqr
  '4854545424 043f444420 3c4040207c 1c2040201c 3c4030403c 4428102844 1ca0a0a07c 4464544c44 083641 7f 413608', // stuvwxyz{|}
  '0804081008', // ~
];
const glyphs = new Map(
  glyphColumns
    .join(' ')
    .split(' ')
    .map((columns, index) => [String.fromCharCode(32 + index), [...Buffer.from(columns, 'hex')]]),
);
const box = [127, 65, 65, 65, 127];
