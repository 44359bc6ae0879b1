/** Spectrograms as pictures: grey and RGB files, and labelled sheets of many. */

import sharp, { type OverlayOptions } from 'sharp';
import { type ColormapName, colormap } from './colormap.js';
import type { Channels } from './pixels.js';
import { type RgbaImage, shorten, textImage } from './text.js';

/** An 8-bit greyscale PNG of `data`, `[height, width]` row by row from the top. */
export function grayPng(data: Uint8Array, width: number, height: number): Promise<Buffer> {
  return pixelsPng(data, width, height, 1);
}

/** An 8-bit PNG of `data`, `[height, width, channels]` row by row from the top: grey, or RGB. */
export function pixelsPng(data: Uint8Array, width: number, height: number, channels: Channels): Promise<Buffer> {
  if (data.length !== width * height * channels) {
    const pixels = channels === 1 ? '' : ` of ${channels} channels`;
    throw new RangeError(`pixelsPng: ${data.length} values are not ${height} rows of ${width}${pixels}`);
  }
  const image = sharp(data, { raw: { width, height, channels } });
  return image
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();
}

export interface GridOptions {
  columns: number;
  /** Side of every image in pixels. */
  size: number;
  /** One for each row, such as the class. */
  rowLabels?: readonly string[];
  title?: string;
  /** Each pixel becomes a square of `scale` pixels; by default such that an image is about 96 pixels wide. */
  scale?: number;
  /** For greyscale images. Default `magma`. */
  colormap?: ColormapName;
  /** `#rrggbb` or `transparent`. Default white. */
  background?: string;
}

const gap = 3;
const margin = 10;
const ink = '#222222';
const labelLength = 28;

/**
 * A PNG sheet of equal square images, filled row by row; the last row may be short. Each image is `[size, size]` grey
 * levels or `[size, size, 3]` RGB.
 */
export async function gridPng(images: readonly Uint8Array[], options: GridOptions): Promise<Buffer> {
  const { columns, size, rowLabels = [], title = '', background = '#ffffff' } = options;
  const scale = options.scale ?? Math.max(1, Math.round(96 / size));
  const rows = Math.ceil(images.length / columns);
  checkGrid(images, size, rows, rowLabels);

  const labels = await Promise.all(rowLabels.map((label) => textImage(shorten(label, labelLength), 15, ink)));
  const heading = await textImage(title, 19, ink);
  const cell = size * scale;
  const pitch = cell + gap;
  const bordered = heading !== undefined || rowLabels.length > 0;
  const border = bordered ? margin : 0;
  const labelWidth = Math.max(0, ...labels.map((label) => (label ? label.width + margin : 0)));
  const [left, top] = [border + labelWidth, border + (heading ? heading.height + margin : 0)];
  const width = Math.max(left + columns * pitch - gap, heading ? border + heading.width : 0) + border;
  const rowsHeight = labels.reduce((tallest, label) => Math.max(tallest, label?.height ?? 0), cell);
  const rowPitch = rowsHeight + gap;
  const height = top + rows * rowPitch - gap + border;

  const canvas: RgbaImage = { data: new Uint8Array(width * height * 4), width, height };
  const colours = colormap(options.colormap ?? 'magma');
  for (const [index, image] of images.entries()) {
    const [row, column] = [Math.floor(index / columns), index % columns];
    paint(canvas, image, { size, scale, colours, x: left + column * pitch, y: top + row * rowPitch });
  }
  const texts = labels.map((label, row) => {
    if (!label) return [];
    const middle = top + row * rowPitch + Math.round((rowsHeight - label.height) / 2);
    return [overlay(label, left - margin - label.width, middle)];
  });
  const overlays = [...texts.flat(), ...(heading ? [overlay(heading, border, border)] : [])];
  // A sharp pipeline flattens before it composites, whatever the order of the calls: so there are two pipelines.
  const raw = { width, height, channels: 4 } as const;
  const drawn = await sharp(canvas.data, { raw }).composite(overlays).raw().toBuffer();
  const sheet = sharp(drawn, { raw });
  return (background === 'transparent' ? sheet : sheet.flatten({ background })).png().toBuffer();
}

function checkGrid(images: readonly Uint8Array[], size: number, rows: number, rowLabels: readonly string[]): void {
  if (images.length === 0) throw new RangeError('gridPng: there are no images');
  const wrong = images.findIndex(({ length }) => length !== size * size && length !== size * size * 3);
  if (wrong >= 0) {
    throw new RangeError(`gridPng: image ${wrong} has ${images[wrong]!.length} values, not ${size} * ${size} (* 3)`);
  }
  if (rowLabels.length > 0 && rowLabels.length !== rows) {
    throw new RangeError(`gridPng: ${rowLabels.length} row labels for ${rows} rows`);
  }
}

interface Placement {
  size: number;
  scale: number;
  /** 256 RGB triples. */
  colours: Uint8Array;
  x: number;
  y: number;
}

/** Copies an image to the canvas with every pixel enlarged to a square. */
function paint(canvas: RgbaImage, image: Uint8Array, { size, scale, colours, x, y }: Placement): void {
  const isGray = image.length === size * size;
  const side = size * scale;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const pixel = Math.floor(row / scale) * size + Math.floor(column / scale);
      const source = isGray ? colours : image;
      const from = (isGray ? image[pixel]! : pixel) * 3;
      const to = ((y + row) * canvas.width + x + column) * 4;
      canvas.data[to] = source[from]!;
      canvas.data[to + 1] = source[from + 1]!;
      canvas.data[to + 2] = source[from + 2]!;
      canvas.data[to + 3] = 255;
    }
  }
}

function overlay({ data, width, height }: RgbaImage, left: number, top: number): OverlayOptions {
  return {
    input: Buffer.from(data.buffer, data.byteOffset, data.length),
    raw: { width, height, channels: 4 },
    left,
    top,
  };
}
