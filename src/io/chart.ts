/** Line charts as SVG: they need no script, follow the page's light or dark colours, and print. */

import { type Html, html } from './html.js';

export type Point = readonly [x: number, y: number];

export interface Series {
  name: string;
  /** Sorted by x. Where a value is not finite, the line has a gap. */
  points: readonly Point[];
}

export interface LineChart {
  /** What the chart shows, for those who cannot see it. */
  description: string;
  xLabel: string;
  yLabel: string;
  /** Up to six are told apart by colour and dashes; further ones begin anew. */
  series: readonly Series[];
  /** Whether it is drawn for half the width of a page. Default false. */
  half?: boolean;
  /** Draw a moving average, with the raw line faint behind it. Default true. */
  smooth?: boolean;
  /** Default: as far as the points reach. */
  yRange?: readonly [low: number, high: number];
  /** A level to compare with, drawn across. */
  reference?: { value: number; label: string };
}

const COLOURS = 6;

/** The style that charts need in their page. */
export const chartStyle = `
:root { --series-1: #0f6e84; --series-2: #b4460f; --series-3: #6b4fa0; --series-4: #4d7c0f; --series-5: #9d174d; --series-6: #7c5e10; --gridline: #00000018; }
@media (prefers-color-scheme: dark) {
  :root { --series-1: #5cc4d9; --series-2: #f2a268; --series-3: #b9a2ea; --series-4: #a3d65c; --series-5: #f28fb8; --series-6: #d9bd5c; --gridline: #ffffff1c; }
}
@media print {
  :root { --series-1: #0f6e84; --series-2: #b4460f; --series-3: #6b4fa0; --series-4: #4d7c0f; --series-5: #9d174d; --series-6: #7c5e10; --gridline: #00000018; }
}
.chart { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: currentColor; }
.chart .gridline { stroke: var(--gridline); }
.chart .axis { stroke: currentColor; }
.chart .reference { stroke: currentColor; stroke-dasharray: 2 4; }
@media (max-width: 40rem) { .chart { font-size: 18px; } }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.dots { fill: none; stroke-width: 7; stroke-linecap: round; }
.raw { fill: none; stroke-width: 1; opacity: 0.28; }
.series-1 { stroke: var(--series-1); }
.series-2 { stroke: var(--series-2); }
.series-3 { stroke: var(--series-3); }
.series-4 { stroke: var(--series-4); }
.series-5 { stroke: var(--series-5); }
.series-6 { stroke: var(--series-6); }
.series-2 .line { stroke-dasharray: 9 4; }
.series-3 .line { stroke-dasharray: 3 4; }
.series-4 .line { stroke-dasharray: 9 4 3 4; }
.series-6 .line { stroke-dasharray: 9 4; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; margin: 0.4rem 0 0; padding: 0; list-style: none; }
.legend svg { width: 34px; height: 10px; margin-right: 0.5rem; vertical-align: 0.1em; }
`;

/** Pixels: of the whole, and where the plot lies in it. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const whole: Frame = { width: 760, height: 320, left: 58, right: 744, top: 14, bottom: 272 };
const halfWide: Frame = { width: 460, height: 260, left: 58, right: 450, top: 14, bottom: 212 };

/** Pixels that a digit of a tick takes at most, and the label of the axis and the gaps beside it. */
const [DIGIT, BESIDE_TICKS] = [7, 28];

/** The chart as an `<svg>` and, where it has several series, a legend below. Its page needs `chartStyle`. */
export function lineChart(chart: LineChart): Html {
  const { series, smooth = true, reference } = chart;
  const within = chart.half ? halfWide : whole;
  const points = series.flatMap((each) => each.points).filter(isFinitePoint);
  const values = points.map(([, value]) => value);
  const yRange = chart.yRange ?? rounded(extent(reference ? [...values, reference.value] : values));
  const y = scale(yRange, within.bottom, within.top);
  const longest = Math.max(...y.ticks.map(({ text }) => text.length));
  const frame = { ...within, left: Math.max(within.left, BESIDE_TICKS + DIGIT * longest) };
  const x = scale(extent(points.map(([value]) => value)), frame.left, frame.right);
  return html`<svg class="chart" viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${chart.description}">
${yAxis(y, chart.yLabel, frame)}
${xAxis(x, chart.xLabel, frame)}
${reference && referenceLine(y.place(reference.value), reference.label, frame)}
${series.map((each, index) => curve(each.points, index, smooth, x, y))}
</svg>
${series.length > 1 && legend(series)}`;
}

function yAxis({ ticks, place }: Scale, label: string, { left, right, top, bottom }: Frame): Html {
  const middle = (top + bottom) / 2;
  return html`${ticks.map(
    ({
      value,
      text,
    }) => html`<line class="gridline" x1="${left}" x2="${right}" y1="${place(value)}" y2="${place(value)}"/>
<text x="${left - 8}" y="${place(value) + 4}" text-anchor="end">${text}</text>
`,
  )}<text transform="translate(13 ${middle}) rotate(-90)" text-anchor="middle">${label}</text>`;
}

function xAxis({ ticks, place }: Scale, label: string, { left, right, bottom, height }: Frame): Html {
  return html`<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
${ticks.map(
  ({
    value,
    text,
  }) => html`<line class="axis" x1="${place(value)}" x2="${place(value)}" y1="${bottom}" y2="${bottom + 5}"/>
<text x="${place(value)}" y="${bottom + 19}" text-anchor="middle">${text}</text>
`,
)}<text x="${(left + right) / 2}" y="${height - 6}" text-anchor="middle">${label}</text>`;
}

