/** From recordings to a classifier to tables: lyrebird train-classifier and lyrebird predict. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../src/audio/wav.js';
import { readPixels } from '../../src/io/pixels.js';
import { parseTable } from '../../src/io/table.js';
import { temporaryFolder } from '../temporary.js';
import { lyrebird } from './console.js';
import { json, pictures, pressWhen, put, recordings, tone } from './fixtures.js';

const folder = temporaryFolder();
const at = (...parts: string[]) => path.join(folder, ...parts);

const tiny = put(at('tiny.json'), { width: 0.07, batch: 6, epochs: 12, patience: 12, warmUp: 0 });
const rowsOf = (file: string) => parseTable(file, readFileSync(file, 'utf8')).rows.map(({ cells }) => cells);

beforeAll(async () => {
  recordings(at('birds'), ['robin', 'wren'], 6);
  await lyrebird('prepare', at('birds'), '--out', at('set'), '--drop-clipped');
  const { exitCode, stdout } = await lyrebird('train-classifier', at('set'), '--out', at('model'), '--config', tiny);
  expect(stdout).toMatch(/^.*model: trained on \d+ images, weights of epoch \d+ of 12\nheld out/);
  expect(exitCode).toBe(0);
});

describe('a classifier', () => {
  it('leaves its results, a picture and a report', () => {
    const { test } = json<{ test: { windows: { accuracy: number } } }>(at('model/results.json'));
    expect(test.windows.accuracy).toBeGreaterThan(0.6);
    for (const file of ['model.safetensors', 'confusion.png', 'predictions.csv']) {
      expect(existsSync(at('model', file)), file).toBe(true);
    }
    const report = readFileSync(at('model/report.html'), 'utf8');
    expect(report).toMatch(/named right/);
    expect(report).not.toMatch(/undefined|NaN|\[object/);
  });

  it('says where the generator of its images may know what tests, and which of them cannot be read', async () => {
    await pictures(at('generated'), ['robin', 'wren'], 1);
    put(at('generated/wren/torn.png'), 'no picture');
    const train = async (out: string, fold: number | null) => {
      put(at('generated/manifest.json'), { format: 'lyrebird-synthetic/1', images: [], fold });
      const short = ['--config', tiny, '--epochs', '1', '--synthetic', at('generated')];
      const { exitCode, stderr } = await lyrebird('train-classifier', at('set'), '--out', at(out), ...short);
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(
        /left out: .*wren\/torn\.png: cannot be read.*all is done, but 1 image could not be read/s,
      );
      return stderr;
    };
    expect(await train('mixed', 2)).toMatch(
      /generated" was trained while fold 2 tested, and here the part that the data/,
    );
    expect(await train('mixed', null)).not.toMatch(/was trained while/);
  });

  it('refuses what makes no sense', async () => {
    const again = await lyrebird('train-classifier', at('set'), '--out', at('model'), '--config', tiny, '--seed', '2');
    expect(again).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/other settings: seed 1 \(asked for: 2\)/),
    });
    const only = await lyrebird('train-classifier', at('set'), '--out', at('other'), '--only');
    expect(only).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/--only needs --synthetic/) });
    const wrong = put(at('wrong.json'), { widht: 1 });
    const spelt = await lyrebird('train-classifier', at('set'), '--out', at('other'), '--config', wrong);
    expect(spelt).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/widht.*The fields are network, dynamic/s),
    });
    const tooSmall = put(at('small.json'), { network: 'vgg16', size: 16 });
    const small = await lyrebird('train-classifier', at('set'), '--out', at('other'), '--config', tooSmall);
    expect(small).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/small\.json": "size" \(16\): vgg16 takes images of 32 x 32 pixels at least/),
    });
    expect(existsSync(at('other'))).toBe(false);
  });

  it('writes over nothing that is not a classifier', async () => {
    const train = (out: string) => lyrebird('train-classifier', at('set'), '--out', at(out), '--config', tiny);
    const config = put(at('run/config.json'), { steps: 500 });
    put(at('run/log.jsonl'), '{"step":1}\n');
    expect(await train('run')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/run\/config\.json" is not of a classifier, and would be overwritten/),
    });
    expect(json(config)).toEqual({ steps: 500 });
    expect(readFileSync(at('run/log.jsonl'), 'utf8')).toBe('{"step":1}\n');
    expect(await train('birds')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/holds "robin" but no config\.json/),
    });
  });
});

describe('predict', () => {
  it('says of the windows of its data set what the classifier said of their images', async () => {
    const { exitCode, stdout } = await lyrebird(
      'predict',
      at('model'),
      at('birds'),
      '--out',
      at('heard'),
      '--threshold',
      '0',
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/heard: \d+ detections in 12 recordings/);
    const heard = rowsOf(at('heard/windows.csv'));
    for (const { file, recording, named, robin } of rowsOf(at('model/predictions.csv'))) {
      const [, label, name, start] = /^(\w+)\/(.*)_([\d.]+)\.png$/.exec(file!)!;
      expect(recording).toBe(`${label}/${name}`);
      const same = heard.find(
        (row) => row.file!.endsWith(`/${label}/${name}.wav`) && Number(row.start) === Number(start),
      )!;
      expect(same.named).toBe(named);
      expect(Number(same.robin)).toBeCloseTo(Number(robin), 3);
    }
    expect(rowsOf(at('heard/raven/wren/1.Table.1.selections.txt'))[0]).toMatchObject({
      ...{ 'begin time (s)': '0.000', 'low freq (hz)': '500.0', species: expect.stringMatching(/robin|wren/) },
    });
    expect(readFileSync(at('heard/audacity/wren/1.txt'), 'utf8')).toMatch(
      /^0\.000000\t\d\.000000\t(robin|wren)\n\\\t500/,
    );
  });

  it('says what its ONNX model says', async () => {
    const { exitCode, stdout } = await lyrebird(
      'export',
      at('model'),
      '--onnx',
      '--safetensors',
      at('weights.safetensors'),
    );
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/resnet18\.onnx: resnet18 of epoch \d+, /),
    });
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(at('model/resnet18.onnx'))));
    const [row] = rowsOf(at('model/predictions.csv'));
    const pixels = await readPixels(at('set', row!.file!), { size: 32, channels: 1 });
    const images = new ort.Tensor(
      'float32',
      Float32Array.from(pixels, (level) => level / 127.5 - 1),
      [1, 1, 32, 32],
    );
    const { logits } = await session.run({ images });
    const [robin, wren] = logits!.data as Float32Array;
    expect(1 / (1 + Math.exp(wren! - robin!))).toBeCloseTo(Number(row!.robin), 4);
  });

  it('has one set of weights to export', async () => {
    const ran = await lyrebird('export', at('model'), '--onnx', '--checkpoint', 'last', '--weights', 'plain');
    expect(ran).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/model" is a classifier, .*: --checkpoint and --weights are for runs/),
    });
  });

  it('says which tables in its folder are of an earlier call', async () => {
    put(at('one/a.wav'), encodeWav(tone(2000, { seconds: 2 }), 24000));
    put(at('two/b.wav'), encodeWav(tone(2000, { seconds: 2 }), 24000));
    const predict = async (name: string) =>
      (await lyrebird('predict', at('model'), at(name), '--out', at('twice'))).stderr;
    expect(await predict('one')).not.toMatch(/earlier call/);
    expect(await predict('one')).not.toMatch(/earlier call/);
    expect(await predict('two')).toMatch(
      /twice" has 2 tables of recordings that were not heard now, such as .*audacity.a\.txt: of an earlier call/,
    );
    expect(existsSync(at('twice/raven/a.Table.1.selections.txt'))).toBe(true);
  });

  it('stopped before it has heard a recording, leaves the tables of an earlier call', async () => {
    put(at('one/a.wav'), encodeWav(tone(2000, { seconds: 2 }), 24000));
    const predict = (...given: string[]) => lyrebird('predict', at('model'), ...given, '--out', at('kept'));
    expect(await predict(at('one'))).toMatchObject({ exitCode: 0 });
    const read = () =>
      ['detections.csv', 'windows.csv', 'selections.txt'].map((name) => readFileSync(at('kept', name), 'utf8'));
    const before = read();
    pressWhen(() => existsSync(at('kept/.lyrebird.lock')));
    const { exitCode, stdout } = await predict(at('birds'));
    expect(stdout).toMatch(/kept: stopped before a recording was heard; no table is written/);
    expect(exitCode).toBe(130);
    expect(read()).toEqual(before);
  });

  it('hears once what is given twice', async () => {
    put(at('one/a.wav'), encodeWav(tone(2000, { seconds: 2 }), 24000));
    const given = [at('one/a.wav'), at('one')];
    const { exitCode, stdout } = await lyrebird('predict', at('model'), ...given, '--out', at('once'));
    expect(stdout).toMatch(/ in 1 recording;/);
    expect(exitCode).toBe(0);
  });

  it('calls unknown what it is not sure of, and leaves out what it cannot read', async () => {
    put(at('new/a.wav'), encodeWav(tone(2000, { seconds: 2 }), 24000));
    put(at('new/b.wav'), 'no sound');
    const sure = await lyrebird('predict', at('model'), at('new'), '--out', at('sure'), '--threshold', '1');
    expect(sure).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/0 detections in 1 recording/) });
    expect(sure.stderr).toMatch(/left out: .*b\.wav: is a text file/);
    expect(rowsOf(at('sure/windows.csv'))).toMatchObject([{ start: '0.000', end: '2.000', named: 'unknown' }]);
  });

  it('interrupted, leaves tables of the recordings that were heard', async () => {
    pressWhen(() => existsSync(at('part/raven/robin')));
    const given = [at('birds'), '--out', at('part'), '--threshold', '0'];
    const { exitCode, stdout } = await lyrebird('predict', at('model'), ...given);
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/part: stopped; the tables are of \d+ of 12 recordings, and the same command begins anew/);
    const inTable = new Set(rowsOf(at('part/windows.csv')).map(({ file }) => path.relative(at('birds'), file!)));
    const tables = readdirSync(at('part/raven'), { recursive: true, encoding: 'utf8' });
    const heard = tables.filter((name) => name.endsWith('.txt')).map((name) => name.replace(/\..*/, '.wav'));
    expect([...inTable].sort()).toEqual(heard.sort());
    expect(readdirSync(at('part')).sort()).toEqual([
      'audacity',
      'detections.csv',
      'raven',
      'selections.txt',
      'windows.csv',
    ]);
  });

  it('hears all of a recording, however short or loud, and nothing beyond its end', async () => {
    put(
      at('all/loud.wav'),
      encodeWav(
        tone(2000, { seconds: 3.4 }).map((value) => Math.sign(value)),
        24000,
      ),
    );
    put(at('all/short.wav'), encodeWav(tone(2000, { seconds: 1.5 }), 24000));
    const { exitCode } = await lyrebird('predict', at('model'), at('all'), '--out', at('whole'), '--threshold', '0');
    expect(exitCode).toBe(0);
    const spans = rowsOf(at('whole/windows.csv')).map(({ file, start, end }) => [path.basename(file!), start, end]);
    expect(spans).toEqual([
      ['loud.wav', '0.000', '2.000'],
      ['loud.wav', '1.000', '3.000'],
      ['loud.wav', '1.400', '3.400'],
      ['short.wav', '0.000', '1.500'],
    ]);
    expect(rowsOf(at('whole/detections.csv')).at(-1)).toMatchObject({ start: '0.000', end: '1.500' });
  });

  it.each([
    [['nowhere', 'new/a.wav'], /model\.safetensors" is not there/],
    [['model', 'gone.wav'], /gone\.wav/],
    [['model', 'new/a.wav', '--hop', '5'], /with --hop 5 some sound would be passed over/],
    [['model', 'new/a.wav', '--out', 'birds'], /holds "robin" but no detections\.csv/],
  ])('%j is refused', async (given, sentence) => {
    const named = given.map((word) => (/^[-\d]/.test(word) ? word : at(word)));
    const out = given.includes('--out') ? [] : ['--out', at('refused')];
    const { exitCode, stderr } = await lyrebird('predict', ...named, ...out);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(sentence) });
  });
});
