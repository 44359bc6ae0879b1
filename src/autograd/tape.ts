/**
 * The tape: what was computed, in order, so that gradients can be computed in the other.
 *
 *   const tape = new Tape(engine, new Gradients([w]));
 *   const loss = tape.apply(mean, [tape.apply(linear, [x, w], {})], {});
 *   tape.backward(loss);              // gradients.of(w) is d loss / d w
 *
 * Only what leads from a tracked tensor to the loss is recorded, and only wanted gradients are computed: a frozen
 * network costs no weight gradients, and a tape without gradients records nothing.
 *
 * What no gradient needs is given back at the end of a `scope`. Of a `checkpoint` everything is, where the tape is made so,
 * and computed again in the backward pass.
 *
 * In mixed precision (Micikevicius et al. 2018) the tape decides what is stored in f16: the inputs of every op whose record
 * says that they may be, and so its result. Everything else is f32: losses, sums, statistics, gradients of what is tracked.
 */
import type { Engine } from '../kernel/engine.js';
import type { Storage, Tensor } from '../memory/tensor.js';
import { cast } from '../ops/cast.js';
import { type Forward, inputName, type Op, type Saved, type Want } from '../ops/define.js';
import { fill } from '../ops/elementwise.js';
import type { RandomAttrs } from '../ops/random.js';
import { copyInto } from '../ops/strided.js';
import type { Draws } from './draws.js';
import { Gradients, unbroadcast } from './gradients.js';
import { castFor, givenTo, gradientDtype, type HalfCopies, sameTuple } from './halves.js';
import { Pending } from './pending.js';
import { release, storagesOf } from './storages.js';

export { Gradients };

type Inputs = readonly (Tensor | undefined)[];

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

/** Nodes of which nothing was kept but the result; their calls have saved nothing. */
interface Checkpoint {
  readonly nodes: readonly Node[];
  readonly result: Tensor;
  /** Of tensors that the nodes' ops have overwritten, as they were before. */
  readonly copies: readonly Tensor[];
}

export interface TapeOptions {
  /** Whether checkpoints forget what they computed: less memory, for more time. Default false. */
  readonly checkpoints?: boolean;
  /**
   * Given, be there any or none, the tape computes in mixed precision: it takes a parameter's copy where there is one, and
   * casts what has none. The engine must have the capability `f16`.
   */
  readonly halves?: HalfCopies | undefined;
  /** What layers that drop at random draw from; they need it in training. */
  readonly draws?: Draws;
}

export class Tape {
  private readonly nodes: (Node | Checkpoint)[] = [];
  /** Tensors that a tracked tensor leads to. */
  private readonly reached = new Set<Tensor>();
  private recording = true;
  /** What was computed in the innermost open scope. */
  private made: Tensor[] | undefined;
  /** Results whose memory was given back at the end of a scope. */
  private readonly gone = new Set<Tensor>();
  /** Within a checkpoint that forgets: its copies. */
  private copies: Tensor[] | undefined;
  /** Memory that the tape never gives back: where copies of parameters lie. */
  private readonly foreign: ReadonlySet<Storage>;

  /** Without `gradients` nothing is recorded. */
  constructor(
    readonly engine: Engine,
    private readonly gradients = new Gradients([]),
    private readonly options: TapeOptions = {},
  ) {
    this.foreign = storagesOf([...(options.halves?.values() ?? [])]);
  }

  /** What activations are stored in. */
  get dtype(): 'f32' | 'f16' {
    return this.options.halves ? 'f16' : 'f32';
  }

  /** Random numbers that nobody else has (see `TapeOptions.draws`). */
  draw(): RandomAttrs {
    const { draws } = this.options;
    if (draws) return draws.next();
    throw new Error('dropout in training needs a tape with random numbers: its option draws');
  }

  /** Runs an op, and remembers it if a gradient will have to pass through it. */
  apply<A extends object, I extends Inputs>(op: Op<A, I>, inputs: I, attrs: A): Tensor {
    const e = this.engine;
    const shape = op.shape(
      inputs.map((input) => input?.shape),
      attrs,
    );
    const converted = this.converted(op, inputs);
    const before = this.asTheyAre(op, converted);
    const given = givenTo(op, converted, this.options.halves);
    // A scope of its own frees what the op needed in between.
    const result = e.scope(() => op.forward(e, given, attrs, shape));
    this.record(op, attrs, [before], [result]);
    return result.y;
  }

