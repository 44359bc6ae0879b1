/**
 * The tape: what was computed, in order, so that gradients can be computed in the other.
 *
 *   const tape = new Tape(engine, new Gradients([w]));
 *   const loss = tape.apply(mean, [tape.apply(linear, [x, w], {})], {});
 *   tape.backward(loss);              // gradients.of(w) is d loss / d w
 *
 * Only what leads from a tracked tensor to the loss is recorded, and only wanted gradients are computed: a frozen
 * network costs no weight gradients, and a tape without gradients records nothing.
 */
import type { Engine } from '../kernel/engine.js';
import { formatShape, type Shape, type Storage, sameShape, type Tensor } from '../memory/tensor.js';
import { inputName, type Op, type Saved, type Want } from '../ops/define.js';
import { accumulate, affine, binary, fill } from '../ops/elementwise.js';
import { sumOver } from '../ops/reduce.js';

type Inputs = readonly (Tensor | undefined)[];

interface Slot {
  /** Where the gradient lies; allocated at its first use if nobody gave a place. */
  tensor: Tensor | undefined;
  /** Whether it holds a gradient since the last `clear`. */
  filled: boolean;
}

/** Gradients of chosen tensors. They add up over several backward passes until `clear`. */
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

interface Node {
  readonly op: Op;
  readonly inputs: Inputs;
  readonly attrs: object;
  readonly saved: Saved;
  readonly y: Tensor;
}

export class Tape {
  private readonly nodes: Node[] = [];
  /** Tensors that a tracked tensor leads to. */
  private readonly reached = new Set<Tensor>();
  private recording = true;

  /** Without `gradients` nothing is recorded. */
  constructor(
    readonly engine: Engine,
    private readonly gradients = new Gradients([]),
  ) {}

  /** Runs an op, and remembers it if a gradient will have to pass through it. */
  apply<A extends object, I extends Inputs>(op: Op<A, I>, inputs: I, attrs: A): Tensor {
    const e = this.engine;
    const shape = op.shape(
      inputs.map((input) => input?.shape),
      attrs,
    );
    // A scope of its own frees what the op needed in between.
    const { y, ...extras } = e.scope(() => op.forward(e, inputs, attrs, shape));
    if (!this.recording || !op.backward || !inputs.some((input) => input && this.tracks(input))) {
      for (const extra of Object.values(extras)) if (!inputs.includes(extra)) e.release(extra);
      return y;
    }
    const named: Record<string, Tensor> = { ...extras, y };
    op.inputs.forEach((name, i) => {
      const input = inputs[i];
      if (input) named[inputName(name)] = input;
    });
    const saved = Object.fromEntries(op.saves.filter((name) => name in named).map((name) => [name, named[name]!]));
    for (const [name, extra] of Object.entries(extras)) {
      if (!(name in saved) && !inputs.includes(extra)) e.release(extra);
    }
    // The record's types tie attrs and inputs to the op; a list of nodes of many ops cannot say so.
    this.nodes.push({ op: op as unknown as Op, inputs, attrs, saved, y });
    this.reached.add(y);
    return y;
  }

  /** Computes without recording. */
  noGrad<T>(body: () => T): T {
    const before = this.recording;
    this.recording = false;
    try {
      return body();
    } finally {
      this.recording = before;
    }
  }

  /**
   * Adds d(result . cotangent)/d(tensor) to the gradients of all tracked tensors. `cotangent` defaults to 1 for a result
   * of one element. Memory of intermediate results goes back to the pool as soon as no further op needs it: after this,
   * only `result`, the tensors in `keep` and the tape's inputs can be read. The tape is empty afterwards.
   */
  backward(result: Tensor, cotangent?: Tensor, keep: readonly Tensor[] = []): void {
    this.backwardAll([[result, cotangent]], keep);
  }

  /** The same for several results at once. */
  backwardAll(results: readonly (readonly [Tensor, Tensor?])[], keep: readonly Tensor[] = []): void {
    const e = this.engine;
    const pending = new Pending(e);
    const kept = new Set<Storage>(
      [...results.flat(), ...keep]
        .map((tensor) => tensor!)
        .filter(Boolean)
        .map((t) => t.storage),
    );
    for (const [result, cotangent] of results) {
      if (!this.reached.has(result)) continue;
      if (cotangent) pending.keep(cotangent);
      pending.add(result, cotangent ?? ones(e, result.shape));
    }
    for (let node = this.nodes.pop(); node; node = this.nodes.pop()) {
      const gy = pending.take(node.y);
      if (gy) {
        this.step(node, gy, pending);
        pending.drop(gy);
      }
      // Whoever used y comes after it on the tape, so they are all done.
      if (!node.op.view && !kept.has(node.y.storage)) e.release(node.y);
      for (const [name, tensor] of Object.entries(node.saved)) {
        if (name !== 'y' && !node.inputs.includes(tensor)) e.release(tensor);
      }
    }
    this.reached.clear();
  }

  private tracks(tensor: Tensor): boolean {
    return this.gradients.has(tensor) || this.reached.has(tensor);
  }

  /** One op's gradients, passed on to its inputs. */
  private step(node: Node, gy: Tensor, pending: Pending): void {
    const e = this.engine;
    const offered = new Set<Tensor>();
    const want = node.inputs.map((input): Want => {
      if (!input || !this.tracks(input)) return undefined;
      return () => {
        // The gradient goes straight to its place, unless the same tensor is an input twice.
        const place = this.gradients.unfilled(input);
        if (!place || offered.has(input)) return e.empty(input.shape);
        offered.add(input);
        return place;
      };
    });
    const gradients = e.scope(() => node.op.backward!(e, node.saved, gy, node.attrs, want));
    for (const gradient of gradients) if (gradient) pending.hold(gradient);
    node.inputs.forEach((input, i) => {
      const gradient = gradients[i];
      if (!input || !want[i] || !gradient) return;
      const summed = unbroadcast(e, gradient, input.shape);
      if (summed !== gradient) pending.hold(summed);
      if (!this.gradients.has(input)) pending.add(input, summed);
      else if (this.gradients.add(e, input, summed)) pending.keep(summed);
      if (summed !== gradient) pending.drop(summed);
    });
    for (const gradient of gradients) if (gradient) pending.drop(gradient);
  }
}

/** Gradients on their way: one per tensor, and how many of them share a storage (add hands one gradient to both inputs). */
class Pending {
  private readonly gradients = new Map<Tensor, Tensor>();
  private readonly holders = new Map<Storage, number>();
  private readonly foreign = new Set<Storage>();

  constructor(private readonly e: Engine) {}

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

const ones = (e: Engine, shape: Shape): Tensor => fill(e, e.empty(shape), 1);

/** Sums a gradient over the dimensions along which `shape` was broadcast. */
function unbroadcast(e: Engine, gradient: Tensor, shape: Shape): Tensor {
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
  return sumOver(e, gradient, { dims }, 1, e.empty(shape));
}
