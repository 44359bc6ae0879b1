/** TFRecord, the framing of TensorFlow's record files: u64 length, its checksum, the bytes, their checksum; little-endian. */

import { crc32c } from './crc32c.js';

/** Checksums of data that hold checksums themselves would be weak: so they are rotated by 15 bits and moved. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

export function encodeRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(16 + data.length);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return record;
}
