import fs, { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../src/io/errors.js';
import { openLog, readLog } from '../../src/io/log.js';
import { temporaryFolder } from '../temporary.js';

/** When set, the next write stores this many bytes and the one after finds the disk full. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }));

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  const writeSync = (descriptor: number, data: Buffer | string, offset = 0) => {
    const bytes = Buffer.from(data).subarray(offset, offset + disk.room);
    if (bytes.length === 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    disk.room -= bytes.length;
    return original.writeSync(descriptor, bytes);
  };
  return { ...original, writeSync };
});

let file = '';
beforeEach(() => {
  disk.room = Number.POSITIVE_INFINITY;
  file = path.join(temporaryFolder(), 'run', 'log.jsonl');
});

function put(text: string | Buffer): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const steps = () => readLog(file).map(({ step }) => step);

describe('openLog', () => {
  it('writes one JSON object a line and makes the folder', () => {
    const log = openLog(file);
    log.write({ step: 1, lossD: 5.5, text: 'a\nb' });
    expect(readFileSync(file, 'utf8')).toBe('{"step":1,"lossD":5.5,"text":"a\\nb"}\n');
    log.write({ step: 2 });
    log.close();
    expect(readLog(file)).toEqual([{ step: 1, lossD: 5.5, text: 'a\nb' }, { step: 2 }]);
  });

  it('keeps numbers that JSON lacks as texts, not as null', () => {
    const log = openLog(file);
    log.write({ step: 1, lossD: Number.NaN, nested: [Number.NEGATIVE_INFINITY] });
    log.close();
    expect(readLog(file)).toEqual([{ step: 1, lossD: 'NaN', nested: ['-Infinity'] }]);
  });

  it('appends to what is there', () => {
    put('{"step":1}\n');
    const log = openLog(file);
    log.write({ step: 2 });
    log.close();
    expect(readFileSync(file, 'utf8')).toBe('{"step":1}\n{"step":2}\n');
  });

  it('drops later steps, and what follows them, when resuming', () => {
    put('{"note":"start"}\n{"step":10}\n{"step":20}\n{"step":20,"accuracy":0.5}\n{"step":30}\n{"note":"end"}\n');
    const log = openLog(file, { resumeAtStep: 20 });
    log.write({ step: 21 });
    log.close();
    expect(readLog(file)).toEqual([
      { note: 'start' },
      { step: 10 },
      { step: 20 },
      { step: 20, accuracy: 0.5 },
      { step: 21 },
    ]);
  });

  it('drops everything that has a step when resuming at none', () => {
    put('{"note":"start"}\n{"step":0}\n{"step":1}\n');
    openLog(file, { resumeAtStep: -1 }).close();
    expect(readFileSync(file, 'utf8')).toBe('{"note":"start"}\n');
  });

  it.each([
    ['half a record', '{"step":1}\n{"step":2,"los', [1]],
    ['half a character', Buffer.concat([Buffer.from('{"step":1}\n{"t":"'), Buffer.of(0xc3)]), [1]],
    ['zeros, as after a power cut', '{"step":1}\n\0\0\0\0', [1]],
    ['a number cut short', '{"step":1}\n12', [1]],
    ['a whole record without its line break', '{"step":1}\n{"step":2}', [1, 2]],
    ['nothing but half a record', '{"st', []],
    ['an empty line', '{"step":1}\n\n', [1]],
  ])('repairs %s at the end', (_, text, expected) => {
    put(text);
    expect(steps()).toEqual(expected);
    const log = openLog(file);
    log.write({ step: 3 });
    log.close();
    expect(steps()).toEqual([...expected, 3]);
    expect(readFileSync(file, 'utf8')).toBe([...expected, 3].map((step) => `{"step":${step}}\n`).join(''));
  });

  it('repairs a log cut at any byte: whole records stay, the rest goes', () => {
    const record = fc.record({ step: fc.nat(1000), text: fc.string({ unit: 'grapheme' }), loss: fc.float() });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.nat(), (records, cut) => {
        put('');
        const log = openLog(file);
        const ends = records.map((each) => {
          log.write(each);
          return fs.statSync(file).size;
        });
        log.close();
        const written = readLog(file);
        const length = cut % (ends.at(-1)! + 1);
        fs.truncateSync(file, length);
        // A record that lacks only its line break is whole.
        const whole = ends.filter((end) => end - 1 <= length).length;
        expect(readLog(file)).toEqual(written.slice(0, whole));
        const again = openLog(file);
        for (const each of records.slice(whole)) again.write(each);
        again.close();
        expect(readLog(file)).toEqual(written);
      }),
      { numRuns: 60 },
    );
  });

  it('says that the disk is full, and leaves no half line behind', () => {
    const log = openLog(file);
    log.write({ step: 1 });
    disk.room = 5;
    expect(() => log.write({ step: 2 })).toThrow(UserError);
    disk.room = 5;
    expect(() => log.write({ step: 2 })).toThrow(`The disk is full: could not write "${file}". Free some space`);
    expect(readFileSync(file, 'utf8')).toBe('{"step":1}\n');
    disk.room = Number.POSITIVE_INFINITY;
    log.write({ step: 3 });
    log.close();
    expect(steps()).toEqual([1, 3]);
  });

  it('refuses to go on from a log that is damaged in the middle', () => {
    put('{"step":1}\n{"step":\n{"step":3}\n');
    expect(() => openLog(file)).toThrow(UserError);
    expect(() => openLog(file)).toThrow(`Line 2 of "${file}" is no JSON object`);
    expect(readFileSync(file, 'utf8')).toContain('"step":3');
  });
});

describe('readLog', () => {
  it('names a missing file and a damaged line', () => {
    expect(() => readLog(file)).toThrow(`There is no file or folder "${file}"`);
    put('[1]\n{"step":2}\n');
    expect(() => readLog(file)).toThrow('Line 1 of');
    put('{"step":"two"}\n{"step":2}\n');
    expect(() => readLog(file)).toThrow('Line 1 of');
  });

  it('reads an empty log, and one with Windows line breaks', () => {
    put('');
    expect(readLog(file)).toEqual([]);
    put('{"step":1}\r\n{"step":2}\r\n');
    expect(steps()).toEqual([1, 2]);
  });
});
