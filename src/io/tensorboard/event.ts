/**
 * TensorBoard's events as bytes: the part of TensorFlow's event.proto and summary.proto that is written here, with its names
 * and field numbers.
 */

import protobuf from 'protobufjs/light.js';

/** Equal bins between the least and the greatest of some values. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** Of values. */
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  /** The upper end of each bin. */
  readonly bucketLimit: readonly number[];
  /** Values in each bin. */
  readonly bucket: readonly number[];
}

export interface Image {
  readonly height: number;
  readonly width: number;
  /** 3: RGB, 4: RGBA. */
  readonly colorspace: number;
  /** A PNG or JPEG. */
  readonly encodedImageString: Uint8Array;
}

/** One of the three. */
export interface Value {
  readonly tag: string;
  readonly simpleValue?: number;
  readonly image?: Image;
  readonly histo?: Histogram;
}

export interface Event {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  /** Of the first event of a file. */
  readonly fileVersion?: string;
  readonly summary?: { readonly value: readonly Value[] };
  /** `START`: what earlier files say of this step and later ones no longer holds. */
  readonly sessionLog?: { readonly status: number };
}

/** Of SessionLog. */
export const START = 1;

const schema = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        fileVersion: { type: 'string', id: 3 },
        summary: { type: 'Summary', id: 5 },
        sessionLog: { type: 'SessionLog', id: 7 },
      },
    },
    Summary: { fields: { value: { rule: 'repeated', type: 'Value', id: 1 } } },
    Value: {
      fields: {
        tag: { type: 'string', id: 1 },
        simpleValue: { type: 'float', id: 2 },
        image: { type: 'Image', id: 4 },
        histo: { type: 'HistogramProto', id: 5 },
      },
    },
    Image: {
      fields: {
        height: { type: 'int32', id: 1 },
        width: { type: 'int32', id: 2 },
        colorspace: { type: 'int32', id: 3 },
        encodedImageString: { type: 'bytes', id: 4 },
      },
    },
    HistogramProto: {
      fields: {
        min: { type: 'double', id: 1 },
        max: { type: 'double', id: 2 },
        num: { type: 'double', id: 3 },
        sum: { type: 'double', id: 4 },
        sumSquares: { type: 'double', id: 5 },
        bucketLimit: { rule: 'repeated', type: 'double', id: 6, options: { packed: true } },
        bucket: { rule: 'repeated', type: 'double', id: 7, options: { packed: true } },
      },
    },
    SessionLog: { fields: { status: { type: 'int32', id: 1 } } },
  },
});

const eventType = schema.lookupType('Event');

export const encodeEvent = (event: Event): Uint8Array => eventType.encode(event).finish();