  /** The inputs of an op, cast where it does not take them as they are stored. */
  private converted<A extends object, I extends Inputs>(op: Op<A, I>, inputs: I): I {
    const casts = inputs.map((input, i) => {
      const dtype = input && castFor(op, i, input, this.options.halves);
      return dtype ? this.apply(cast, [input], { dtype }) : input;
    });
    return sameTuple<I>(casts);
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
    const converted = sets.map((inputs) => this.converted(op, inputs));
    const before = converted.map((inputs) => this.asTheyAre(op, inputs));
    const given = converted.map((inputs) => givenTo(op, inputs, this.options.halves));
    const results = e.scope(() => forwardEach(e, given, attrs));
    this.record(op, attrs, before, results);
    return results.map(({ y }) => y);
  }

  /** The inputs, in a checkpoint with copies in place of those that the op will overwrite. */
  private asTheyAre<A extends object, I extends Inputs>(op: Op<A, I>, inputs: I): Inputs {
    const { copies } = this;
    if (!copies || !this.records(op, inputs)) return inputs;
    return inputs.map((input, i) => {
      if (!input || !op.updates.includes(inputName(op.inputs[i]!))) return input;
      const copy = this.engine.empty(input.shape, input.dtype);
      copyInto(this.engine, input, copy, 0);
      copies.push(copy);
      return copy;
    });
  }

  /** Whether a gradient will have to pass through an op. */
  private records<A extends object, I extends Inputs>(op: Op<A, I>, inputs: Inputs): boolean {
    return this.recording && op.backward !== undefined && inputs.some((input) => input && this.tracks(input));
  }

