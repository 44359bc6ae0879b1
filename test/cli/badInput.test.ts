/** Recordings and folders that cannot be used: one sentence for each, and the others go on. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../src/audio/wav.js';
import { floatWav, rawWav } from '../audio/fixtures.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird, type Ran } from './console.js';
import { json, put, recordings, TINY, tone } from './fixtures.js';

const folder = temporaryFolder();
const config = put(path.join(folder, 'tiny.json'), TINY);
const missing = path.join(folder, 'nowhere');
const file = put(path.join(folder, 'file'), 'hello');
const hollow = path.join(folder, 'hollow');
for (const name of ['a', 'b']) mkdirSync(path.join(hollow, name), { recursive: true });
const empty = path.join(folder, 'empty');
mkdirSync(empty);
const texts = path.dirname(path.dirname(put(path.join(folder, 'texts/wren/a.wav'), 'no sound at all')));
const flat = path.dirname(put(path.join(folder, 'flat/a.wav'), encodeWav(tone(2000), 24000)));

describe.each(['prepare', 'run'])('%s', (verb) => {
  it.each([
    ['a missing folder', missing, /There is no file or folder ".*nowhere"\. Check the spelling/],
    ['a file', file, /"file" is a file: name the folder that holds one folder of recordings per species/],
    ['an empty folder', empty, /There are no recordings in ".*empty"\. It is empty\. It should hold one folder per/],
    ['empty folders of species', hollow, /It holds 2 other things; the first, "a", is an empty folder/],
    [
      'recordings without folders',
      flat,
      /holds a recording \("a\.wav"\), but not in folders of species: move each into a folder/,
    ],
    ['nothing but texts', texts, /No recording gave an image\. The first problem of 1: "wren\/a\.wav" is a text file/],
  ])('of %s says what is wrong, and makes no run', async (_what, dir, sentence) => {
    const out = path.join(folder, `out-${verb}`);
    const { exitCode, stdout, stderr } = await lyrebird(verb, dir, '--out', out);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.replaceAll(`${folder}/`, '')).toMatch(sentence);
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^lyrebird: /);
    expect(existsSync(path.join(out, 'config.json'))).toBe(false);
  });
});

describe('among good recordings', () => {
  const dir = recordings(path.join(folder, 'mixed'), ['wren', 'robin']);
  const whole = encodeWav(tone(2000, { seconds: 4 }), 24000);
  const broken = tone(3000);
  for (let i = 0; i < 72; i++) broken[1000 * i] = Number.NaN;
  const bad: Record<string, [contents: string | Uint8Array, reason: RegExp]> = {
    'wren/zero.wav': ['', /is empty \(0 bytes\): copy or download it again/],
    'wren/zero.mp3': ['', /is empty \(0 bytes\)/],
    'wren/words.wav': ['these are words\n'.repeat(50), /is a text file, not a recording, whatever its name says/],
    'wren/short.wav': [
      whole.subarray(0, whole.length / 5),
      /only 0\.799 s of 4\.0 s decode; copy or download it again/,
    ],
    'wren/song.dat': [whole, /holds sound, but is called "\.dat": rename it/],
    'wren/nothing.wav': [rawWav(new Uint8Array(0)), /holds no sound at all: it is empty or cut off/],
    'wren/noise.flac': [
      Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 7) % 251),
      /not a recording in a known format/,
    ],
    'robin/nan.wav': [floatWav(broken), /has samples that are NaN or infinite, the first after 0\.000 s/],
    'robin/silence.wav': [encodeWav(new Float32Array(72000), 24000), /is silent \(it never changes\)/],
    'robin/click.wav': [encodeWav(tone(2000, { seconds: 0.3 }), 24000), /is too short \(0\.300 s; half a window/],
  };
  for (const [name, [contents]] of Object.entries(bad)) put(path.join(dir, name), contents);
  symlinkSync('..', path.join(dir, 'wren/up'));
  symlinkSync('itself', path.join(dir, 'wren/itself'));
  bad['wren/up'] = ['', /is a link that leads back to a folder above it/];
  bad['wren/itself'] = ['', /is a link that leads back to itself/];
  put(path.join(dir, 'wren/notes.txt'), 'cloudy');
  // Damaged or odd, but of use.
  put(path.join(dir, 'wren/cut.wav'), whole.subarray(0, 0.7 * whole.length));
  put(path.join(dir, 'robin/fast.wav'), encodeWav(tone(5000, { rate: 96000 }), 96000));
  const out = path.join(folder, 'mixed-set');
  let ran: Ran;
  beforeAll(async () => {
    ran = await lyrebird('prepare', dir, '--out', out);
  });

  it('bad ones are left out, a line for each, and the exit code says so', () => {
    expect(ran.exitCode).toBe(3);
    expect(ran.stdout).toMatch(/: 15 images of 2 classes from 8 recordings \(/);
    for (const [name, [, reason]] of Object.entries(bad)) {
      const lines = ran.stderr.split('\n').filter((line) => line.startsWith(`left out: ${name}: `));
      expect(lines).toEqual([expect.stringMatching(reason)]);
    }
    expect(ran.stdout).toContain(
      'left out: 12 files, 3 windows, 1 file of another kind; dataset.json has the reasons\n',
    );
    expect(ran.stderr).toMatch(
      /all is done, but 12 recordings or lines .* could not be used: .*dataset\.json says why\.\n$/,
    );
  });

  it('what can be saved of a truncated one is used, and it is said', () => {
    expect(ran.stdout).toMatch(/note: "wren\/cut\.wav" is cut off or damaged: 2\.8 s of 4\.0 s decode and are used/);
  });

  it('dataset.json has all of it', () => {
    const index = json<{ skipped: { file: string; reason: string }[]; counts: object }>(out, 'dataset.json');
    expect(index.counts).toMatchObject({ recordings: 8, images: 15, skippedFiles: 11, skippedWindows: 3 });
    expect(new Set(index.skipped.map((entry) => entry.file))).toEqual(new Set([...Object.keys(bad), 'wren/notes.txt']));
  });

  it.skipIf(process.getuid?.() === 0)('one without permission is left out', async () => {
    const locked = recordings(path.join(folder, 'locked'), ['wren', 'robin']);
    chmodSync(path.join(locked, 'wren/1.wav'), 0);
    const { exitCode, stderr } = await lyrebird('prepare', locked, '--out', path.join(folder, 'locked-set'));
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/left out: wren\/1\.wav: No permission/);
  });

  it('one that is too long for its sample rate is left out', async () => {
    const long = recordings(path.join(folder, 'long'), ['wren', 'robin'], 2, 12);
    put(path.join(long, 'wren/ultrasound.wav'), encodeWav(tone(5000, { seconds: 12, rate: 192000 }), 192000));
    const options = ['--window', '12', '--hop', '12', '--fmax', '9000'];
    const { exitCode, stderr } = await lyrebird('prepare', long, '--out', path.join(folder, 'long-set'), ...options);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/left out: wren\/ultrasound\.wav: .*transform of 4194304 points.*Use shorter windows/);
  });
});

describe('labels', () => {
  it('of any kind become folders that are safe and distinct, and come back', async () => {
    const labels = [
      'with space',
      'Ünïcödé',
      '🐦',
      'Case',
      'case',
      'x'.repeat(200),
      '-dash',
      'con',
      'dataset.json',
      '...a',
    ];
    const dir = recordings(path.join(folder, 'odd'), labels, 1);
    const run = path.join(folder, 'odd-run');
    const ran = await lyrebird('run', dir, '--out', run, '--config', config, '--steps', '1', '--count', '1');
    expect(ran).toMatchObject({ exitCode: 0 });
    // A name that begins with a dot is hidden.
    const shown = labels.filter((label) => !label.startsWith('.')).sort();
    expect(json<{ classes: string[] }>(run, 'dataset/dataset.json').classes).toEqual(shown);
    const synthetic = json<{ images: { label: string; file: string }[] }>(run, 'synthetic/manifest.json').images;
    expect(synthetic.map(({ label }) => label)).toEqual(shown);
    for (const part of ['dataset', 'synthetic']) {
      const folders = readdirSync(path.join(run, part), { withFileTypes: true }).filter((entry) => entry.isDirectory());
      expect(folders).toHaveLength(shown.length);
      expect(new Set(folders.map(({ name }) => name.toLowerCase())).size).toBe(shown.length);
      for (const { name } of folders) expect(name).toMatch(/^[\p{L}\p{N}_ -][\p{L}\p{N} ()+,._-]{0,99}$/u);
    }
    expect(readFileSync(path.join(run, 'report.html'), 'utf8')).toContain('Ünïcödé');
  });

  it('of a single recording or a single species are trained on, with a note', async () => {
    const dir = recordings(path.join(folder, 'lonely'), ['wren'], 1);
    const { exitCode, stdout } = await lyrebird('prepare', dir, '--out', path.join(folder, 'lonely-set'));
    expect(exitCode).toBe(0);
    expect(stdout).toContain(': 2 images of 1 class from 1 recording (2 to train, 0 to test)\n');
    expect(stdout).toMatch(/note: "wren" has a single recording.*Add a second recording/);
    expect(stdout).toMatch(/note: There is one species only, "wren"/);
  });
});
