/**
 * A run as a live page, for the browser of this machine: it listens on 127.0.0.1 alone, and answers only those who ask it by
 * that name, so that no page from elsewhere can read it (DNS rebinding). It gives nothing but what is listed here.
 */

import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { systemCode, toUserError } from '../errors.js';
import { isInside } from '../files.js';
import { livePage } from './page.js';
import { evaluationOf, versionOf, viewOf } from './view.js';

const HOST = '127.0.0.1';

/** Ports that are tried after the one that was asked for. */
const TRIES = 20;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly tag?: string;
}

type Route = (run: string, request: IncomingMessage) => Promise<Answer | undefined>;

const require = createRequire(import.meta.url);

const script = 'text/javascript; charset=utf-8';
const page = 'text/html; charset=utf-8';

/** What is given, by its path. */
const ROUTES: readonly (readonly [path: RegExp, route: Route])[] = [
  [/^\/$/, async (run) => ({ type: page, body: livePage(path.basename(path.resolve(run))) })],
  // The same from src/ and from dist/, which has no copy of it: the browser runs it as it is.
  [/^\/live\.js$/, own(new URL('../../../src/io/serve/live.js', import.meta.url), script)],
  [/^\/uPlot\.js$/, own(require.resolve('uplot/dist/uPlot.esm.js'), script)],
  [/^\/uPlot\.css$/, own(require.resolve('uplot/dist/uPlot.min.css'), 'text/css')],
  [/^\/run\.json$/, describeRun],
  [/^\/evaluation\.html$/, async (run) => ({ type: page, body: (await evaluationOf(run)).html })],
  [/^\/report\.html$/, ofRun(page)],
  [/^\/samples\/(real|step-\d+)\.png$/, ofRun('image/png')],
];

/**
 * Serves the run in a folder, which need not be there yet, on `port` or the next one that is free. Throws a UserError if
 * none is.
 */
export async function serveRun(run: string, port: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => void answer(run, request, response));
  const taken = await listen(server, port, port + TRIES);
  return {
    url: `http://${HOST}:${taken}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number, last: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const address = server.address();
    return typeof address === 'object' && address ? address.port : port;
  } catch (error) {
    const isTaken = systemCode(error) === 'EADDRINUSE' || systemCode(error) === 'EACCES';
    if (isTaken && port < Math.min(last, 65_535)) return listen(server, port + 1, last);
    throw toUserError(error);
  }
}

async function answer(run: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const found = await answerTo(run, request).catch(() => refusal(500, 'This went wrong.'));
  const { status = 200, type, body, tag } = found;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    ...(tag !== undefined && { ETag: tag }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(run: string, request: IncomingMessage): Promise<Answer> {
  const { method, headers, url = '/' } = request;
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')) return refusal(403, 'Ask for 127.0.0.1.');
  if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'Only reading is possible.');
  const [pathname] = url.split('?');
  const [, route] = ROUTES.find(([pattern]) => pattern.test(pathname!)) ?? [];
  return (await route?.(run, request)) ?? refusal(404, 'There is nothing here.');
}

const refusal = (status: number, body: string): Answer => ({ status, type: 'text/plain; charset=utf-8', body });

/** A file of this program's own. */
function own(file: string | URL, type: string): Route {
  return async () => ({ type, body: await readFile(file) });
}

/** A file of the run, unless a link leads out of the run's folder. */
function ofRun(type: string): Route {
  return async (run, { url = '/' }) => {
    try {
      const file = await realpath(path.join(run, url.split('?')[0]!));
      return isInside(file, await realpath(run)) ? { type, body: await readFile(file) } : undefined;
    } catch {
      return undefined;
    }
  };
}

/** The run in numbers; nothing to one who knows them already. */
async function describeRun(run: string, { headers }: IncomingMessage): Promise<Answer> {
  const tag = `"${createHash('sha256')
    .update(await versionOf(run))
    .digest('hex')
    .slice(0, 16)}"`;
  const type = 'application/json';
  if (headers['if-none-match'] === tag) return { status: 304, type, body: '', tag };
  return { type, body: JSON.stringify(await viewOf(run)), tag };
}
