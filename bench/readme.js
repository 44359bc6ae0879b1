/** Tables of README.md that scripts make, each between two marks that name the script: `<!-- peers: made by bench/peersTable.js -->`. */
import { readFileSync, writeFileSync } from 'node:fs';

export const ROOT = new URL('../', import.meta.url);
const README = new URL('README.md', ROOT);

export const readReadme = () => readFileSync(README, 'utf8');
export const writeReadme = (text) => writeFileSync(README, text);

/** The text of a readme with `table` between the marks of `name`, which has to be in it. */
export function withTable(readme, name, script, table) {
  const [begin, end] = [`<!-- ${name}: made by bench/${script} -->`, `<!-- end of ${name} -->`];
  const [start, stop] = [readme.indexOf(begin), readme.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`README.md lacks the lines "${begin}" and "${end}"`);
  return `${readme.slice(0, start)}${begin}\n${table}\n${readme.slice(stop)}`;
}
