import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { colormap } from '../../src/io/colormap.js';
import { UserError } from '../../src/io/errors.js';
import { grayPng, gridPng, pixelsPng } from '../../src/io/image.js';
import { readPixels } from '../../src/io/pixels.js';
import { shorten, textImage, withBitmapFont } from '../../src/io/text.js';
import { temporaryFolder } from '../temporary.js';

const folder = temporaryFolder();

async function saved(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

/** The RGBA values of pixel (x, y) of a PNG. */
async function reader(png: Buffer) {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { ...info, at: (x: number, y: number) => [...data.subarray((y * info.width + x) * 4).subarray(0, 4)] };
}

const readGray = (file: string, size: number) => readPixels(file, { size, channels: 1 });

describe('writing and reading pixels', () => {
  it('round-trips every grey level exactly', async () => {
    const square = fc
      .integer({ min: 1, max: 20 })
      .chain((size) => fc.tuple(fc.constant(size), fc.uint8Array({ minLength: size * size, maxLength: size * size })));
    await fc.assert(
      fc.asyncProperty(square, async ([size, data]) => {
        const file = await saved('any.png', await grayPng(data, size, size));
        expect(await readGray(file, size)).toEqual(Buffer.from(data));
      }),
      { numRuns: 25 },
    );
  });

  it('writes one channel of eight bits, rows from the top', async () => {
    const png = await grayPng(Uint8Array.of(0, 50, 100, 150, 200, 250), 3, 2);
    expect(await sharp(png).metadata()).toMatchObject({ width: 3, height: 2, channels: 1, depth: 'uchar' });
    const image = await reader(png);
    expect(image.at(0, 1)).toEqual([150, 150, 150, 255]);
  });

  it('refuses data of another size', () => {
    expect(() => grayPng(new Uint8Array(5), 3, 2)).toThrow(/5 values are not 2 rows of 3/);
  });

  it.each([{ palette: false }, { palette: true }])('reads grey levels stored in colours, %j', async (kind) => {
    const levels = [0, 50, 128, 255];
    const rgb = sharp(Uint8Array.from(levels.flatMap((v) => [v, v, v])), { raw: { width: 2, height: 2, channels: 3 } });
    const file = await saved('kind.png', await rgb.png(kind).toBuffer());
    expect([...(await readGray(file, 2))]).toEqual(levels);
    expect([...(await readPixels(file, { size: 2, channels: 3 }))]).toEqual(levels.flatMap((v) => [v, v, v]));
  });

  it('keeps sixteen bits, of grey and of colours, with and without alpha', async () => {
    const levels = Uint16Array.of(0, 1001, 40000, 65535);
    const raw = { width: 2, height: 2 } as const;
    const gray = sharp(levels, { raw: { ...raw, channels: 1 } }).toColourspace('grey16');
    const file = await saved('gray16.png', await gray.png().toBuffer());
    expect([...(await readGray(file, 2))]).toEqual([...levels]);
    expect([...(await readPixels(file, { size: 2, channels: 3 }))]).toEqual([...levels].flatMap((v) => [v, v, v]));

    const opaque = [...levels].flatMap((v) => [v, 65535 - v, 7, 65535]);
    const rgba = sharp(Uint16Array.from(opaque), { raw: { ...raw, channels: 4 } }).toColourspace('rgb16');
    const colours = await readPixels(await saved('rgba16.png', await rgba.png().toBuffer()), { size: 2, channels: 3 });
    expect([...colours]).toEqual(opaque.filter((_, i) => i % 4 < 3));
  });

  it('keeps colours where three channels are asked for, and makes them grey where one is', async () => {
    const rgb = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9);
    const file = await saved('colours.png', await pixelsPng(rgb, 2, 2, 3));
    expect([...(await readPixels(file, { size: 2, channels: 3 }))]).toEqual([...rgb]);
    const [red, green, blue, gray] = await readGray(file, 2);
    expect([green! > red!, red! > blue!, gray]).toEqual([true, true, 9]);
  });

  it.each([
    ['stretch', [255, 255, 255, 255, 255, 255, 255, 255]],
    ['pad', [0, 255, 255, 0]],
    ['crop', [255, 255, 255, 255]],
  ] as const)('makes a tall picture square by %s', async (fit, row) => {
    const file = await saved('tall.png', await grayPng(new Uint8Array(32).fill(255), 4, 8));
    const size = row.length;
    const pixels = await readPixels(file, { size, channels: 1, fit });
    expect([...pixels.subarray(size, 2 * size)]).toEqual(row);
  });

  it('averages what a smaller pixel covers', async () => {
    const stripes = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i % 2) * 200);
    const small = await readGray(await saved('stripes.png', await grayPng(stripes, 64, 64)), 8);
    for (const value of small) expect(Math.abs(value - 100)).toBeLessThan(12);
  });

  it('resizes other sizes and counts transparent parts as black', async () => {
    const whiteButClear = Uint8Array.from({ length: 6 * 2 * 2 }, (_, i) => (i % 2 === 0 ? 255 : 0));
    const image = sharp(whiteButClear, { raw: { width: 6, height: 2, channels: 2 } });
    const file = await saved('clear.png', await image.png().toBuffer());
    expect([...(await readGray(file, 3))]).toEqual(Array(9).fill(0));
  });

  it('names what is missing, no image, or cut short', async () => {
    await expect(readGray(path.join(folder, 'no.png'), 4)).rejects.toThrow(/There is no file or folder ".*no\.png"/);
    const text = await saved('text.png', Buffer.from('not an image'));
    await expect(readGray(text, 4)).rejects.toThrow(UserError);
    await expect(readGray(text, 4)).rejects.toThrow(/text\.png" cannot be read as an image/);
    const noise = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i * 7919) % 251);
    const whole = await grayPng(noise, 64, 64);
    const half = await saved('half.png', whole.subarray(0, whole.length / 2));
    await expect(readGray(half, 64)).rejects.toThrow(/half\.png" cannot be read/);
  });
});

