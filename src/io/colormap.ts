/** Perceptually uniform colour maps: equal steps of energy look like equal steps of brightness, also in greyscale. */

export type ColormapName = 'gray' | 'magma' | 'viridis';

/** Evenly spaced sRGB stops of matplotlib's maps (public domain); between them, linear (at most 6 of 255 off). */
const stops: Readonly<Record<ColormapName, string>> = {
  gray: '000000 ffffff',
  magma:
    '000004 0a0822 1d1146 36106a 50127c 691c81 822681 9c2e7f b63779 cf4170 e65163 f5695c fb8761 fea571 fec387 fde0a2 fcfdbf',
  viridis:
    '440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26818e 21908c 1f9f88 28ae80 3ebc74 5dc963 82d34c abdc32 d5e21a fde725',
};

/** The map as 256 RGB triples, `[256 * 3]`. */
export function colormap(name: ColormapName): Uint8Array {
  const colours = stops[name].split(' ').map((hex) => [...Buffer.from(hex, 'hex')]);
  const table = new Uint8Array(256 * 3);
  for (let level = 0; level < 256; level++) {
    const at = (level / 255) * (colours.length - 1);
    const left = Math.min(Math.floor(at), colours.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      const from = colours[left]![channel]!;
      const to = colours[left + 1]![channel]!;
      table[level * 3 + channel] = Math.round(from + (to - from) * (at - left));
    }
  }
  return table;
}
