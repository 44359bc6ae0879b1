/** The Frechet distance between two sets of points, each taken for a sample of a normal distribution. */
import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix';
import { checkPair, mean, type Points } from './points.js';

/**
 * d^2 = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2), with means m and covariances S (divided by count - 1): the square,
 * which is what is reported as "FID" and the like. 0 or more; 0 for equal means and covariances. Needs two points of each.
 *
 * No square root of a matrix is taken. With any F such that F^T F = S, the last trace is the sum of the singular values of
 * F1 F2^T; F is the triangular factor of the centred points, or these themselves where they are fewer than dimensions.
 * So covariances that lack rank (few points, features that never vary) need no special care, where eigenvalues of S1 S2
 * would turn rounding errors of 1e-16 into 1e-8.
 *
 * Sources: Dowson and Landau 1982, "The Frechet distance between multivariate normal distributions"; Heusel et al. 2017,
 * "GANs trained by a two time-scale update rule converge to a local Nash equilibrium".
 */
export function frechetDistance(a: Points, b: Points): number {
  checkPair('The Frechet distance', a, b, 2);
  const [meanA, meanB] = [mean(a), mean(b)];
  const [factorA, factorB] = [covarianceFactor(a, meanA), covarianceFactor(b, meanB)];
  const { diagonal } = new SingularValueDecomposition(factorA.mmul(factorB.transpose()), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  const shift = meanA.reduce((sum, value, i) => sum + (value - meanB[i]!) ** 2, 0);
  const common = diagonal.reduce((sum, value) => sum + value, 0);
  return Math.max(0, shift + squaredNorm(factorA) + squaredNorm(factorB) - 2 * common);
}

/** F [min(count, dimensions), dimensions] with F^T F the covariance. */
function covarianceFactor(points: Points, centre: Float64Array): Matrix {
  const { count, dimensions, values } = points;
  const scale = 1 / Math.sqrt(count - 1);
  const centred = Matrix.from1DArray(
    count,
    dimensions,
    values.map((value, i) => (value - centre[i % dimensions]!) * scale),
  );
  return count > dimensions ? new QrDecomposition(centred).upperTriangularMatrix : centred;
}

/** The trace of F^T F. */
const squaredNorm = (factor: Matrix): number => factor.to1DArray().reduce((sum, value) => sum + value * value, 0);
