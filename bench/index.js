/**
 * The benchmarks of src/cli/benchmarks.ts through benny, whose samples and margins tell a change from noise:
 *
 *   npm run bench                      all
 *   npm run bench -- conv2d            those whose names contain conv2d
 *   npm run bench -- conv2d --save     also as JSON under bench/results/<adapter>/
 *
 * One operation is one run and the wait for it, so on a fast GPU this says little of short kernels: `lyrebird bench` times
 * the same runs by the GPU's own clock, many to a wait, beside what the GPU reaches at its best. Needs `npm run build`.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import benny from 'benny';
import { choose } from '../dist/cli/bench.js';
import { benchmarks } from '../dist/cli/benchmarks.js';
import { withEngine } from '../dist/cli/engine.js';
import { outcomeOf } from '../dist/cli/outcome.js';

const { values, positionals } = parseArgs({ options: { save: { type: 'boolean' } }, allowPositionals: true });
const results = fileURLToPath(new URL('results/', import.meta.url));

await withEngine({}, async (engine) => {
  for (const benchmark of choose(positionals[0], benchmarks)) {
    const prepared = await benchmark.prepare(engine);
    const { name } = engine.gpu.info;
    const saving = {
      folder: `${results}${name}`,
      file: benchmark.name
        .replace(/[^a-z0-9]+/gi, ' ')
        .trim()
        .replaceAll(' ', '-'),
      details: true,
    };
    await benny.suite(
      `${benchmark.name} on ${name}`,
      ...prepared.passes.map((pass) =>
        benny.add(
          pass.name,
          async () => {
            await pass.run();
            await engine.sync();
          },
          { minSamples: 10, maxTime: 1 },
        ),
      ),
      benny.cycle(),
      benny.complete(),
      ...(values.save ? [benny.save(saving)] : []),
    );
    prepared.release();
  }
}).catch((error) => {
  const { exitCode, text } = outcomeOf(error);
  console.error(text);
  process.exitCode = exitCode;
});
