/** Where this program keeps what it can make again. */
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Folders for it, the first that can be written being the one to use; the last is in everybody's temporary folder, for each
 * user one. A place that is not absolute counts as none, as the XDG base directory specification has it: nobody means the
 * folder in which the program happens to be called.
 */
export function cacheFolders(): readonly [string, string] {
  const places = [process.env.XDG_CACHE_HOME ?? '', join(homedir(), '.cache')];
  const last = join(tmpdir(), `lyrebird-${process.getuid?.() ?? 'cache'}`);
  const own = places.find(isAbsolute);
  return [own === undefined ? last : join(own, 'lyrebird'), last];
}
