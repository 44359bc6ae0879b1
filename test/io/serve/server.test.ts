/** What the server of a run gives, and to whom. */
import { symlinkSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { withFolderLock } from '../../../src/io/lock.js';
import { serveRun } from '../../../src/io/serve/server.js';
import { type RunView, viewOf } from '../../../src/io/serve/view.js';
import { put, train, unused } from './fixtures.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(run: string): Promise<string> {
  const { url, close } = await serveRun(run, 0);
  closers.push(close);
  return url;
}

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The path as it is: `fetch` would take out the dots. */
function get(url: string, target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path: target, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on('error', reject).end();
  });
}

describe('a run', () => {
  it('is told of before it is there, while it trains, when it stops, goes on and ends', async () => {
    const run = unused();
    const url = await serve(run);
    const view = async (): Promise<RunView> => JSON.parse((await get(url, '/run.json')).body) as RunView;
    expect(await view()).toMatchObject({ charts: [], samples: [], hasReal: false });
    expect((await view()).status).toContain('There is no run here yet');

    await train(run, 20);
    expect((await view()).status).toContain('Stopped before its end');
    await withFolderLock(
      run,
      () => {},
      async () => {
        const { status, samples, hasReal, charts } = await view();
        expect(status).toContain('Training.');
        expect(status).toContain('2.0 steps/s');
        expect(status).toContain('10 s</b>left');
        expect([samples, hasReal]).toEqual([[10, 20], true]);
        expect(charts.map(({ key }) => key)).toEqual(['losses']);
        expect(charts[0]!.lines.map(({ name, faint }) => [name, faint])).toEqual([
          ['discriminator, each step', true],
          ['discriminator', false],
          ['generator, each step', true],
          ['generator', false],
        ]);
      },
    );
    await train(run, 10);
    expect((await view()).charts[0]!.lines[0]!.x).toHaveLength(10);
    await train(run, 30, 40, 16);
    await withFolderLock(
      run,
      () => {},
      async () => expect((await view()).status).toContain('2.0 steps/s'),
    );
    await train(run, 40);
    expect((await view()).status).toContain('Trained to its end');
  });

  it('is sent once, until it tells something new', async () => {
    const run = unused();
    await train(run, 10);
    const url = await serve(run);
    const { headers } = await get(url, '/run.json');
    const known = { 'If-None-Match': String(headers.etag) };
    expect(await get(url, '/run.json', known)).toMatchObject({ status: 304, body: '' });
    await train(run, 11);
    expect(await get(url, '/run.json', known)).toMatchObject({ status: 200 });
  });

  it('shows settings as texts, never as HTML', async () => {
    const run = unused();
    await train(run, 10);
    const { settings } = await viewOf(run);
    expect(settings).toContain('gain 6');
    expect(settings).toContain('&lt;b&gt;bce&lt;');
  });

  it('of which something is damaged is shown as far as it can be, with what is wrong', async () => {
    const run = unused();
    await train(run, 10);
    put(run, 'config.json', '[');
    put(run, 'log.jsonl', '{"step":1}\nnonsense\n{"step":2}\n');
    const { status, samples } = await viewOf(run);
    expect(status).toMatch(/config\.json.* holds no settings/);
    expect(status).toMatch(/Line 2 of .*log\.jsonl.* is no JSON object/);
    expect(samples).toEqual([10]);
    put(run, 'evaluation.json', '{');
    expect((await get(await serve(run), '/evaluation.html')).body).toContain('evaluation.json');
  });

  it('whose losses are no numbers has gaps', async () => {
    const run = unused();
    put(run, 'log.jsonl', '{"step":1,"lossD":1}\n{"step":2,"lossD":"NaN"}\n');
    expect((await viewOf(run)).charts[0]!.lines[0]).toMatchObject({ x: [1, 2], y: [1, null] });
  });
});

describe('the server', () => {
  it('gives its page, scripts and the pictures of the run, which nothing may load from elsewhere', async () => {
    const run = unused();
    await train(run, 10);
    put(run, 'report.html', 'the report');
    const url = await serve(run);
    const page = await get(url, '/');
    expect(page.body).toContain('<title>run</title>');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    for (const [target, type] of [
      ['/live.js', /javascript/],
      ['/uPlot.js', /javascript/],
      ['/uPlot.css', /css/],
      ['/samples/real.png', /png/],
      ['/samples/step-000010.png', /png/],
      ['/report.html', /html/],
      ['/evaluation.html', /html/],
    ] as const) {
      const { status, headers } = await get(url, target);
      expect([target, status]).toEqual([target, 200]);
      expect(headers['content-type']).toMatch(type);
    }
  });

  it('gives nothing else, and nothing from outside the run', async () => {
    const run = unused();
    await train(run, 10);
    const secret = path.join(path.dirname(run), 'secret.png');
    put(path.dirname(run), 'secret.png', 'secret');
    symlinkSync(secret, path.join(run, 'samples/step-000099.png'));
    symlinkSync(secret, path.join(run, 'report.html'));
    const url = await serve(run);
    for (const target of [
      '/config.json',
      '/log.jsonl',
      '/samples/',
      '/samples/../../secret.png',
      '/samples/..%2f..%2fsecret.png',
      '/samples/%2e%2e/%2e%2e/secret.png',
      '/samples/step-000010.png/../../../secret.png',
      '/../secret.png',
      '//etc/passwd',
      '/samples/step-000099.png',
      '/report.html',
      '/samples/step-000077.png',
    ]) {
      const { status, body } = await get(url, target);
      expect([target, status]).toEqual([target, 404]);
      expect(body).not.toContain('secret');
    }
  });

  it('answers only who asks for this machine, and to read', async () => {
    const url = await serve(unused());
    expect((await get(url, '/', { Host: 'evil.example' })).status).toBe(403);
    expect((await get(url, '/', { Host: 'localhost:1' })).status).toBe(200);
    expect((await get(url, '/', {}, 'POST')).status).toBe(405);
    expect(await get(url, '/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it('takes the next port where one is taken', async () => {
    const first = new URL(await serve(unused()));
    const { url, close } = await serveRun(unused(), Number(first.port));
    closers.push(close);
    expect(Number(new URL(url).port)).toBeGreaterThan(Number(first.port));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });
});
