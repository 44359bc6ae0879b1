/** lyrebird doctor: what there is to compute with, whether it computes correctly, and how fast. */
import type { Command } from 'commander';
import { type CheckResult, checkCase, checkHalfCase, describeCase, halfTolerance } from '../autograd/check.js';
import { COMPUTE_LIMITS, type DeviceInfo, USEFUL_FEATURES } from '../device/adapter.js';
import { DeviceError } from '../device/errors.js';
import { type GemmPlan, gemmCandidates } from '../kernel/choose/gemm.js';
import type { Capabilities } from '../kernel/choose.js';
import type { Engine } from '../kernel/engine.js';
import type { Op } from '../ops/define.js';
import { opByName } from '../ops/index.js';
import { adapterOption, withEngine } from './engine.js';
import { hardwareHere, hintsWithoutDevice, whatWouldBeFaster } from './hints.js';
import { describeHost, type Host } from './host.js';
import { Failure } from './outcome.js';
import { measureRoof, type Roof } from './roof.js';
import { threeDigits } from './table.js';

export function register(program: Command): void {
  program
    .command('doctor')
    .description(
      'Shows the GPU that lyrebird computes with, what it can do and which kernels that enables; compares some results with ' +
        'float64 references; measures its speed. Ends with exit code 1 and advice if nothing works.',
    )
    .option('--json', 'print everything as JSON')
    .addOption(adapterOption())
    .action(async ({ adapter, json = false }: { adapter?: string; json?: boolean }) => {
      const host = describeHost();
      if (!json) console.log(`${formatHost(host)}\n`);
      try {
        const report = await withEngine({ adapter, quiet: true }, examine);
        console.log(json ? JSON.stringify({ ...host, ...report }, undefined, 2) : formatReport(report));
        const wrong = report.selfCheck.filter(({ passed }) => !passed);
        if (wrong.length > 0) throw new Failure(wrongResults(report.adapter, wrong));
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        const hints = hintsWithoutDevice(process.env, hardwareHere());
        if (json) console.log(JSON.stringify({ ...host, error: error.message, hints }, undefined, 2));
        throw new DeviceError([error.message, ...hints.map((hint) => `- ${hint}`)].join('\n'), { cause: error });
      }
    });
}

interface SelfCheck {
  readonly case: string;
  readonly error: number;
  readonly passed: boolean;
}

export interface Report {
  readonly adapter: DeviceInfo;
  readonly features: Readonly<Record<string, boolean>>;
  readonly limits: Readonly<Record<string, number>>;
  readonly capabilities: Capabilities;
  /** How a product of two 512 x 512 matrices is computed. */
  readonly gemm: GemmPlan;
  /** Bytes of the largest tensor; what else its kernel binds comes on top. */
  readonly largestTensor: number;
  readonly selfCheck: readonly SelfCheck[];
  readonly roof: Roof;
  readonly fasterWith: readonly string[];
}

/** Everything that can be said of an engine's device: takes some seconds. */
export async function examine(e: Engine): Promise<Report> {
  const { info, features, limits } = e.gpu;
  return {
    adapter: info,
    features: Object.fromEntries(USEFUL_FEATURES.map((name) => [name, features.has(name)])),
    limits: Object.fromEntries(COMPUTE_LIMITS.map((name) => [name, limits[name]])),
    capabilities: e.capabilities,
    gemm: gemmCandidates(e.capabilities, { rows: 512, columns: 512, items: 1, terms: 512, sumContiguous: false })[0]!,
    largestTensor: e.largestTensor,
    selfCheck: await selfCheck(e),
    roof: await measureRoof(e),
    fasterWith: whatWouldBeFaster(info, hardwareHere()),
  };
}

/** One op of each kind: a product, a convolution, its transpose, a sum, an exponential; in mixed precision, too. */
const SAMPLE = ['matmul', 'conv2d', 'conv_transpose2d', 'sum', 'softplus'];

async function selfCheck(e: Engine): Promise<SelfCheck[]> {
  const results: SelfCheck[] = [];
  for (const name of SAMPLE) {
    const op = opByName.get(name)!;
    const test = op.cases[0]!;
    const title = describeCase(op, test);
    results.push(judged(title, await checkCase(e, op, test), op.tolerance));
    // Kernels of their own, where there are subgroup matrices.
    if (!e.capabilities.f16 || Object.keys(op.half).length === 0) continue;
    results.push(judged(`${title} in f16`, await checkHalfCase(e, op, test), halfTolerance(op)));
  }
  return results;
}

function judged(title: string, result: CheckResult, tolerance: Op['tolerance']): SelfCheck {
  const { forward, gradient, deterministic } = result;
  const passed = forward.error < tolerance.forward && (gradient?.error ?? 0) < tolerance.gradient && deterministic;
  return { case: title, error: forward.error, passed };
}

function wrongResults({ name, driver }: DeviceInfo, wrong: readonly SelfCheck[]): string {
  return (
    `The adapter ${name} computes wrong results (${wrong.map((check) => check.case).join('; ')}). ` +
    `Update its driver (now ${driver}), or take another adapter: lyrebird doctor --adapter swiftshader.`
  );
}

