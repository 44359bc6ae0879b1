/** The built program, for what only a process of its own shows. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export const program = join(root, 'dist/cli/main.js');

/** Whether it is there and built from these sources; says so if it is not. */
export function isBuilt(): boolean {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(
    ...sources.filter((name) => name.endsWith('.ts')).map((name) => statSync(join(root, 'src', name)).mtimeMs),
  );
  const built = existsSync(program) && statSync(program).mtimeMs >= newest;
  if (!built)
    console.log("skipped: tests of the built program, which is missing or older than its sources: 'npm run build'.");
  return built;
}
