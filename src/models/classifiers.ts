/** The classifiers by name. To add one, write its file and name it here. */
import type { Classifier, ClassifierOptions } from './classifier.js';
import { MobileNetV2 } from './mobilenetV2.js';
import { ResNet18 } from './resnet18.js';
import { VGG16 } from './vgg16.js';

/** By torchvision's names. */
export const classifiers = {
  mobilenet_v2: (options) => new MobileNetV2(options),
  resnet18: (options) => new ResNet18(options),
  vgg16: (options) => new VGG16(options),
} as const satisfies Readonly<Record<string, (options: ClassifierOptions) => Classifier>>;

export type ClassifierName = keyof typeof classifiers;

export const CLASSIFIER_NAMES = Object.keys(classifiers) as ClassifierName[];