type Row = readonly [label: string, value: string];

const formatHost = ({ node, platform, processor, cores }: Host): string =>
  section('Machine', [
    ['Node', `${node} on ${platform}`],
    ['Processor', `${processor}, ${cores} cores`],
  ]);

export function formatReport(report: Report): string {
  const { adapter, features, limits, gemm, roof } = report;
  const having = (wanted: boolean) => USEFUL_FEATURES.filter((name) => features[name] === wanted).join(', ') || 'none';
  const limit = (name: (typeof COMPUTE_LIMITS)[number]) => limits[name]!;
  const sides = ['X', 'Y', 'Z'].map((side) => limits[`maxComputeWorkgroupSize${side}`]).join(' x ');
  const clock = roof.gpuClock ? "by the GPU's clock" : 'by the wall clock';
  const { matrix: _matrix, workgroupBytes: _limit, ...flags } = report.capabilities;
  return [
    section('Adapter', [
      ['Name', `${adapter.name}${adapter.software ? ' (software: the processor computes)' : ''}`],
      ['Driver', adapter.driver],
      ['Backend', adapter.backend],
      ['Features', having(true)],
      ['Without', having(false)],
      ['Subgroups', subgroupSizes(adapter)],
    ]),
    section('Limits', [
      ['Storage binding', size(limit('maxStorageBufferBindingSize'))],
      ['Buffer', size(limit('maxBufferSize'))],
      ['Workgroup storage', size(limit('maxComputeWorkgroupStorageSize'))],
      ['Workgroup', `${limit('maxComputeInvocationsPerWorkgroup')} invocations, at most ${sides}`],
      ['Dispatch', `${limit('maxComputeWorkgroupsPerDimension')} workgroups a dimension`],
      ['Bindings', `${limit('maxStorageBuffersPerShaderStage')} a kernel, of which a large tensor takes several`],
      ['Largest tensor', `${size(report.largestTensor)}, ${(report.largestTensor / 4e6).toFixed(1)} million values`],
    ]),
    section('Kernels', [
      ['Products', `lib/gemm_${gemm.core}, ${gemm.tile.join(' x ')} results a workgroup`],
      ...Object.entries(flags).map(([name, value]): Row => [words(name), formatCapability(value)]),
      ['Subgroup matrices', subgroupMatrices(report)],
      ['Timestamps', timestamps(report)],
    ]),
    section(
      'Results against float64',
      report.selfCheck.map((check) => [check.passed ? 'right' : 'WRONG', `${check.case}: ${threeDigits(check.error)}`]),
    ),
    section(`Speed, ${clock}`, [
      ['Matrix product', `${threeDigits(roof.gflops)} GFLOP/s (${roof.size} x ${roof.size})`],
      ['Memory', `${threeDigits(roof.gbps)} GB/s (copying ${size(roof.bytes)})`],
    ]),
    ...(report.fasterWith.length > 0
      ? [`What would be faster\n${report.fasterWith.map((line) => `  - ${line}`).join('\n')}`]
      : []),
  ].join('\n\n');
}

const section = (title: string, rows: readonly Row[]): string =>
  [title, ...rows.map(([label, value]) => `  ${label.padEnd(18)}${value}`)].join('\n');

function subgroupSizes({ subgroupMin, subgroupMax }: DeviceInfo): string {
  if (subgroupMax === 0) return 'of unknown size';
  return subgroupMin === subgroupMax ? `of ${subgroupMin}` : `of ${subgroupMin} to ${subgroupMax}`;
}

/** Those that kernels use for products in mixed precision, or which others the adapter has. */
export function subgroupMatrices({
  adapter,
  capabilities: { matrix },
}: Pick<Report, 'adapter' | 'capabilities'>): string {
  if (matrix) {
    const { M, N, K, lanes } = matrix;
    const used = adapter.software ? 'not used, the processor has no such unit' : 'for products in mixed precision';
    return `${M} x ${N} x ${K}, f16 in, f32 out, by ${lanes} invocations: ${used}`;
  }
  const others = adapter.subgroupMatrices.map(
    ({ M, N, K, componentType, resultComponentType }) =>
      `${componentType} to ${resultComponentType} ${M} x ${N} x ${K}`,
  );
  return others.length > 0 ? `none that kernels can use, only ${others.join(', ')}` : 'none';
}

function timestamps({ features, roof }: Report): string {
  if (!features['timestamp-query']) return 'none';
  return roof.gpuClock ? 'yes' : 'not believable: they contradict the wall clock';
}

/** subgroupsOf8 -> Subgroups of 8 */
function words(name: string): string {
  const spaced = name.replace(/([a-z])([A-Z0-9])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function formatCapability(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Bytes in the largest unit of 1024 that divides them nicely: 128 MiB, 32 KiB. */
function size(bytes: number): string {
  for (const [unit, factor] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= factor) return `${Number((bytes / factor).toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}
