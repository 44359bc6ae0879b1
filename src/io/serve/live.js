/** The live page of a run: asks what is new every second, and shows it. */
import uPlot from './uPlot.js';

const INTERVAL = 1000;

const byId = (id) => document.getElementById(id);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Sets the HTML of an element, if it is another one: what people have opened or marked stays so. */
function setHtml(element, html) {
  if (element.dataset.html === html) return;
  element.dataset.html = html;
  element.innerHTML = html;
}

// Pictures

const slider = byId('step');
let samples = [];
let isNewest = true;

function showStep() {
  const step = samples[Number(slider.value)];
  if (step === undefined) return;
  byId('shown').textContent = `step ${step}`;
  const file = `samples/step-${String(step).padStart(6, '0')}.png`;
  const image = byId('synthetic').querySelector('img');
  if (!image.src.endsWith(file)) image.src = file;
}

slider.addEventListener('input', () => {
  isNewest = Number(slider.value) === samples.length - 1;
  showStep();
});

/** The slider stays where it was put; at its end, it goes along with the newest sheet. */
function showPictures(view) {
  const before = samples[Number(slider.value)];
  samples = view.samples;
  byId('pictures').hidden = samples.length === 0 && !view.hasReal;
  byId('real').hidden = !view.hasReal;
  byId('synthetic').hidden = samples.length === 0;
  if (view.hasReal && !byId('real').querySelector('img').src)
    byId('real').querySelector('img').src = 'samples/real.png';
  slider.parentElement.hidden = samples.length < 2;
  slider.max = String(Math.max(0, samples.length - 1));
  const kept = samples.indexOf(before);
  slider.value = String(isNewest || kept < 0 ? samples.length - 1 : kept);
  showStep();
}

// Charts

/** What is drawn, by the keys of the charts. */
const charts = new Map();

const heightOf = (width) => Math.round(Math.min(320, Math.max(180, width / 2.2)));

/** As in the report's charts (io/chart.ts). */
const dashes = [[], [9, 4], [3, 4], [9, 4, 3, 4], [], [9, 4]];

const short = (value, digits) => String(Number(value.toPrecision(digits)));

function seriesOf({ name, colour: index, faint }) {
  const style = index % dashes.length;
  return {
    label: name,
    stroke: () => colour(`--series-${style + 1}`),
    width: faint ? 1 : 2,
    alpha: faint ? 0.3 : 1,
    dash: faint ? [] : dashes[style],
    points: { show: (plot, i) => !faint && plot.data[i].filter((value) => value != null).length < 2 },
    spanGaps: false,
    value: (_, value) => (value == null ? '–' : short(value, 4)),
  };
}

/** What the vertical axis spans: what it is told to, or the values and the level that they are compared with. */
function rangeOf({ yRange, reference }) {
  if (yRange) return () => yRange;
  return (_, least, greatest) => {
    const values = [least, greatest, reference?.value].filter((value) => value != null);
    return values.length === 0 ? [0, 1] : uPlot.rangeNum(Math.min(...values), Math.max(...values), 0.1, true);
  };
}

function optionsOf(chart, width) {
  const axis = {
    stroke: () => colour('--ink'),
    grid: { stroke: () => colour('--gridline'), width: 1 },
    ticks: { stroke: () => colour('--gridline'), width: 1 },
  };
  return {
    width,
    height: heightOf(width),
    scales: { x: { time: false }, y: { range: rangeOf(chart) } },
    series: [{ label: 'step', value: (_, step) => (step == null ? '–' : String(step)) }, ...chart.lines.map(seriesOf)],
    axes: [
      { ...axis, label: 'step', labelSize: 20 },
      {
        ...axis,
        label: chart.yLabel,
        size: 72,
        labelSize: 20,
        values: (_, ticks) => ticks.map((tick) => short(tick, 6)),
      },
    ],
    cursor: { sync: { key: 'steps' }, drag: { x: true, y: false } },
    hooks: { draw: chart.reference ? [(plot) => drawReference(plot, chart.reference)] : [] },
  };
}

/** A level to compare with, across the chart. */
function drawReference({ ctx, bbox, valToPos }, { value, label }) {
  const y = valToPos(value, 'y', true);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour('--muted');
  ctx.setLineDash([2, 4]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.textAlign = 'right';
  ctx.fillText(label, bbox.left + bbox.width - 4, y - 6);
  ctx.restore();
}

const shapeOf = ({ title, lines }) => JSON.stringify([title, lines.map(({ name }) => name)]);

/** The lines over one axis of steps, as uPlot wants them. */
const dataOf = ({ lines }) => uPlot.join(lines.map(({ x, y }) => [x, y]));

const isZoomed = ({ scales, data: [steps] }) =>
  steps.length > 1 && (scales.x.min > steps[0] || scales.x.max < steps[steps.length - 1]);

function showCharts(view) {
  byId('curves').hidden = view.charts.length === 0;
  const keys = new Set(view.charts.map(({ key }) => key));
  for (const [key, shown] of charts) if (!keys.has(key)) remove(key, shown);
  for (const chart of view.charts) {
    const shown = charts.get(chart.key);
    if (shown?.shape === shapeOf(chart)) update(shown.plot, dataOf(chart));
    else draw(chart, shown);
  }
}

/** A chart into which somebody looks closer stays so. */
function update(plot, data) {
  const zoomed = isZoomed(plot);
  plot.setData(data, !zoomed);
  if (zoomed) plot.redraw();
}

function draw(chart, before) {
  const figure = document.createElement('figure');
  figure.dataset.key = chart.key;
  if (chart.key === 'losses') figure.className = 'wide';
  const title = document.createElement('h3');
  title.textContent = chart.title;
  figure.append(title);
  if (before) {
    before.plot.destroy();
    before.figure.replaceWith(figure);
  } else {
    byId('charts').append(figure);
  }
  const plot = new uPlot(optionsOf(chart, figure.clientWidth), dataOf(chart), figure);
  if (chart.caption) {
    const caption = document.createElement('figcaption');
    caption.textContent = chart.caption;
    figure.append(caption);
  }
  charts.set(chart.key, { plot, figure, shape: shapeOf(chart) });
}

function remove(key, { plot, figure }) {
  plot.destroy();
  figure.remove();
  charts.delete(key);
}

new ResizeObserver(() => {
  for (const { plot, figure } of charts.values()) {
    const width = figure.clientWidth;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height: heightOf(width) });
  }
}).observe(byId('charts'));

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const { plot } of charts.values()) plot.redraw();
});

// What is new

let tag = '';
let evaluation = null;

async function showNews() {
  const response = await fetch('run.json', { headers: tag ? { 'If-None-Match': tag } : {}, cache: 'no-store' });
  byId('lost').hidden = true;
  if (response.status === 304) return;
  if (!response.ok) throw new Error(await response.text());
  const view = await response.json();
  setHtml(byId('status'), view.status);
  showPictures(view);
  showCharts(view);
  byId('settings').hidden = view.settings === '';
  setHtml(byId('settings').querySelector('div'), view.settings);
  if (view.evaluation !== evaluation) setHtml(byId('evaluation'), await (await fetch('evaluation.html')).text());
  evaluation = view.evaluation;
  tag = response.headers.get('ETag') ?? '';
}

/** A run whose log takes long to read is asked for less often: one core in twenty at most. */
async function watch() {
  const begin = performance.now();
  try {
    await showNews();
  } catch {
    byId('lost').hidden = false;
  }
  setTimeout(watch, Math.max(INTERVAL, 20 * (performance.now() - begin)));
}

watch();
