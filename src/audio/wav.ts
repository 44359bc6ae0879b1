/** Sound as 16-bit PCM WAV, the one format that every program opens. */

/**
 * Mono samples in [-1, 1] (beyond that they are clipped) as a whole WAV file: the 44-byte header, then little-endian
 * 16-bit integers, then the comment, if there is one, where players look for it.
 */
export function encodeWav(samples: Float32Array, sampleRate: number, comment?: string): Uint8Array {
  const dataBytes = 2 * samples.length;
  const info = comment === undefined ? Buffer.alloc(0) : infoChunk(comment);
  const bytes = new Uint8Array(44 + dataBytes + info.length);
  const view = new DataView(bytes.buffer);
  const text = (at: number, letters: string) => bytes.set(Buffer.from(letters, 'latin1'), at);
  text(0, 'RIFF');
  view.setUint32(4, 36 + dataBytes + info.length, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true); // bytes of the fmt chunk
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); // bytes per second
  view.setUint16(32, 2, true); // bytes per frame
  view.setUint16(34, 16, true); // bits
  text(36, 'data');
  view.setUint32(40, dataBytes, true);
  samples.forEach((sample, i) => {
    view.setInt16(44 + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, sample))), true);
  });
  bytes.set(info, 44 + dataBytes);
  return bytes;
}

/** LIST of INFO with one comment (ICMT). */
function infoChunk(comment: string): Buffer {
  const letters = Buffer.from(`${comment}\0`, 'latin1');
  const padding = letters.length % 2;
  const chunk = Buffer.alloc(20 + letters.length + padding);
  chunk.write('LIST', 0, 'latin1');
  chunk.writeUInt32LE(12 + letters.length + padding, 4);
  chunk.write('INFOICMT', 8, 'latin1');
  chunk.writeUInt32LE(letters.length, 16);
  letters.copy(chunk, 20);
  return chunk;
}
