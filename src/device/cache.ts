/** Where this program keeps what it can make again. */
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders for it, the first that can be written being the one to use; the last is everybody's. */
export function cacheFolders(): readonly [string, string] {
  return [join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lyrebird'), join(tmpdir(), 'lyrebird')];
}