function referenceLine(y: number, label: string, { left, right }: Frame): Html {
  return html`<line class="reference" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>
<text x="${right - 4}" y="${y - 6}" text-anchor="end">${label}</text>`;
}

function curve(points: readonly Point[], index: number, smooth: boolean, x: Scale, y: Scale): Html {
  const isSmoothed = smooth && points.length >= 10;
  const main = isSmoothed ? movingAverage(points) : points;
  return html`<g class="series-${(index % COLOURS) + 1}">
${isSmoothed && html`<path class="raw" d="${path(thin(points), x, y)}"/>`}
<path class="line" d="${path(thin(main), x, y)}"/>
<path class="dots" d="${path(alone(main), x, y)}"/>
</g>`;
}

function legend(series: readonly Series[]): Html {
  return html`<ul class="legend">${series.map(
    ({ name }, index) =>
      html`<li><svg viewBox="0 0 34 10" aria-hidden="true" class="series-${(index % COLOURS) + 1}"><path class="line" d="M2 5H32"/></svg>${name}</li>`,
  )}</ul>`;
}

/** The points without a line to a neighbour, each between gaps. */
const alone = (points: readonly Point[]): readonly Point[] =>
  points.flatMap((point, i) => {
    const isAlone = ![points[i - 1], points[i + 1]].some((other) => other && isFinitePoint(other));
    return isAlone ? [point, [Number.NaN, Number.NaN]] : [];
  });

/** Path commands: `M` begins the line and again after each gap. A point on its own becomes a dot, by its round caps. */
function path(points: readonly Point[], x: Scale, y: Scale): string {
  let isDrawing = false;
  const commands = points.map((point) => {
    if (!isFinitePoint(point)) {
      isDrawing = false;
      return '';
    }
    const position = `${x.place(point[0])} ${y.place(point[1])}`;
    const command = isDrawing ? `L${position}` : `M${position}h0`;
    isDrawing = true;
    return command;
  });
  return commands.join('');
}

/** A centred mean over a twentieth of the points, at the ends over those that there are; gaps stay gaps. */
export function movingAverage(points: readonly Point[]): Point[] {
  const half = Math.max(1, Math.round(points.length / 40));
  const sums = [0];
  const counts = [0];
  for (const [index, point] of points.entries()) {
    const isKnown = isFinitePoint(point);
    sums.push(sums[index]! + (isKnown ? point[1] : 0));
    counts.push(counts[index]! + (isKnown ? 1 : 0));
  }
  return points.map((point, index) => {
    if (!isFinitePoint(point)) return point;
    const [from, to] = [Math.max(0, index - half), Math.min(points.length, index + half + 1)];
    return [point[0], (sums[to]! - sums[from]!) / (counts[to]! - counts[from]!)];
  });
}

/** At most `bins` lowest and highest points, in order: what a line of that many pixels can show of all of them. */
export function thin(points: readonly Point[], bins = 700): readonly Point[] {
  if (points.length <= 2 * bins) return points;
  return Array.from({ length: bins }, (_, bin) => {
    const from = Math.floor((bin * points.length) / bins);
    const to = Math.floor(((bin + 1) * points.length) / bins);
    const part = points.slice(from, to);
    const finite = part.filter(isFinitePoint);
    if (finite.length === 0) return part.slice(0, 1);
    const low = finite.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = finite.reduce((a, b) => (b[1] > a[1] ? b : a));
    return low[0] <= high[0] ? [low, high] : [high, low];
  }).flat();
}

interface Scale {
  ticks: { value: number; text: string }[];
  /** Pixels, to a tenth. */
  place(value: number): number;
}

function scale([low, high]: readonly [number, number], from: number, to: number): Scale {
  const step = niceStep(high - low);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  const values = Array.from({ length: count }, (_, index) => (first + index) * step);
  const place = (value: number) => Math.round((from + ((value - low) / (high - low)) * (to - from)) * 10) / 10;
  return { ticks: values.map((value) => ({ value, text: tickText(value, step) })), place };
}

/** 1, 2 or 5 times a power of ten, such that four to ten steps make up `range`. */
export function niceStep(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 4));
  const multiple = range / 4 / power;
  return (multiple < 2 ? 1 : multiple < 5 ? 2 : 5) * power;
}

/** No more decimals than the step between ticks has. */
function tickText(value: number, step: number): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (decimals > 6 || Math.abs(value) >= 1e7) return value.toExponential(1);
  return value.toFixed(decimals).replace(/^-(0(\.0*)?)$/, '$1');
}

/** The least and greatest value, apart from each other even where all are equal. */
function extent(values: readonly number[]): [low: number, high: number] {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (low > high) return [0, 1];
  const spread = high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high)) ? 0 : Math.max(0.5, Math.abs(low) / 10);
  return [low - spread, high + spread];
}

/** The range with its ends on ticks. */
function rounded([low, high]: readonly [number, number]): [low: number, high: number] {
  const step = niceStep(high - low);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

function isFinitePoint([x, y]: Point): boolean {
  return Number.isFinite(x) && Number.isFinite(y);
}
