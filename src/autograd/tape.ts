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
import { formatShape, layOut, type Shape, type Storage, sameShape, type Tensor } from '../memory/tensor.js';
import { type Forward, inputName, type Op, type Saved, type Want } from '../ops/define.js';
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

/** One use of an op: what went in and what came out. */
interface Call {
  readonly inputs: Inputs;
  readonly saved: Saved;
  readonly y: Tensor;
}

/** The calls of an op that were made together: one, but for `applyEach`. */
interface Node {
  readonly op: Op;
  readonly attrs: object;
  readonly calls: readonly Call[];
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
    const result = e.scope(() => op.forward(e, inputs, attrs, shape));
    this.record(op, attrs, [inputs], [result]);
    return result.y;
  }

  /** Runs an op on each of several sets of inputs: all together, in fewer dispatches, if it has a way to (`forwardEach`). */
  applyEach<A extends object, I extends Inputs>(op: Op<A, I>, sets: readonly I[], attrs: A): Tensor[] {
    const e = this.engine;
    const { forwardEach } = op;
    if (!forwardEach || sets.length < 2) return sets.map((inputs) => this.apply(op, inputs, attrs));
    for (const inputs of sets) {
      op.shape(
        inputs.map((input) => input?.shape),
        attrs,
      );
    }
    const results = e.scope(() => forwardEach(e, sets, attrs));
    this.record(op, attrs, sets, results);
    return results.map(({ y }) => y);
  }

  /** Remembers the calls that a gradient will have to pass through, and gives back what nobody will want. */
  private record<A extends object, I extends Inputs>(
    op: Op<A, I>,
    attrs: A,
    sets: readonly I[],
    results: readonly Forward[],
  ): void {
    const calls = results.flatMap(({ y, ...extras }, i): Call[] => {
      const inputs = sets[i]!;
      if (!this.recording || !op.backward || !inputs.some((input) => input && this.tracks(input))) return [];
      const named: Record<string, Tensor> = { ...extras, y };
      op.inputs.forEach((name, j) => {
        const input = inputs[j];
        if (input) named[inputName(name)] = input;
      });
      const saved = Object.fromEntries(op.saves.filter((name) => name in named).map((name) => [name, named[name]!]));
      return [{ inputs, saved, y }];
    });
    const wanted = [
      ...sets.flat(),
      ...results.map(({ y }) => y),
      ...calls.flatMap(({ saved }) => Object.values(saved)),
    ];
    release(
      this.engine,
      results.flatMap(({ y: _, ...extras }) => Object.values(extras)),
      storagesOf(wanted),
    );
    if (calls.length === 0) return;
    // The record's types tie attrs and inputs to the op; a list of nodes of many ops cannot say so.
    this.nodes.push({ op: op as unknown as Op, attrs, calls });
    for (const { y } of calls) this.reached.add(y);
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
    const kept = storagesOf([...results.flat(), ...keep]);
    for (const { calls } of this.nodes) if (calls.length > 1) pending.together(calls.map(({ y }) => y));
    for (const [result, cotangent] of results) {
      if (!this.reached.has(result)) continue;
      if (cotangent) pending.keep(cotangent);
      pending.add(result, cotangent ?? ones(e, result.shape));
    }
    for (let node = this.nodes.pop(); node; node = this.nodes.pop()) {
      const { op, calls } = node;
      const reached = calls.flatMap((call) => {
        const gy = pending.take(call.y);
        return gy ? [{ ...call, gy }] : [];
      });
      if (reached.length > 0) this.step(node, reached, pending);
      for (const { gy } of reached) pending.drop(gy);
      if (calls.length > 1) pending.forget(calls.map(({ y }) => y));
      // Whoever used y comes after it on the tape, so they are all done.
      const done = calls.flatMap(({ y, saved }) => [y, ...Object.values(saved)]);
      const needed = storagesOf(calls.flatMap(({ inputs, y }) => (op.view ? [...inputs, y] : inputs)));
      release(e, done, new Set([...kept, ...needed]));
    }
    this.reached.clear();
  }

  private tracks(tensor: Tensor): boolean {
    return this.gradients.has(tensor) || this.reached.has(tensor);
  }

  /** The gradients of an op's calls, passed on to their inputs. */
  private step({ op, attrs }: Node, calls: readonly (Call & { readonly gy: Tensor })[], pending: Pending): void {
    const e = this.engine;
    const offered = new Set<Tensor>();
    const wants = calls.map(({ inputs }) =>
      inputs.map((input): Want => {
        if (!input || !this.tracks(input)) return undefined;
        return () => {
          // The gradient goes straight to its place, unless the same tensor is an input twice.
          if (offered.has(input)) return e.empty(input.shape);
          offered.add(input);
          return this.gradients.unfilled(input) ?? pending.place(input) ?? e.empty(input.shape);
        };
      }),
    );
    const found = e.scope(() =>
      calls.length > 1 && op.backwardEach
        ? op.backwardEach(
            e,
            calls.map(({ saved }) => saved),
            calls.map(({ gy }) => gy),
            attrs,
            wants,
          )
        : calls.map(({ saved, gy }, i) => op.backward!(e, saved, gy, attrs, wants[i]!)),
    );
    const gradients = found.flat();
    for (const gradient of gradients) if (gradient) pending.hold(gradient);
    calls.forEach(({ inputs }, call) => {
      inputs.forEach((input, i) => {
        const gradient = found[call]![i];
        if (!input || !wants[call]![i] || !gradient) return;
        const summed = unbroadcast(e, gradient, input.shape);
        if (summed !== gradient) pending.hold(summed);
        if (!this.gradients.has(input)) pending.add(input, summed);
        else if (this.gradients.add(e, input, summed)) pending.keep(summed);
        if (summed !== gradient) pending.drop(summed);
      });
    });
    for (const gradient of gradients) if (gradient) pending.drop(gradient);
  }
}

const storagesOf = (tensors: readonly (Tensor | undefined)[]): Set<Storage> =>
  new Set(tensors.flatMap((tensor) => (tensor ? [tensor.storage] : [])));

/** Gives memory back, each buffer once, but for what is still needed. */
function release(e: Engine, tensors: readonly Tensor[], needed: ReadonlySet<Storage>): void {
  const released = new Set<Storage>();
  for (const tensor of tensors) {
    if (needed.has(tensor.storage) || released.has(tensor.storage)) continue;
    released.add(tensor.storage);
    e.release(tensor);
  }
}

/** Gradients on their way: one per tensor, and how many of them share a storage (add hands one gradient to both inputs). */
class Pending {
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
