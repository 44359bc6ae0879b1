/** Gradients on their way back through a tape, and whose memory they lie in. */
import type { Engine } from '../kernel/engine.js';
import { layOut, type Storage, type Tensor } from '../memory/tensor.js';
import { binary } from '../ops/elementwise.js';

/** One gradient per tensor, and how many of them share a storage (add hands one gradient to both inputs). */
export class Pending {
  private readonly gradients = new Map<Tensor, Tensor>();
  private readonly holders = new Map<Storage, number>();
  private readonly foreign = new Set<Storage>();
  /** Of results that were made together: where each one's gradient may go, next to the others'. */
  private readonly places = new Map<Tensor, () => Tensor>();
  private readonly wholes = new Map<Tensor, Tensor>();

  constructor(private readonly e: Engine) {}

  /** Lets the gradients of these tensors lie in one buffer, which is taken when the first of them is computed. */
  together(tensors: readonly Tensor[]): void {
    const { offsets, length } = layOut(tensors.map(({ shape }) => shape));
    const [first] = tensors as [Tensor];
    const whole = (): Tensor => {
      let found = this.wholes.get(first);
      if (!found) {
        found = this.e.empty([length]);
        this.hold(found);
        this.wholes.set(first, found);
      }
      return found;
    };
    tensors.forEach((tensor, i) => {
      this.places.set(tensor, () => ({ ...whole(), shape: tensor.shape, offset: offsets[i]! }));
    });
  }

  /** Where the first gradient of a tensor is to go, if anybody cares. */
  place(tensor: Tensor): Tensor | undefined {
    const place = this.places.get(tensor);
    this.places.delete(tensor);
    return place?.();
  }

  /** Gives back the buffer of gradients that lie together, when they have all been used. */
  forget(tensors: readonly Tensor[]): void {
    const [first] = tensors as [Tensor];
    const whole = this.wholes.get(first);
    this.wholes.delete(first);
    if (whole) this.drop(whole);
  }

  add(tensor: Tensor, gradient: Tensor): void {
    const before = this.gradients.get(tensor);
    if (!before) {
      this.hold(gradient);
      this.gradients.set(tensor, gradient);
      return;
    }
    const total = binary(this.e, 'add', before, gradient);
    this.hold(total);
    this.gradients.set(tensor, total);
    this.drop(before);
  }

  take(tensor: Tensor): Tensor | undefined {
    const gradient = this.gradients.get(tensor);
    this.gradients.delete(tensor);
    return gradient;
  }

  /** Whether a gradient that was taken is nobody else's. */
  isSpare({ storage }: Tensor): boolean {
    return this.holders.get(storage) === 1 && !this.foreign.has(storage);
  }

  hold({ storage }: Tensor): void {
    this.holders.set(storage, (this.holders.get(storage) ?? 0) + 1);
  }

  /** One holder less; the last one gives the memory back. */
  drop(gradient: Tensor): void {
    const left = (this.holders.get(gradient.storage) ?? 1) - 1;
    if (left > 0) {
      this.holders.set(gradient.storage, left);
      return;
    }
    this.holders.delete(gradient.storage);
    if (!this.foreign.has(gradient.storage)) this.e.release(gradient);
  }

  /** Marks memory that belongs to somebody else: it is never given back from here. */
  keep({ storage }: Tensor): void {
    this.foreign.add(storage);
  }
}
