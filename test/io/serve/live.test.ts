/** The live page in a real browser, if one starts here. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveRun } from '../../../src/io/serve/server.js';
import { put, train, unused } from './fixtures.js';

let browser: Browser | undefined;

beforeAll(async () => {
  try {
    // The optional dependency brings a browser along for x86-64 Linux.
    const { default: packed } = await import('@sparticuz/chromium');
    browser = await chromium.launch({ executablePath: await packed.executablePath(), args: ['--no-sandbox'] });
  } catch (error) {
    console.log(`skipped: tests in Chromium, which does not start here: ${(error as Error).message.split('\n')[0]}`);
  }
});

afterAll(async () => {
  await browser?.close();
});

/** The page of a run, and what goes wrong in it. */
async function open(run: string) {
  const server = await serveRun(run, 0);
  // Some systems' locale is one that no browser's user has.
  const page = await browser!.newPage({ locale: 'en-GB', viewport: { width: 1000, height: 800 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(server.url);
  return { page, errors, server };
}

const text = (page: Page, selector: string): Promise<string | null> => page.locator(selector).textContent();

describe('the live page', () => {
  it('follows a run from before it begins to its end', async () => {
    if (!browser) return;
    const run = unused();
    const { page, errors, server } = await open(run);
    await page.getByText('There is no run here yet').waitFor();
    expect(await page.locator('#curves').isVisible()).toBe(false);

    await train(run, 12);
    await page.getByText('Stopped before its end').waitFor();
    await page.locator('figure[data-key=losses] canvas').waitFor();
    await page.locator('#synthetic img[src$="step-000010.png"]').waitFor();
    expect(await page.locator('#real img').evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(40);
    expect(await text(page, '#settings')).toContain('<b>bce</b>');

    await train(run, 40);
    await page.getByText('Trained to its end').waitFor();
    await page.locator('#synthetic img[src$="step-000040.png"]').waitFor();
    await page.locator('#step').fill('1');
    await page.locator('#synthetic img[src$="step-000020.png"]').waitFor();
    expect(await text(page, '#shown')).toBe('step 20');

    await server.close();
    await page.locator('#lost').waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it('tells values where one points, and stays close where one looks closer, while lines grow', async () => {
    if (!browser) return;
    const run = unused();
    await train(run, 30);
    const { page, errors, server } = await open(run);
    const plot = page.locator('figure[data-key=losses] .u-over');
    await plot.waitFor();
    /** Points at a share of the chart's width. */
    const at = async (share: number): Promise<void> => {
      await plot.scrollIntoViewIfNeeded();
      const { x, y, width, height } = (await plot.boundingBox())!;
      await page.mouse.move(x + share * width, y + height / 2);
    };
    /** The step that the chart tells of at its right end. */
    const last = async (): Promise<number> => {
      await at(0.9);
      await at(0.999);
      return Number(await text(page, 'figure[data-key=losses] .u-legend .u-series:first-child .u-value'));
    };
    await expect.poll(last).toBe(30);
    await at(0.25);
    await page.mouse.down();
    await at(0.4);
    await at(0.5);
    await page.mouse.up();
    await expect.poll(last).toBeLessThan(20);
    const closer = await last();
    await train(run, 35);
    await page.getByText('35 of 40').waitFor();
    await expect.poll(last).toBe(closer);
    await plot.dblclick();
    await expect.poll(last).toBe(35);
    await server.close();
    expect(errors).toEqual([]);
    await page.close();
  });

  it('shows what is damaged, and runs nothing that a run says', async () => {
    if (!browser) return;
    const run = unused();
    await train(run, 3);
    put(
      run,
      'config.json',
      JSON.stringify({ '<img src=x onerror="document.title=1">': '<script>document.title=1</script>' }),
    );
    put(run, 'evaluation.json', '{');
    const { page, server } = await open(run);
    await page.locator('#settings table').waitFor();
    await page.locator('#evaluation .caution').waitFor();
    expect(await page.title()).toBe('run');
    await server.close();
    await page.close();
  });
});