describe('gridPng', () => {
  const size = 4;
  const flat = (level: number) => new Uint8Array(size * size).fill(level);

  it('places the images row by row, enlarged without blur, with gaps between', async () => {
    const images = [Uint8Array.from({ length: 16 }, (_, i) => i), flat(100), flat(255)];
    const sheet = await reader(
      await gridPng(images, { columns: 2, size, scale: 3, colormap: 'gray', background: '#ff0000' }),
    );
    expect([sheet.width, sheet.height]).toEqual([27, 27]);
    for (const [x, y] of [
      [0, 0],
      [2, 5],
      [11, 11],
      [7, 8],
    ] as const) {
      const level = Math.floor(y / 3) * 4 + Math.floor(x / 3);
      expect(sheet.at(x, y)).toEqual([level, level, level, 255]);
    }
    expect(sheet.at(15, 0)).toEqual([100, 100, 100, 255]);
    expect(sheet.at(0, 15)).toEqual([255, 255, 255, 255]);
    for (const [x, y] of [
      [13, 5],
      [5, 13],
      [20, 20],
    ] as const) {
      expect(sheet.at(x, y)).toEqual([255, 0, 0, 255]);
    }
  });

  it('colours grey images by the map and keeps RGB images', async () => {
    const rgb = Uint8Array.from({ length: 48 }, (_, i) => [10, 20, 30][i % 3]!);
    const sheet = await reader(await gridPng([flat(255), rgb], { columns: 2, size, scale: 1 }));
    expect(sheet.at(0, 0)).toEqual([0xfc, 0xfd, 0xbf, 255]);
    expect(sheet.at(7, 0)).toEqual([10, 20, 30, 255]);
  });

  it('leaves gaps transparent when asked', async () => {
    const sheet = await reader(
      await gridPng([flat(0), flat(0)], { columns: 2, size, scale: 1, background: 'transparent' }),
    );
    expect(sheet.at(4, 0)[3]).toBe(0);
    expect(sheet.at(3, 0)[3]).toBe(255);
  });

  it('makes room for a title and a label beside each row', async () => {
    const plain = await reader(await gridPng([flat(0), flat(0)], { columns: 1, size, scale: 10 }));
    const png = await gridPng([flat(0), flat(0)], {
      columns: 1,
      size,
      scale: 10,
      rowLabels: ['Wren & <b>', ''],
      title: 'Real',
    });
    const sheet = await reader(png);
    expect(sheet.width).toBeGreaterThan(plain.width + 30);
    expect(sheet.height).toBeGreaterThan(plain.height + 20);
    // Ink left of the first row's image and none left of the second's, whose label is empty.
    const imageTop = sheet.height - 10 - plain.height;
    const inked = (from: number, to: number) => {
      for (let y = from; y < to; y++) {
        for (let x = 0; x < sheet.width - 55; x++) if (sheet.at(x, y)[0]! < 128) return true;
      }
      return false;
    };
    expect(inked(imageTop, imageTop + 40)).toBe(true);
    expect(inked(imageTop + 43, sheet.height)).toBe(false);
  });

  it('enlarges small images by default and leaves large ones', async () => {
    expect((await reader(await gridPng([new Uint8Array(32 * 32)], { columns: 1, size: 32 }))).width).toBe(96);
    expect((await reader(await gridPng([new Uint8Array(256 * 256)], { columns: 1, size: 256 }))).width).toBe(256);
  });

  it('refuses images of other sizes, wrong numbers of labels, and nothing', async () => {
    await expect(gridPng([flat(0), new Uint8Array(15)], { columns: 2, size })).rejects.toThrow(/image 1 has 15 values/);
    await expect(gridPng([flat(0)], { columns: 1, size, rowLabels: ['a', 'b'] })).rejects.toThrow(/2 row labels for 1/);
    await expect(gridPng([], { columns: 1, size })).rejects.toThrow(/no images/);
  });
});

