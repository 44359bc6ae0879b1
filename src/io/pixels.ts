/** Image files of any kind and size, as pixels. */

import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, toUserError, UserError } from './errors.js';

/** Grey, or red, green and blue. */
export type Channels = 1 | 3;

/** How a picture that is not square becomes square. */
export const FITS = ['stretch', 'pad', 'crop'] as const;
export type Fit = (typeof FITS)[number];

export interface ReadPixels {
  /** Side of the square that it becomes. */
  readonly size: number;
  readonly channels: Channels;
  /**
   * `stretch` (default): each axis on its own, so that all times and frequencies stay; `pad`: the whole picture, black
   * beside it; `crop`: its middle. Where it is made smaller, every pixel is a Lanczos-weighted mean of what it covers.
   */
  readonly fit?: Fit;
}

/** Levels of a square picture, `[size, size, channels]`: 0 to 255, or to 65535 where the file has 16 bits. */
export type Pixels = Uint8Array | Uint16Array;

const SHARP_FIT = { stretch: 'fill', pad: 'contain', crop: 'cover' } as const;

/**
 * Any image file, resized where it has another size; transparent parts count as black. Colours become grey by their
 * luminance. Throws a UserError that names the file if it cannot be read, is no image, or is cut short.
 */
export async function readPixels(file: string, { size, channels, fit = 'stretch' }: ReadPixels): Promise<Pixels> {
  const bytes = await readBytes(file);
  return decoding(file, async () => {
    const image = sharp(bytes);
    const { depth } = await image.metadata();
    const square = image
      .autoOrient()
      .flatten({ background: 'black' })
      .resize(size, size, { fit: SHARP_FIT[fit], background: 'black' });
    if (depth === 'ushort') {
      const deep = square.toColourspace(channels === 1 ? 'grey16' : 'rgb16').raw({ depth: 'ushort' });
      const { buffer, byteOffset, byteLength } = await deep.toBuffer();
      return new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength)); // whose offset may be odd
    }
    return square
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer();
  });
}

/** Grey levels `[from, from]` at another size, as `readPixels` would give them of a file. */
export async function resizeLevels(levels: Uint8Array, from: number, size: number): Promise<Uint8Array> {
  if (from === size) return levels;
  const image = sharp(levels, { raw: { width: from, height: from, channels: 1 } });
  return image.resize(size, size, { fit: 'fill' }).toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer();
}

/** A picture as it is: grey levels from 0 for black to 1 for white, row by row from the top. */
export interface GrayPicture {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
  /** How far colours are from grey: the mean distance of the largest from the smallest of red, green and blue, 0 to 1. */
  readonly colour: number;
}

/** Any image file in its own size; colours become grey by their luminance. Throws as `readPixels` does. */
export async function readGray(file: string): Promise<GrayPicture> {
  const bytes = await readBytes(file);
  return decoding(file, async () => {
    const image = sharp(bytes).autoOrient().flatten({ background: 'black' });
    const gray = image.clone().toColourspace('b-w').raw({ depth: 'uchar' });
    const { data, info } = await gray.toBuffer({ resolveWithObject: true });
    const values = Float32Array.from(data, (level) => level / 255);
    const { channels } = await image.metadata();
    const colour = channels < 3 ? 0 : colourOf(await image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer());
    return { width: info.width, height: info.height, values, colour };
  });
}

/** Of red, green and blue levels. */
function colourOf(levels: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < levels.length; i += 3) {
    const [red, green, blue] = [levels[i]!, levels[i + 1]!, levels[i + 2]!];
    sum += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  return sum / 255 / (levels.length / 3);
}

export interface ImageFacts {
  readonly width: number;
  readonly height: number;
  /** As the file has them: 1 grey, 2 with alpha, 3 colours, 4 with alpha. */
  readonly channels: number;
  readonly bits: number;
  /** Of its grey levels, from 0 for black to 1 for white: mean, standard deviation, shares of black and of white pixels. */
  readonly mean: number;
  readonly deviation: number;
  readonly black: number;
  readonly white: number;
}

/** What an image file is like. Throws as `readPixels` does. */
export async function imageFacts(file: string): Promise<ImageFacts> {
  const bytes = await readBytes(file);
  return decoding(file, async () => {
    const image = sharp(bytes);
    const { width, height, channels, depth } = await image.metadata();
    const levels = await image.flatten({ background: 'black' }).toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer();
    let [sum, squares, black, white] = [0, 0, 0, 0];
    for (const level of levels) {
      sum += level;
      squares += level * level;
      if (level === 0) black++;
      else if (level === 255) white++;
    }
    const mean = sum / levels.length / 255;
    const variance = squares / levels.length / 255 ** 2 - mean ** 2;
    return {
      width,
      height,
      channels,
      bits: depth === 'ushort' ? 16 : 8,
      mean,
      deviation: Math.sqrt(Math.max(0, variance)),
      black: black / levels.length,
      white: white / levels.length,
    };
  });
}

const readBytes = (file: string): Promise<Buffer> =>
  readFile(file).catch((error: unknown) => {
    throw toUserError(error, file);
  });

/** What the decoder complains of, as an error that names the file. */
async function decoding<T>(file: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    const [first] = describe(error).split('\n', 1); // the decoders' complaints may be many
    const reason = first!.includes('failOn') ? 'a part of it is damaged or missing' : first;
    throw new UserError(`"${file}" cannot be read as an image (${reason}). Replace the file or remove it.`, {
      cause: error,
    });
  }
}
