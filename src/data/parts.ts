/** The parts of a data set, and folds: for cross-validation, images are in k folds of which each is the test part once. */

export const PARTS = ['train', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** Shares of each class's recordings; they sum to 1. A part with share 0 is not made. */
export type Fractions = Readonly<Record<Part, number>>;

export const defaultFractions: Fractions = { train: 0.8, validation: 0, test: 0.2 };

/** A fold's number; undefined for what belongs to none. */
export type Fold = number | undefined;

export const firstFold = 1;

interface Foldable {
  readonly label: string;
  /** The part without folds. */
  readonly split: Part;
  readonly fold?: Fold;
}

/** The folds that images are in, in order. */
export function foldsOf(images: readonly Pick<Foldable, 'fold'>[]): number[] {
  const folds = new Set(images.flatMap(({ fold }) => (fold === undefined ? [] : [fold])));
  return [...folds].sort((a, b) => a - b);
}

/**
 * The parts when a fold tests: test is that fold; validation, if there is to be any, the next (after the last comes the
 * first); all other folds train. Images of no fold keep their part, and a class that would have nothing left to train on keeps
 * its validation images for that.
 */
export function partsOfFold(images: readonly Foldable[], fold: number, withValidation: boolean): Part[] {
  const folds = foldsOf(images);
  const next = withValidation ? folds[(folds.indexOf(fold) + 1) % folds.length] : undefined;
  const parts = images.map((image): Part => {
    if (image.fold === undefined) return image.split;
    if (image.fold === fold) return 'test';
    return image.fold === next ? 'validation' : 'train';
  });
  const trained = new Set(images.filter((_, i) => parts[i] === 'train').map(({ label }) => label));
  return parts.map((part, i) => (part === 'validation' && !trained.has(images[i]!.label) ? 'train' : part));
}
