/**
 * Precision, recall, density and coverage of two samples of one distribution, at full size:
 *
 *   node bench/anchor.js [seed] [count] [dimensions] [k]        10 000 points of N(0, I) in 1000 dimensions, k = 5
 *
 * Where both samples are of one distribution these numbers depend on count, dimensions and k alone, but for chance. The
 * example of Naeem et al.'s own program has 0.477, 0.471, 1.056 and 0.974 for the defaults. Five comparisons of all pairs,
 * 2 * 10^11 operations each: a minute on two cores. Needs `npm run build`.
 */
import { withFastEngine } from '../dist/cli/engine.js';
import { coverage, density } from '../dist/metrics/densityCoverage.js';
import { gpuSearch } from '../dist/metrics/gpuNeighbours.js';
import { overlapOf } from '../dist/metrics/overlap.js';
import { toPoints } from '../dist/metrics/points.js';
import { precision, recall } from '../dist/metrics/precisionRecall.js';
import { randomNormal } from '../dist/ops/random.js';

const [seed = 1, count = 10_000, dimensions = 1000, k = 5] = process.argv.slice(2).map(Number);

await withFastEngine({}, async (engine) => {
  const begin = performance.now();
  const drawn = async (stream) => {
    const tensor = randomNormal(engine, [count, dimensions], { seed, stream });
    const points = toPoints(await engine.read(tensor), dimensions);
    engine.release(tensor);
    return points;
  };
  const overlap = await overlapOf(gpuSearch(engine), await drawn(0), await drawn(1), k);
  const metrics = { precision, recall, density, coverage };
  for (const [name, valuesOf] of Object.entries(metrics)) {
    const values = valuesOf(overlap);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    console.log(`${name.padEnd(10)} ${mean.toFixed(4)}`);
  }
  const { peak } = engine.memory();
  const seconds = (performance.now() - begin) / 1000;
  console.log(
    `${count} points in ${dimensions} dimensions, k = ${k}: ${seconds.toFixed(0)} s and ${(peak / 2 ** 20).toFixed(0)} MiB of GPU memory on ${engine.gpu.info.name}`,
  );
});
