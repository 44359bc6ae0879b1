import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';

/** The folders of src/, lowest first: a folder may import from itself and from those before it. */
const LAYERS = [
  'device',
  'memory',
  'kernel',
  'ops',
  'autograd',
  'nn',
  'optim',
  'models',
  'export',
  'io',
  'audio',
  'data',
  'metrics',
  'train',
  'classify',
  'cli',
];
/** Up to here everything also runs in a browser, but for the files that open a device in Node. */
const PORTABLE = [...LAYERS.slice(0, LAYERS.indexOf('models') + 1), 'reference'];
const NODE_FILES = ['device/open.ts', 'device/adapter.ts', 'device/cache.ts', 'device/swiftshader.ts'];

/** Sources by their path in src/, e.g. 'ops/conv2d.ts'. */
type Sources = ReadonlyMap<string, string>;

/** What `source` imports, for values or for types, in the words of its import and export statements. */
function importsOf(file: string, source: string): string[] {
  const { module, program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const dynamic: string[] = [];
  JSON.stringify(program, (_key, node) => {
    if (node?.type === 'ImportExpression' && typeof node.source.value === 'string') dynamic.push(node.source.value);
    return typeof node === 'bigint' ? String(node) : node;
  });
  const reexported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  );
  return [
    ...new Set([...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...reexported, ...dynamic]),
  ];
}

function resolve(file: string, request: string): string {
  return normalize(join(dirname(file), request)).replace(/\.js$/, '.ts');
}

/** What is wrong with one import, if anything. */
function importFault(file: string, request: string, sources: Sources): string | undefined {
  const folder = layerOf(file);
  if (!request.startsWith('.')) {
    if (PORTABLE.includes(folder) && !NODE_FILES.includes(file))
      return `${file} imports '${request}', so it runs in Node only`;
    return undefined;
  }
  const target = resolve(file, request);
  if (!sources.has(target)) return `${file} imports '${request}', which is no file in src`;
  const targetFolder = layerOf(target);
  if (folder === targetFolder) return undefined;
  if (folder === 'reference') return `${file} imports '${request}', but reference/ imports nothing outside itself`;
  if (targetFolder === 'reference' || folder === '') return undefined;
  if (LAYERS.indexOf(targetFolder) < LAYERS.indexOf(folder) && targetFolder !== '') return undefined;
  return `${file} imports upward, from ${target}`;
}

/** The first folder of a path in src/; '' for src/index.ts, which stands above all. */
function layerOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : '';
}

/** One cycle of imports as the files along it, if there is one. */
function findCycle(sources: Sources): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const request of importsOf(file, sources.get(file) ?? '').filter((name) => name.startsWith('.'))) {
      const cycle = visit(resolve(file, request), [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of sources.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function faults(sources: Sources): string[] {
  const found: string[] = [];
  for (const [file, source] of sources) {
    const folder = layerOf(file);
    if (folder !== '' && folder !== 'reference' && !LAYERS.includes(folder))
      found.push(`${file} is in no known folder of src`);
    for (const request of importsOf(file, source)) found.push(...[importFault(file, request, sources) ?? []].flat());
  }
  const cycle = findCycle(sources);
  return cycle ? [...found, `cycle: ${cycle.join(' -> ')}`] : found;
}

function readSources(): Sources {
  const root = fileURLToPath(new URL('../src/', import.meta.url));
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

test('imports flow one way, without cycles, and only device/open knows Node', () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(3);
  expect(faults(sources)).toEqual([]);
});

test.each([
  [
    'an upward import',
    { 'ops/a.ts': "import { b } from '../nn/b.js';", 'nn/b.ts': 'export const b = 1;' },
    'ops/a.ts imports upward',
  ],
  [
    'an upward type',
    { 'ops/a.ts': "import type { B } from '../nn/b.js';", 'nn/b.ts': 'export type B = 1;' },
    'imports upward',
  ],
  ['a lazy upward import', { 'io/a.ts': "await import('../cli/b.js');", 'cli/b.ts': '' }, 'imports upward'],
  ['an upward re-export', { 'io/a.ts': "export * from '../train/b.js';", 'train/b.ts': '' }, 'imports upward'],
  ['an import of the index', { 'cli/a.ts': "import '../index.js';", 'index.ts': '' }, 'imports upward'],
  ['a cycle', { 'io/a.ts': "import './b.js';", 'io/b.ts': "import './a.js';" }, 'cycle: io/a.ts -> io/b.ts -> io/a.ts'],
  ['Node in an op', { 'ops/a.ts': "import { join } from 'node:path';" }, "imports 'node:path'"],
  ['a package in a model', { 'models/a.ts': "import { z } from 'zod';" }, "imports 'zod'"],
  [
    'a reference that needs an op',
    { 'reference/a.ts': "import '../ops/b.js';", 'ops/b.ts': '' },
    'imports nothing outside',
  ],
  ['a missing file', { 'io/a.ts': "import './b.js';" }, 'no file in src'],
  ['an unknown folder', { 'misc/a.ts': '' }, 'no known folder'],
])('finds %s', (_what, files, fault) => {
  expect(faults(new Map(Object.entries(files))).join('\n')).toContain(fault);
});

test('allows what is in order', () => {
  const files = {
    'index.ts': "export * from './ops/a.js';",
    'ops/a.ts': "import { r } from '../reference/r.js';\nimport type { Gpu } from '../device/open.js';",
    'reference/r.ts': 'export const r = 1;',
    'device/open.ts': "import 'node:fs';\nimport { create } from 'webgpu';",
    'io/b.ts': "import 'node:fs';",
  };
  expect(faults(new Map(Object.entries(files)))).toEqual([]);
});
