import { expect, test } from 'vitest';
import { createMatcher } from '../../../src/data/labels/match.js';

const matcher = createMatcher(['a.wav', '2021/b.wav', '2022/b.wav', '2022/B.WAV', 'été.mp3', 'x.1.wav', 'x.wav']);

test.each([
  ['a.wav', 'a.wav'],
  ['a.mp3', 'a.wav'], // converted since
  ['a', 'a.wav'],
  ['C:\\Users\\Ada\\birds\\A.WAV', 'a.wav'],
  ['/data/2021/b.wav', '2021/b.wav'],
  ['./2022/b.wav', '2022/b.wav'],
  ['2022\\B.WAV', '2022/B.WAV'],
  ['e\u0301te\u0301.mp3', 'été.mp3'],
  ['x.1', 'x.1.wav'],
])('"%s" is %s', (name, path) => {
  expect(matcher.byName(name)).toEqual({ path });
});

test.each([
  ['b.wav', /^could be "2021\/b\.wav" or "2022\/b\.wav": name the folder, too\.$/],
  ['c.wav', /^is not among the recordings/],
  ['x.2', /^is not among the recordings/],
  ['../birds/a.wav', /^leads out of the folder/],
  ['..\\..\\a.wav', /^leads out of the folder/],
  ['', /^is not among/],
])('"%s" is none', (name, fault) => {
  expect(matcher.byName(name)).toEqual({ fault: expect.stringMatching(fault) });
});

test('of equal ones that is meant of which nothing is left over', () => {
  const both = createMatcher(['2021/b.wav', 'b.wav']);
  const wanted = { 'b.wav': 'b.wav', './B': 'b.wav', '/birds/b.wav': 'b.wav', '2021\\b.wav': '2021/b.wav' };
  for (const [name, path] of Object.entries(wanted)) expect(both.byName(name)).toEqual({ path });
  expect(both.byTable('/birds/b.txt')).toEqual({ path: 'b.wav' });
  expect(both.byTable('/birds/2021/b.txt')).toEqual({ path: '2021/b.wav' });
});

test.each([
  ['labels/a.txt', 'a.wav'],
  ['a.wav.txt', 'a.wav'],
  ['a.Table.1.selections.txt', 'a.wav'],
  ['a.BirdNET.results.csv', 'a.wav'],
  ['x.1.Table.1.selections.txt', 'x.1.wav'],
  ['x.2.txt', 'x.wav'],
  ['/anywhere/2021/b_labels.txt', '2021/b.wav'],
])('the table "%s" is about %s', (table, path) => {
  expect(matcher.byTable(table)).toEqual({ path });
});

test.each([
  ['abc.txt', /is not called after one/],
  ['b.txt', /^could be/],
])('the table "%s" is about none', (table, fault) => {
  expect(matcher.byTable(table)).toEqual({ fault: expect.stringMatching(fault) });
});
