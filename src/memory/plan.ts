/**
 * Plans for jobs that are done again and again, such as training steps: which buffers serve their requests for memory, so
 * that these take up as little as can be.
 *
 * By size, greedily: each request, the largest first, goes to the first buffer that is idle all the while, and gets a new one
 * where none is (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference").
 */

/** So many bytes, from one moment to another; without end if they outlive the job. */
export interface Request {
  readonly bytes: number;
  readonly from: number;
  until: number;
}

export interface Plan {
  /** Bytes of each request, in order. */
  readonly requests: readonly number[];
  /** Which buffer serves each; none for what outlives the job. */
  readonly buffers: readonly (number | undefined)[];
  /** Bytes of each buffer. */
  readonly sizes: readonly number[];
}

export function planOf(requests: readonly Request[]): Plan {
  const buffers = new Array<number | undefined>(requests.length).fill(undefined);
  const sizes: number[] = [];
  const served: Request[][] = [];
  const bySize = [...requests.entries()].filter(([, { until }]) => until < Number.POSITIVE_INFINITY);
  bySize.sort(([i, a], [j, b]) => b.bytes - a.bytes || i - j);
  for (const [i, request] of bySize) {
    let buffer = served.findIndex((others) => others.every((other) => apart(other, request)));
    if (buffer < 0) {
      buffer = sizes.length;
      sizes.push(request.bytes);
      served.push([]);
    }
    served[buffer]!.push(request);
    buffers[i] = buffer;
  }
  return { requests: requests.map(({ bytes }) => bytes), buffers, sizes };
}

const apart = (a: Request, b: Request): boolean => a.until < b.from || b.until < a.from;

/** Notes what a pool hands out and takes back, each at a moment of its own. */
export class Watch {
  readonly requests: Request[] = [];
  private readonly open = new Map<object, Request>();
  private moment = 0;

  took(storage: object, bytes: number): void {
    const request = { bytes, from: this.moment++, until: Number.POSITIVE_INFINITY };
    this.requests.push(request);
    this.open.set(storage, request);
  }

  gave(storage: object): void {
    const request = this.open.get(storage);
    if (request) request.until = this.moment++;
    this.open.delete(storage);
  }
}
