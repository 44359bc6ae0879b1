/** Where gradients go. */
import type { Engine } from '../kernel/engine.js';
import { formatShape, sameShape, type Tensor } from '../memory/tensor.js';
import { accumulate, affine, fill } from '../ops/elementwise.js';
import { sumOver } from '../ops/reduce.js';

interface Slot {
  /** Where the gradient lies; allocated at its first use if nobody gave a place. */
  tensor: Tensor | undefined;
  /** Whether it holds a gradient since the last `clear`. */
  filled: boolean;
}

/** Gradients of chosen tensors, in f32. They add up over several backward passes until `clear`. */
export class Gradients {
  private readonly slots = new Map<Tensor, Slot>();

  /** `place` gives each tensor's gradient a place of its own; else memory is taken when it is computed. */
  constructor(tensors: Iterable<Tensor>, place?: (tensor: Tensor) => Tensor) {
    for (const tensor of tensors) this.slots.set(tensor, { tensor: place?.(tensor), filled: false });
  }

  has(tensor: Tensor): boolean {
    return this.slots.has(tensor);
  }

  /** The gradient, undefined if no backward pass has reached the tensor since the last `clear`. */
  of(tensor: Tensor): Tensor | undefined {
    const slot = this.slots.get(tensor);
    return slot?.filled ? slot.tensor : undefined;
  }

  /** Forgets all gradients; the next backward pass overwrites them. */
  clear(): void {
    for (const slot of this.slots.values()) slot.filled = false;
  }

  /** Sets gradients that no backward pass has reached to zero. */
  fillMissing(e: Engine): void {
    for (const [tensor, slot] of this.slots) {
      if (slot.filled) continue;
      slot.tensor = fill(e, slot.tensor ?? e.empty(tensor.shape), 0);
      slot.filled = true;
    }
  }

  /** The place of a first gradient, if there is none yet. */
  unfilled(tensor: Tensor): Tensor | undefined {
    const slot = this.slots.get(tensor);
    return slot && !slot.filled ? slot.tensor : undefined;
  }

  /** Adds a gradient; true if it already lies in its place. */
  add(e: Engine, tensor: Tensor, gradient: Tensor): boolean {
    const slot = this.slots.get(tensor)!;
    if (slot.filled) {
      accumulate(e, gradient, slot.tensor!);
      return false;
    }
    slot.filled = true;
    slot.tensor ??= e.empty(tensor.shape);
    const inPlace = slot.tensor.storage === gradient.storage && slot.tensor.offset === gradient.offset;
    if (!inPlace) affine(e, gradient, 1, 0, slot.tensor);
    return inPlace;
  }
}

/** Sums a gradient over the dimensions along which its tensor was broadcast. */
export function unbroadcast(e: Engine, gradient: Tensor, { shape, dtype }: Tensor): Tensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const missing = gradient.shape.length - shape.length;
  const dims = gradient.shape
    .map((_, i) => i)
    .filter((i) => i < missing || (shape[i - missing] === 1 && gradient.shape[i] !== 1));
  if (missing < 0 || dims.length === 0) {
    throw new Error(
      `a gradient of shape ${formatShape(gradient.shape)} does not fit a tensor of shape ${formatShape(shape)}`,
    );
  }
  return sumOver(e, gradient, { dims }, 1, e.empty(shape, dtype));
}