  /** Remembers the calls that a gradient will have to pass through, and gives back what nobody will want. */
  private record<A extends object, I extends Inputs>(
    op: Op<A, I>,
    attrs: A,
    sets: readonly Inputs[],
    results: readonly Forward[],
  ): void {
    const calls = results.flatMap(({ y, ...extras }, i): Call[] => {
      const inputs = sets[i]!;
      if (!this.records(op, inputs)) return [];
      if (this.copies) return [{ inputs, saved: {}, y }];
      const named: Record<string, Tensor> = { ...extras, y };
      const given = givenTo(op, inputs, this.options.halves);
      op.inputs.forEach((name, j) => {
        const input = given[j];
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
    const inUse = storagesOf(wanted);
    const extras = results.flatMap(({ y: _, ...others }) => Object.values(others));
    release(
      this.engine,
      extras.filter(({ storage }) => !inUse.has(storage)),
    );
    if (!op.view) this.made?.push(...results.map(({ y }) => y));
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
   * Computes a part of a network, whose inner results nobody is to use outside: at its end, those that no gradient will need
   * are given back.
   */
  scope(body: () => Tensor): Tensor {
    const outer = this.made;
    const made: Tensor[] = [];
    const first = this.nodes.length;
    this.made = made;
    try {
      const result = body();
      this.giveBack(made, storagesOf([result, ...this.nodes.slice(first).flatMap((node) => this.needs(node))]));
      outer?.push(...made.filter(({ storage }) => storage === result.storage));
      return result;
    } finally {
      this.made = outer;
    }
  }

  /**
   * A scope that, on a tape with checkpoints, keeps nothing but its result: the backward pass computes it again from the
   * same inputs, and gives the same gradients, bit for bit (Chen et al. 2016, "Training deep nets with sublinear memory
   * cost"). `body` is called once, and what it draws or overwrites, such as running statistics, is drawn and overwritten once.
   * A checkpoint in another is a scope.
   */
  checkpoint(body: () => Tensor): Tensor {
    if (!this.options.checkpoints || this.copies) return this.scope(body);
    const first = this.nodes.length;
    const copies: Tensor[] = [];
    this.copies = copies;
    try {
      const result = this.scope(body);
      const nodes = this.nodes.splice(first) as Node[];
      if (nodes.length > 0) this.nodes.push({ nodes, result, copies });
      return result;
    } finally {
      this.copies = undefined;
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
    this.lieTogether(0, pending);
    for (const [result, cotangent] of results) {
      if (!this.reached.has(result)) continue;
      if (cotangent) pending.keep(cotangent);
      pending.add(result, cotangent ?? fill(e, e.empty(result.shape), 1));
    }
    for (let node = this.nodes.pop(); node; node = this.nodes.pop()) {
      if ('result' in node) this.recompute(node, pending, kept);
      else this.goBack(node, pending, kept);
    }
    this.reached.clear();
    this.gone.clear();
  }

  /** Lets gradients of results that were made together lie together, for the nodes from the given one on. */
  private lieTogether(first: number, pending: Pending): void {
    for (const node of this.nodes.slice(first)) {
      if ('calls' in node && node.calls.length > 1) pending.together(node.calls.map(({ y }) => y));
    }
  }

  /** Computes the gradients of a node's calls, and gives back the memory that it was the last to need. */
  private goBack(node: Node, pending: Pending, kept: ReadonlySet<Storage>): void {
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
    const needed = calls.flatMap(({ inputs, y }) => (op.view ? [...inputs, y] : inputs));
    this.giveBack(done, new Set([...kept, ...storagesOf(needed.filter((tensor) => tensor && !this.gone.has(tensor)))]));
  }

  /** Puts a checkpoint's nodes back on the tape, with all that they save, and the gradient of its result with them. */
  private recompute(checkpoint: Checkpoint, pending: Pending, kept: ReadonlySet<Storage>): void {
    const { nodes, result, copies } = checkpoint;
    const gy = pending.take(result);
    this.giveBack([result], new Set([...kept, ...storagesOf(this.needs(checkpoint))]));
    if (gy) {
      const first = this.nodes.length;
      const now = new Map<Tensor, Tensor>();
      const again = this.scope(() => {
        for (const { op, attrs, calls } of nodes) {
          const sets = calls.map(({ inputs }) => inputs.map((input) => input && (now.get(input) ?? input)));
          const ys = this.applyEach(op, sets, attrs);
          calls.forEach(({ y }, i) => {
            now.set(y, ys[i]!);
          });
        }
        return now.get(result)!;
      });
      this.lieTogether(first, pending);
      pending.add(again, gy);
      pending.drop(gy);
    }
    for (const copy of copies) this.engine.release(copy);
  }

  /** The tensors that the backward pass will read of those computed before. */
  private needs(node: Node | Checkpoint): (Tensor | undefined)[] {
    if ('result' in node) {
      const calls = node.nodes.flatMap((inner) => inner.calls);
      const own = new Set(calls.map(({ y }) => y));
      return calls.flatMap(({ inputs }) => inputs.filter((input) => input && !own.has(input)));
    }
    return node.calls.flatMap(({ inputs, saved }) =>
      // In a checkpoint, what will not be computed again.
      this.copies ? inputs.filter((input) => input && !this.reached.has(input)) : Object.values(saved),
    );
  }

  /** Gives memory back, each buffer once, but for what is still needed. */
  private giveBack(tensors: readonly Tensor[], needed: ReadonlySet<Storage>): void {
    const over = tensors.filter(
      (tensor) => !needed.has(tensor.storage) && !this.foreign.has(tensor.storage) && !this.gone.has(tensor),
    );
    release(this.engine, over);
    for (const tensor of over) this.gone.add(tensor);
  }

  private tracks(tensor: Tensor): boolean {
    return this.gradients.has(tensor) || this.reached.has(tensor);
  }

  /** The gradients of an op's calls, passed on to their inputs. */
  private step({ op, attrs }: Node, calls: readonly (Call & { readonly gy: Tensor })[], pending: Pending): void {
    const e = this.engine;
    const offered = new Set<Tensor>();
    const wants = calls.map(({ inputs }) =>
      inputs.map((input, i): Want => {
        if (!input || !this.tracks(input)) return undefined;
        const empty = () => e.empty(input.shape, gradientDtype(op, i, input));
        return () => {
          // The gradient goes straight to its place, unless the same tensor is an input twice.
          if (offered.has(input)) return empty();
          offered.add(input);
          return this.gradients.unfilled(input) ?? pending.place(input) ?? empty();
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
        : calls.map(({ saved, gy, y }, i) =>
            op.backward!(e, saved, gy, attrs, wants[i]!, gy.dtype === y.dtype && pending.isSpare(gy)),
          ),
    );
    const gradients = found.flat();
    for (const gradient of gradients) if (gradient) pending.hold(gradient);
    calls.forEach(({ inputs }, call) => {
      inputs.forEach((input, i) => {
        const gradient = found[call]![i];
        if (!input || !wants[call]![i] || !gradient) return;
        const summed = unbroadcast(e, gradient, input);
        if (summed !== gradient) pending.hold(summed);
        if (!this.gradients.has(input)) pending.add(input, summed);
        else if (this.gradients.add(e, input, summed)) pending.keep(summed);
        if (summed !== gradient) pending.drop(summed);
      });
    });
    for (const gradient of gradients) if (gradient) pending.drop(gradient);
  }
}