describe('text', () => {
  const inkOf = (data: Uint8Array) => data.filter((value, i) => i % 4 === 3 && value > 0).length;

  it('is drawn in its colour, and not at all when there is nothing to see', async () => {
    const text = await textImage('W', 20, '#ff0000');
    const solid = text!.data.findIndex((value, i) => i % 4 === 3 && value === 255);
    expect([...text!.data.subarray(solid - 3, solid)]).toEqual([255, 0, 0]);
    expect(await textImage(' \n\u0007', 20, '#000000')).toBeUndefined();
  });

  it('survives any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 12 }), async (text) => {
        const image = await textImage(text, 14, '#000000');
        if (image) expect(image.data.length).toBe(image.width * image.height * 4);
      }),
      { numRuns: 30 },
    );
  });

  it('has a bitmap glyph of its own for every printable ASCII character', () => {
    const drawn = Array.from({ length: 95 }, (_, i) => {
      const { data, width } = withBitmapFont(String.fromCharCode(32 + i), 10, '#000000');
      return `${width}:${Buffer.from(data).toString('base64')}`;
    });
    expect(new Set(drawn).size).toBe(95);
    expect(inkOf(withBitmapFont('~', 10, '#000000').data)).toBe(5);
    const bar = withBitmapFont('|', 20, '#123456');
    expect([bar.width, bar.height, inkOf(bar.data)]).toEqual([2, 16, 28]);
  });

  it('drops accents and boxes other scripts in the bitmap font', () => {
    expect(withBitmapFont('König', 10, '#000000')).toEqual(withBitmapFont('Konig', 10, '#000000'));
    expect(withBitmapFont('鳥', 10, '#000000').width).toBe(5);
  });

  it('is told from the empty boxes that a machine without fonts draws', async () => {
    const config = await saved('none.conf', Buffer.from('<?xml version="1.0"?><fontconfig></fontconfig>'));
    const script = `const sharp = require('sharp');
      Promise.all(['A', 'B'].map((text) => sharp({ text: { text, font: 'sans 24', dpi: 72, rgba: true } }).raw().toBuffer()))
        .then(([a, b]) => console.log(Buffer.compare(a, b)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
      env: { ...process.env, FONTCONFIG_FILE: config },
    });
    expect(stdout.trim()).toBe('0');
  });

  it('is shortened by whole characters', () => {
    expect(shorten('wren', 4)).toBe('wren');
    expect(shorten('wrens', 4)).toBe('wre…');
    expect(shorten('🐦🐦🐦', 2)).toBe('🐦…');
  });
});

describe('colormap', () => {
  it('gets brighter throughout, from the first stop to the last', () => {
    for (const name of ['gray', 'magma', 'viridis'] as const) {
      const table = colormap(name);
      const luminance = Array.from({ length: 256 }, (_, i) => {
        const [r, g, b] = [table[i * 3]!, table[i * 3 + 1]!, table[i * 3 + 2]!];
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      });
      for (let i = 8; i < 256; i += 8) expect(luminance[i]).toBeGreaterThan(luminance[i - 8]!);
    }
    expect([...colormap('viridis').subarray(0, 3)]).toEqual([0x44, 0x01, 0x54]);
    expect([...colormap('viridis').subarray(-3)]).toEqual([0xfd, 0xe7, 0x25]);
    expect([...colormap('gray').subarray(300, 303)]).toEqual([100, 100, 100]);
  });
});
