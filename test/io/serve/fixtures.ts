/** A run's folder, as training leaves it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { temporaryFolder } from '../../temporary.js';

export const unused = (): string => path.join(temporaryFolder(), 'run');

export function put(run: string, name: string, text: string | Uint8Array): void {
  mkdirSync(path.dirname(path.join(run, name)), { recursive: true });
  writeFileSync(path.join(run, name), text);
}

/** So many steps of `of`, two a second, and a sheet every ten. From `resumed` on it is of a second session, whose clock began anew. */
export async function train(run: string, steps: number, of = 40, resumed = 0): Promise<void> {
  put(
    run,
    'config.json',
    JSON.stringify({ steps: of, batch: 4, augment: { gain: 6, noise: 0 }, adversarial: '<b>bce</b>' }),
  );
  const records = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    seconds: (i < resumed ? i + 1 : i + 1 - resumed) / 2,
    lossD: 6 - i / 10,
    lossG: 3,
  }));
  put(run, 'log.jsonl', records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  for (let step = 0; step <= steps; step += 10) {
    const background = { r: 200, g: step, b: 0 };
    const sheet = await sharp({ create: { width: 40, height: 30, channels: 3, background } })
      .png()
      .toBuffer();
    put(run, `samples/${step === 0 ? 'real' : `step-${String(step).padStart(6, '0')}`}.png`, sheet);
  }
}
