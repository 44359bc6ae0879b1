/** Charts of times against sizes, on logarithmic axes, side by side in one SVG that stands alone. */
import sharp from 'sharp';
import { type Html, html } from './html.js';

export type LogPoint = readonly [x: number, y: number];

export interface LogSeries {
  readonly name: string;
  /** Sorted by x, all above 0. */
  readonly points: readonly LogPoint[];
  /** Dots joined by a line, dots alone, or a dashed or dotted line. */
  readonly style: 'measured' | 'dashed' | 'dotted';
}

export interface LogPanel {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly LogSeries[];
}

export interface LogChart {
  readonly title: string;
  readonly subtitle: string;
  readonly yLabel: string;
  /** Their series have the same names in the same order; the y axis is one for all. */
  readonly panels: readonly LogPanel[];
}

/** A panel is wider where the texts above and below would not fit. */
const PANEL = { width: 400, left: 58, right: 18, top: 84, height: 300 };
const FOOT = 78;
/** Heights of letters, and about how wide one is on average, of its height. */
const FONT = { text: 13, title: 17, width: 0.55 };

const STYLE = `
text { font: ${FONT.text}px sans-serif; fill: #222; }
.title { font-size: ${FONT.title}px; }
.grid { stroke: #0000001c; }
.axis { stroke: #222; }
path { fill: none; stroke-linejoin: round; }
.measured { stroke: #0f6e84; stroke-width: 2.4; }
.dot { fill: #0f6e84; stroke: none; }
.dashed { stroke: #b4460f; stroke-width: 1.8; stroke-dasharray: 8 5; }
.dotted { stroke: #6b4fa0; stroke-width: 1.8; stroke-dasharray: 2 4; }
`;

/** The same as a PNG, whose texts are drawn with the system's fonts. */
export const logChartPng = (chart: LogChart): Promise<Buffer> =>
  sharp(Buffer.from(logChart(chart).html), { density: 108 })
    .png()
    .toBuffer();

/** Throws if there is nothing to show: a panel without points is left out. */
export function logChart({ title, subtitle, yLabel, panels }: LogChart): Html {
  const shown = panels.filter(({ series }) => series.some(({ points }) => points.length > 0));
  if (shown.length === 0) throw new RangeError('logChart: there are no points');
  const [{ series }] = shown as [LogPanel];
  const texts = Math.max(
    widthOf(title, FONT.title),
    widthOf(subtitle),
    series.reduce((sum, { name }) => sum + entryWidth(name), 0),
  );
  const panelWidth = Math.max(PANEL.width, Math.ceil((PANEL.left + texts) / shown.length));
  const width = shown.length * panelWidth;
  const height = PANEL.top + PANEL.height + FOOT;
  const ys = shown.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([, y]) => y)));
  const yRange = [Math.min(...ys) / 1.15, Math.max(...ys) * 1.15] as const;
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>${STYLE}</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text class="title" x="${PANEL.left}" y="26">${title}</text>
<text x="${PANEL.left}" y="47">${subtitle}</text>
${shown.map((panel, i) => panelAt(panel, i * panelWidth, panelWidth, yRange, i === 0 ? yLabel : undefined))}
${legend(series, height - 14)}
</svg>`;
}

/** Pixels that a text takes, about. */
const widthOf = (text: string, height = FONT.text): number => FONT.width * height * text.length;

/** Of a line of the legend, with the space after it. */
const entryWidth = (name: string): number => 70 + widthOf(name);

function panelAt(
  panel: LogPanel,
  at: number,
  width: number,
  yRange: readonly [number, number],
  yLabel: string | undefined,
): Html {
  const xs = [...new Set(panel.series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const [left, right] = [at + PANEL.left, at + width - PANEL.right];
  const [top, bottom] = [PANEL.top, PANEL.top + PANEL.height];
  const x = logScale([xs[0]! / 1.12, xs.at(-1)! * 1.12], left, right);
  const y = logScale(yRange, bottom, top);
  const ticks = decimalTicks(yRange);
  return html`<text x="${left}" y="${top - 12}">${panel.title}</text>
${ticks.map(
  (value) => html`<line class="grid" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>
<text x="${left - 7}" y="${y(value) + 4}" text-anchor="end">${value}</text>
`,
)}<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
${xs.map(
  (value) => html`<line class="axis" x1="${x(value)}" x2="${x(value)}" y1="${bottom}" y2="${bottom + 5}"/>
<text x="${x(value)}" y="${bottom + 20}" text-anchor="middle">${value}</text>
`,
)}<text x="${(left + right) / 2}" y="${bottom + 39}" text-anchor="middle">${panel.xLabel}</text>
${yLabel !== undefined && html`<text transform="translate(15 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${yLabel}</text>`}
${panel.series.map(({ points, style }) => curve(points, style, x, y))}`;
}

type Place = (value: number) => number;

function curve(points: readonly LogPoint[], style: LogSeries['style'], x: Place, y: Place): Html {
  const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${x(px)} ${y(py)}`).join('');
  const dots = style === 'measured' ? points : [];
  return html`<path class="${style}" d="${path}"/>
${dots.map(([px, py]) => html`<circle class="dot" cx="${x(px)}" cy="${y(py)}" r="3.6"/>`)}`;
}

function legend(series: readonly LogSeries[], y: number): Html {
  let x = PANEL.left;
  return html`${series.map(({ name, style }) => {
    const entry = html`<path class="${style}" d="M${x} ${y - 4}h34"/><text x="${x + 42}" y="${y}">${name}</text>`;
    x += entryWidth(name);
    return entry;
  })}`;
}

/** Pixels, to a tenth. */
function logScale([low, high]: readonly [number, number], from: number, to: number): Place {
  const span = Math.log(high / low) || 1;
  return (value) => Math.round((from + (Math.log(value / low) / span) * (to - from)) * 10) / 10;
}

/** 1, 2 and 5 times powers of ten within the range; powers alone where these would be more than a dozen. */
export function decimalTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const ticks = (steps: readonly number[]): number[] =>
    powers
      .flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
      .filter((tick) => tick >= low && tick <= high);
  const fine = ticks([1, 2, 5]);
  return fine.length <= 12 ? fine : ticks([1]);
}
